import CNI
public import IPAddressing
import JSON

/// What the annotations of a pod and of its namespace say about its addresses (front-end specification, section 1.13).
/// The pod's count before the namespace's, and an empty one says nothing.
public struct WorkloadAnnotations: Hashable, Sendable {
  /// What an annotation stands at.
  public enum Bearer: String, Hashable, Sendable {
    case pod
    case namespace
  }

  /// Nil when nothing is said.
  public var poolsV4: [String]?
  public var poolsV6: [String]?
  /// Which families are wanted; nil when nothing is said.
  public var families: Set<AddressFamily>?
  /// Where each of these is said.
  public private(set) var poolsV4Bearer: Bearer?
  public private(set) var poolsV6Bearer: Bearer?
  public private(set) var familiesBearer: Bearer?
  /// The very addresses that are wanted; only a pod can say so.
  public var addresses: [IPAddress] = []

  public init() {}

  /// Reads the annotations.
  ///
  /// - Parameters:
  ///   - pod: the pod's.
  ///   - namespace: the namespace's.
  /// - Throws: ``CalicoFailure`` in upstream's words when one is malformed.
  public init(pod: [String: String], namespace: [String: String]) throws(CalicoFailure) {
    func text(_ name: String) -> (key: String, value: String, bearer: Bearer)? {
      let key = "cni.projectcalico.org/" + name
      for (bearer, annotations) in [(Bearer.pod, pod), (.namespace, namespace)] {
        if let value = annotations[key], !value.isEmpty { return (key, value, bearer) }
      }
      return nil
    }
    if let (key, value, bearer) = text("ipv4pools") {
      poolsV4 = try Self.texts(value, of: key)
      poolsV4Bearer = bearer
    }
    if let (key, value, bearer) = text("ipv6pools") {
      poolsV6 = try Self.texts(value, of: key)
      poolsV6Bearer = bearer
    }
    if let (key, value, bearer) = text("ipFamilies") {
      familiesBearer = bearer
      var found: Set<AddressFamily> = []
      for name in try Self.texts(value, of: key) {
        switch name {
        case "IPv4": found.insert(.v4)
        case "IPv6": found.insert(.v6)
        default:
          throw CalicoFailure(
            "error parsing ipFamilies: \(value)", details: "annotation \(key) is a list of IPv4 and IPv6")
        }
      }
      families = found
    }
    let key = "cni.projectcalico.org/ipAddrs"
    if let value = pod[key] {
      if pod["cni.projectcalico.org/ipAddrsNoIpam"] != nil {
        throw CalicoFailure(
          "can't have both annotations: 'ipAddrs' and 'ipAddrsNoIpam' in use at the same time",
          details: "remove one of the two from the pod")
      }
      addresses = try Self.addresses(value, of: key)
    }
  }

  private static func texts(_ value: String, of key: String) throws(CalicoFailure) -> [String] {
    do throws(CalicoFailure) {
      return try list(value)
    } catch {
      throw CalicoFailure(
        "failed to parse annotation \"\(key)\": \(error.message)",
        details: "it must be a list of texts such as [\"a\"], and is \(QuotedText.quote(value.utf8))")
    }
  }

  private static func addresses(_ value: String, of key: String) throws(CalicoFailure) -> [IPAddress] {
    let texts: [String]
    do throws(CalicoFailure) {
      texts = try list(value)
    } catch {
      throw CalicoFailure(
        "failed to parse IPs \(value) for annotation \"\(key)\": failed to parse '\(value)' as JSON: \(error.message)",
        details: "it must be a list such as [\"10.65.0.7\"]")
    }
    guard !texts.isEmpty else {
      throw CalicoFailure("annotation \"\(key)\" specified but empty", details: "name an address, or remove it")
    }
    var addresses: [IPAddress] = []
    for text in texts {
      guard let address = IPAddress(text) else {
        throw CalicoFailure("invalid IP format: \(text)", details: "annotation \(key) is \(value)")
      }
      guard !addresses.contains(where: { $0.family == address.family }) else {
        throw CalicoFailure(
          "cannot have more than one IPv\(address.family.rawValue) address for \"\(key)\" annotation")
      }
      addresses.append(address)
    }
    return addresses
  }

  /// The texts in a JSON list; the failure's message is what is wrong with it.
  private static func list(_ value: String) throws(CalicoFailure) -> [String] {
    let document: JSON
    do {
      document = try JSON(parsing: Array(value.utf8))
    } catch {
      throw CalicoFailure("\(error)")
    }
    guard case .array(let elements) = document else { throw CalicoFailure("it is no list") }
    var texts: [String] = []
    for element in elements {
      guard case .string(let text) = element else { throw CalicoFailure("an element is no text") }
      texts.append(text)
    }
    return texts
  }
}
