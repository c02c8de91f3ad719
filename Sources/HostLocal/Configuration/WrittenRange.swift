import CNI
import IPAM
import IPAddressing
import JSON

/// A range as it stands in a configuration: every text form is right, nothing is related to anything yet.
struct WrittenRange: Hashable {
  var subnet: WrittenCIDR?
  var first: IPAddress?
  var last: IPAddress?
  var gateway: IPAddress?

  /// Takes a member that belongs to a range; false for any other.
  mutating func decode(
    _ member: JSONObject.Member,
    _ decoder: inout ConfigurationDecoder,
    parent: String
  ) throws(HostLocalError) -> Bool {
    if member.key.matchesFieldName("subnet") {
      subnet = try AddressText.cidr(member.value)
    } else if member.key.matchesFieldName("rangeStart") {
      try AddressText.decode(member.value, &decoder, field: "\(parent).rangeStart", into: &first)
    } else if member.key.matchesFieldName("rangeEnd") {
      try AddressText.decode(member.value, &decoder, field: "\(parent).rangeEnd", into: &last)
    } else if member.key.matchesFieldName("gateway") {
      try AddressText.decode(member.value, &decoder, field: "\(parent).gateway", into: &gateway)
    } else {
      return false
    }
    return true
  }
}

/// The text forms of addresses in configurations (host-local specification, section 2.2).
enum AddressText {
  /// A CIDR; null reads like an empty text, and both are malformed.
  static func cidr(_ value: JSON) throws(HostLocalError) -> WrittenCIDR {
    let text: String
    switch value {
    case .string(let string): text = string
    case .null: text = ""
    default:
      throw HostLocalError(.configuration, "json: cannot unmarshal \(value.kindName) into Go value of type string")
    }
    guard let cidr = WrittenCIDR(text) else {
      throw HostLocalError(.configuration, "invalid CIDR address: \(text)")
    }
    return cidr
  }

  /// A plain address; an empty text and null mean that there is none.
  static func decode(
    _ value: JSON,
    _ decoder: inout ConfigurationDecoder,
    field: String,
    into target: inout IPAddress?
  ) throws(HostLocalError) {
    switch value {
    case .null, .string(""): target = nil
    case .string(let text):
      guard let address = IPAddress(text) else {
        throw HostLocalError(.configuration, "invalid IP address: \(text)")
      }
      target = address
    default: decoder.reject(value, field: field, type: "net.IP")
    }
  }
}

extension Route {
  /// A route as configured.
  ///
  /// Upstream echoes a null route and prints one without destination as `<nil>`, which no caller can use; both are
  /// refused here.
  init(configured value: JSON, at index: Int) throws(HostLocalError) {
    var decoder = ConfigurationDecoder()
    guard value != .null else {
      throw HostLocalError(.configuration, "invalid route \(index): it is null")
    }
    var destination: CIDR?
    var gateway: IPAddress?
    var numbers = Route(destination: CIDR(host: IPAddress(v4: 0)))
    for member in decoder.members(of: value, as: "ipam.routes", type: "types.route") {
      let (key, value) = (member.key, member.value)
      if key.matchesFieldName("dst") {
        destination = try AddressText.cidr(value).normalized
      } else if key.matchesFieldName("gw") {
        try AddressText.decode(value, &decoder, field: "route.gw", into: &gateway)
      } else if key.matchesFieldName("mtu") {
        decoder.decode(value, as: "route.mtu", into: &numbers.mtu)
      } else if key.matchesFieldName("advmss") {
        decoder.decode(value, as: "route.advmss", into: &numbers.advertisedMSS)
      } else if key.matchesFieldName("priority") {
        decoder.decode(value, as: "route.priority", into: &numbers.priority)
      } else if key.matchesFieldName("table") {
        decoder.decode(value, as: "route.table", into: &numbers.table)
      } else if key.matchesFieldName("scope") {
        decoder.decode(value, as: "route.scope", into: &numbers.scope)
      }
    }
    if let problem = decoder.firstTypeError { throw HostLocalError(.configuration, problem) }
    guard let destination else {
      throw HostLocalError(.configuration, "invalid route \(index): it has no dst")
    }
    self = numbers
    self.destination = destination
    self.gateway = gateway
  }
}
