import IPAddressing
import JSON

/// What the runtime remembers of an earlier ADD: the configuration's `prevResult` (CNI specification 1.1.0, section 1).
enum PreviousResult {
  /// The addresses of a result of any version; nil when there is no result, or one without addresses.
  static func addresses(in document: JSONObject) -> [IPAddress]? {
    guard let result = document["prevResult"]?.objectValue else { return nil }
    var texts = (result["ips"]?.arrayValue ?? []).compactMap { $0.objectValue?["address"]?.stringValue }
    for key in ["ip4", "ip6"] {
      if let text = result[key]?.objectValue?["ip"]?.stringValue { texts.append(text) }
    }
    let addresses = texts.compactMap { CIDR($0)?.address }
    return addresses.isEmpty ? nil : addresses
  }
}
