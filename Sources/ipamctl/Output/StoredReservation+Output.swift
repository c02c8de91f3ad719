import HostLocal
import IPAddressing
import JSON
import Terminal

extension StoredReservation {
  /// The container as a table shows it.
  var containerText: String { containerID.map { PrintableText.of($0) } ?? "(damaged)" }

  /// The interface as a table shows it: `-` where none is recorded.
  var interfaceText: String { interfaceName.map { PrintableText.of($0) } ?? "-" }

  /// When the file was changed last, which for a reservation is when it was made.
  var since: String { TimeText.text(seconds: file.changeSeconds) }

  /// Whom the address belongs to, in a sentence.
  var holder: String {
    switch content {
    case .attachment: "container \(containerText), interface \(interfaceText)"
    case .container: "container \(containerText), no interface recorded"
    case .damaged: "damaged, it names nobody"
    }
  }

  /// The members that stand for a reservation in every document.
  var members: JSONObject {
    [
      "address": .string(address.description),
      "container": JSON(containerID.map { String(decoding: $0, as: UTF8.self) }),
      "interface": JSON(interfaceName.map { String(decoding: $0, as: UTF8.self) }),
      "since": .string(since),
    ]
  }

  /// The container ID as recorded; nil in a damaged entry.
  var containerID: [UInt8]? {
    switch content {
    case .attachment(let containerID, _): containerID
    case .container(let containerID): containerID
    case .damaged: nil
    }
  }

  /// The interface name as recorded; nil in a damaged or an old entry.
  var interfaceName: [UInt8]? {
    guard case .attachment(_, let interfaceName) = content else { return nil }
    return interfaceName
  }
}
