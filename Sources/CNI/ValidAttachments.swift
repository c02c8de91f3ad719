import IPAM
import JSON

/// The list of attachments that GC must keep (CNI specification 1.1.0, section 4).
enum ValidAttachments {
  /// The key of the specification, and the one that early runtimes used.
  private static let keys = ["cni.dev/valid-attachments", "cni.dev/attachments"]

  /// Reads the list.
  ///
  /// An empty list is meaningful: nothing is to be kept. A list that is missing, null or malformed is an error, because
  /// taking it for an empty one would release every address of a living node.
  ///
  /// - Throws: ``CNIError`` with code 7.
  static func read(from document: JSONObject) throws(CNIError) -> Set<Attachment> {
    var found: (key: String, attachments: Set<Attachment>)?
    for key in keys {
      let members = document.members.filter { $0.key == key }
      guard let member = members.first else { continue }
      guard members.count == 1 else { throw malformed(key, "it is given twice") }
      let attachments = try read(member.value, key: key)
      if let found, found.attachments != attachments {
        throw CNIError(
          .invalidNetworkConfiguration,
          "\(found.key) and \(key) do not agree",
          details: "nothing was released; give one of the two lists"
        )
      }
      found = (key, attachments)
    }
    guard let found else {
      throw CNIError(
        .invalidNetworkConfiguration,
        "GC needs the list \(keys[0])",
        details: "nothing was released; an empty list says that no attachment is left"
      )
    }
    return found.attachments
  }

  private static func read(_ value: JSON, key: String) throws(CNIError) -> Set<Attachment> {
    guard case .array(let elements) = value else { throw malformed(key, "it is \(value.kindName), not array") }
    var attachments: Set<Attachment> = []
    for (index, element) in elements.enumerated() {
      guard case .object(let object) = element else {
        throw malformed(key, "element \(index) is \(element.kindName), not object")
      }
      guard let containerID = object["containerID"]?.stringValue, !containerID.isEmpty else {
        throw malformed(key, "element \(index) has no containerID")
      }
      guard let interfaceName = object["ifname"]?.stringValue, !interfaceName.isEmpty else {
        throw malformed(key, "element \(index) has no ifname")
      }
      attachments.insert(Attachment(containerID: containerID, interfaceName: InterfaceName(interfaceName)))
    }
    return attachments
  }

  private static func malformed(_ key: String, _ problem: String) -> CNIError {
    CNIError(.invalidNetworkConfiguration, "malformed \(key): \(problem)", details: "nothing was released")
  }
}
