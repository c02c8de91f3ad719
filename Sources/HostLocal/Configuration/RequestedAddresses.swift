import CNI
import IPAddressing

/// Addresses that a caller asks for by text.
enum RequestedAddresses {
  /// Reads `IP` from `CNI_ARGS`, and judges the other pairs (host-local specification, section 2.5).
  static func read(_ arguments: CNIArguments) throws(HostLocalError) -> [IPAddress] {
    var requested: IPAddress?
    var unknown: [String] = []
    var ignoresUnknown = false
    for piece in arguments.pieces {
      guard case .pair(let pair) = piece else {
        if case .invalid(let quoted) = piece { throw HostLocalError(.configuration, "ARGS: invalid pair \(quoted)") }
        continue
      }
      let value = String(decoding: pair.value, as: UTF8.self)
      if pair.hasKey("IP") {
        do throws(HostLocalError) {
          requested = try parse(value)
        } catch {
          throw error.prefixed("ARGS: error parsing value of pair \(pair.quoted): ")
        }
      } else if pair.hasKey("IgnoreUnknown") {
        ignoresUnknown = try parseBoolean(value, pair)
      } else {
        unknown.append(pair.quoted)
      }
    }
    guard unknown.isEmpty || ignoresUnknown else {
      throw HostLocalError(.configuration, "ARGS: unknown args [\(unknown.joined(separator: " "))]")
    }
    return requested.map { [$0] } ?? []
  }

  /// Reads a plain address, or one with a valid prefix length, which is thrown away; nil for an empty text.
  static func parse(_ text: String) throws(HostLocalError) -> IPAddress? {
    guard !text.isEmpty else { return nil }
    if text.utf8.contains(UInt8(ascii: "/")) {
      if let cidr = WrittenCIDR(text) { return cidr.address }
    } else if let address = IPAddress(text) {
      return address
    }
    throw HostLocalError(.configuration, "invalid IP address \(text)")
  }

  private static func parseBoolean(_ text: String, _ pair: CNIArguments.Pair) throws(HostLocalError) -> Bool {
    let lowered = text.lowercased()
    switch lowered {
    case "1", "true": return true
    case "0", "false": return false
    default:
      throw HostLocalError(
        .configuration,
        "ARGS: error parsing value of pair \(pair.quoted): boolean unmarshal error: invalid input \(lowered)"
      )
    }
  }
}
