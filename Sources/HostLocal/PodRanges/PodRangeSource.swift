import CNI
import DatastoreSettings
import FileSystem
import JSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Finds a node's networks: an answer that is at hand, or a new one from `calico-ipam-kubernetes`, which speaks to the
/// API server so that this plugin need not.
struct PodRangeSource {
  /// The executable that is asked.
  static let sibling = "calico-ipam-kubernetes"

  let cache: PodRangeCache
  /// Finds the executable.
  let findSibling: () -> SiblingPlugin?
  let log: (String) -> Void

  /// The networks of the node that a configuration is about.
  ///
  /// - Parameter document: the network's configuration.
  /// - Returns: the networks.
  /// - Throws: ``HostLocalError`` when the configuration gives no access to Kubernetes, or no answer can be had; an
  ///   answer that is too old is none.
  func ranges(_ document: JSONObject) throws(HostLocalError) -> PodRanges {
    let network = NetworkConnection(document)
    guard network.hasKubernetesAccess else {
      throw HostLocalError(
        .configuration, "usePodCidr needs access to Kubernetes, and the configuration gives none",
        details: "set kubernetes.kubeconfig, or write the node's network instead of usePodCidr")
    }
    let question = Self.question(document, network)
    if let known = cache.answer(question) { return known }
    let time = cache.time
    let ranges = try ask(document, question.node)
    do throws(SystemError) {
      try cache.keep(ranges, for: question, askedAt: time)
    } catch {
      log("the pod CIDRs of node \(question.node) are not remembered: \(systemReason(error.number))")
    }
    return ranges
  }

  /// The answer that is at hand, when it is still good.
  func known(_ document: JSONObject) -> PodRanges? {
    cache.answer(Self.question(document, NetworkConnection(document)))
  }

  private func ask(_ document: JSONObject, _ node: String) throws(HostLocalError) -> PodRanges {
    let purpose = "cannot find out the pod CIDRs of node \(node): "
    guard let sibling = findSibling() else {
      throw HostLocalError(
        .configuration, purpose + "there is no \(Self.sibling) beside host-local",
        details: "install it there, or write the node's network instead of usePodCidr")
    }
    guard let output = sibling.ask(["pod-cidrs"], input: JSON.object(document).encoded()) else {
      throw HostLocalError(.configuration, purpose + "\(Self.sibling) cannot be executed")
    }
    guard output.status == 0 else {
      let lines = String(decoding: output.diagnostics, as: UTF8.self).split(separator: "\n").map(String.init)
      // Its last two lines: why, and what to do. There may be warnings in front.
      let reason = lines.dropLast(lines.count > 1 ? 1 : 0).last ?? "\(Self.sibling) gave no reason"
      throw HostLocalError(
        .configuration, purpose + reason, details: lines.count > 1 ? lines.last ?? "" : "")
    }
    guard case .object(let answer)? = try? JSON(parsing: output.text), let ranges = PodRanges(answer) else {
      throw HostLocalError(
        .configuration, purpose + "\(Self.sibling) gave an answer that cannot be understood",
        details: "install both programs from the same package")
    }
    return ranges
  }

  // MARK: - Whom the answer is for

  /// The access is told by its parts and by the state of the kubeconfig, which may be another cluster's by now.
  private static func question(_ document: JSONObject, _ network: NetworkConnection) -> PodRangeCache.Question {
    var hash: UInt64 = 0xCBF2_9CE4_8422_2325
    func mix(_ text: String) {
      for byte in text.utf8 { hash = (hash ^ UInt64(byte)) &* 0x100_0000_01B3 }
      hash = (hash ^ 0xFF) &* 0x100_0000_01B3
    }
    for text in [
      network.kubeconfig, network.server, network.policyServer, network.policyToken, network.policyKeyFile,
      network.policyCertificateFile, network.policyAuthorityFile,
    ] { mix(text) }
    for path in network.kubeconfig.split(separator: ":") {
      guard let status = try? File.status(of: String(path)) else { continue }
      mix("\(status.st_dev) \(status.st_ino) \(status.st_size) \(status.st_mtim.tv_sec) \(status.st_mtim.tv_nsec)")
    }
    return PodRangeCache.Question(node: node(document, network), access: String(hash, radix: 16))
  }

  /// The node's name from the sources that the sibling asks in the same order (front-end specification, section 1.5).
  private static func node(_ document: JSONObject, _ network: NetworkConnection) -> String {
    if !network.nodeName.isEmpty { return network.nodeName }
    func text(_ name: String) -> String {
      document.members.last { $0.key.matchesFieldName(name) }?.value.stringValue ?? ""
    }
    let configured = text("nodename")
    if !configured.isEmpty { return configured }
    let file = text("nodename_file")
    let written = File.firstLine(of: file.isEmpty ? "/var/lib/calico/nodename" : file)
    if !written.isEmpty { return written }
    let deprecated = text("hostname")
    if !deprecated.isEmpty { return deprecated }
    return File.firstLine(of: "/proc/sys/kernel/hostname").lowercased()
  }
}
