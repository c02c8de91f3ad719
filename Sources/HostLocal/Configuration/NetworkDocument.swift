import CNI
import IPAM
import IPAddressing
import JSON

/// The members of a network configuration that host-local reads, with their types right and nothing else checked.
struct NetworkDocument {
  var version = ""
  var ipam: IPAMSection?
  var runtimeRanges: [[WrittenRange]] = []
  /// nil stands for an empty text or null, which are refused later.
  var runtimeAddresses: [IPAddress?] = []
  var argumentAddresses: [IPAddress?] = []
  /// Whether the configuration declares the `ipRanges` capability.
  var takesRangesByCapability = false

  private var decoder = ConfigurationDecoder()

  /// Reads the document in its own order. A malformed address ends the reading at once and so is reported before any
  /// member of the wrong type, of which the first is reported.
  init(_ document: JSONObject) throws(HostLocalError) {
    for (key, value) in document.members.lazy.map({ ($0.key, $0.value) }) {
      if key.matchesFieldName("ipam") {
        try decodeIPAM(value)
      } else if key.matchesFieldName("cniVersion") {
        decoder.decode(value, as: "Net.cniVersion", into: &version)
      } else if key.matchesFieldName("runtimeConfig") {
        try decodeRuntimeConfiguration(value)
      } else if key.matchesFieldName("args") {
        try decodeArguments(value)
      } else if key.matchesFieldName("capabilities") {
        let ranges = value.objectValue?.members.last { $0.key.matchesFieldName("ipRanges") }
        takesRangesByCapability = ranges?.value.boolValue ?? false
      }
    }
    if let problem = decoder.firstTypeError { throw HostLocalError(.configuration, problem) }
  }

  private mutating func decodeIPAM(_ value: JSON) throws(HostLocalError) {
    guard value != .null else {
      ipam = nil
      return
    }
    var section = ipam ?? IPAMSection()
    for member in decoder.members(of: value, as: "Net.ipam", type: "allocator.IPAMConfig") {
      try section.decode(member, &decoder)
    }
    ipam = section
  }

  private mutating func decodeRuntimeConfiguration(_ value: JSON) throws(HostLocalError) {
    for member in decoder.members(of: value, as: "Net.runtimeConfig", type: "struct") {
      if member.key.matchesFieldName("ipRanges") {
        try decodeRangeSets(member.value, &decoder, field: "Net.runtimeConfig.ipRanges", into: &runtimeRanges)
      } else if member.key.matchesFieldName("ips") {
        try Self.decodeRequests(member.value, &decoder, field: "Net.runtimeConfig.ips", into: &runtimeAddresses)
      }
    }
  }

  private mutating func decodeArguments(_ value: JSON) throws(HostLocalError) {
    guard value != .null else {
      argumentAddresses = []
      return
    }
    for member in decoder.members(of: value, as: "Net.args", type: "struct") where member.key.matchesFieldName("cni") {
      guard member.value != .null else {
        argumentAddresses = []
        continue
      }
      for inner in decoder.members(of: member.value, as: "Net.args.cni", type: "allocator.IPAMArgs")
      where inner.key.matchesFieldName("ips") {
        try Self.decodeRequests(inner.value, &decoder, field: "Net.args.cni.ips", into: &argumentAddresses)
      }
    }
  }

  private static func decodeRequests(
    _ value: JSON,
    _ decoder: inout ConfigurationDecoder,
    field: String,
    into requests: inout [IPAddress?]
  ) throws(HostLocalError) {
    switch value {
    case .null: requests = []
    case .array(let elements):
      requests = []
      for element in elements {
        switch element {
        case .null: requests.append(nil)
        case .string(let text): requests.append(try RequestedAddresses.parse(text))
        default: decoder.reject(element, field: field, type: "*ip.IP")
        }
      }
    default: decoder.reject(value, field: field, type: "[]*ip.IP")
    }
  }
}

/// The members of `ipam`.
struct IPAMSection {
  var dataDirectory = ""
  var resolverFile = ""
  var routes: [Route] = []
  var rangeSets: [[WrittenRange]] = []
  var options = HostLocalOptions()
  private var singleRange = WrittenRange()
  private var unused = ""

  /// The single range of old configurations; without a subnet its other members mean nothing.
  var range: WrittenRange? { singleRange.subnet == nil ? nil : singleRange }

  mutating func decode(
    _ member: JSONObject.Member,
    _ decoder: inout ConfigurationDecoder
  ) throws(HostLocalError) {
    let (key, value) = (member.key, member.value)
    if try singleRange.decode(member, &decoder, parent: "IPAMConfig.ipam") { return }
    if key.matchesFieldName("ranges") {
      try decodeRangeSets(value, &decoder, field: "IPAMConfig.ipam.ranges", into: &rangeSets)
    } else if key.matchesFieldName("dataDir") {
      decoder.decode(value, as: "IPAMConfig.ipam.dataDir", into: &dataDirectory)
    } else if key.matchesFieldName("resolvConf") {
      decoder.decode(value, as: "IPAMConfig.ipam.resolvConf", into: &resolverFile)
    } else if key.matchesFieldName("routes") {
      try decodeRoutes(value, &decoder)
    } else if key.matchesFieldName("type") || key.matchesFieldName("name") {
      decoder.decode(value, as: "IPAMConfig.ipam.\(key)", into: &unused)
    } else {
      decodeOption(key, value, &decoder)
    }
  }

  private mutating func decodeOption(_ key: String, _ value: JSON, _ decoder: inout ConfigurationDecoder) {
    // Members of our own are matched exactly: no document in the field spells them otherwise.
    switch key {
    case "gc": decoder.decode(value, as: "IPAMConfig.ipam.gc", into: &options.collects)
    case "reclaimAfterReboot":
      decoder.decode(value, as: "IPAMConfig.ipam.reclaimAfterReboot", into: &options.reclaimsAfterReboot)
    case "idempotentAdd": decoder.decode(value, as: "IPAMConfig.ipam.idempotentAdd", into: &options.isAddIdempotent)
    case "reportExhaustion":
      decoder.decode(value, as: "IPAMConfig.ipam.reportExhaustion", into: &options.reportsExhaustion)
    default: break
    }
  }

  private mutating func decodeRoutes(_ value: JSON, _ decoder: inout ConfigurationDecoder) throws(HostLocalError) {
    switch value {
    case .null: routes = []
    case .array(let elements):
      routes = []
      for (index, element) in elements.enumerated() { routes.append(try Route(configured: element, at: index)) }
    default: decoder.reject(value, field: "IPAMConfig.ipam.routes", type: "[]*types.Route")
    }
  }
}

/// Decodes a list of lists of ranges. A repeated list replaces the earlier one, but its elements keep what earlier
/// elements at the same place have and they do not set.
private func decodeRangeSets(
  _ value: JSON,
  _ decoder: inout ConfigurationDecoder,
  field: String,
  into sets: inout [[WrittenRange]]
) throws(HostLocalError) {
  guard value != .null else {
    sets = []
    return
  }
  guard case .array(let elements) = value else {
    return decoder.reject(value, field: field, type: "[]allocator.RangeSet")
  }
  sets = Array(sets.prefix(elements.count))
  for (index, element) in elements.enumerated() {
    if index == sets.count { sets.append([]) }
    guard case .array(let ranges) = element else {
      if element == .null {
        sets[index] = []
      } else {
        decoder.reject(element, field: field, type: "allocator.RangeSet")
      }
      continue
    }
    sets[index] = Array(sets[index].prefix(ranges.count))
    for (position, range) in ranges.enumerated() {
      if position == sets[index].count { sets[index].append(WrittenRange()) }
      for member in decoder.members(of: range, as: field, type: "allocator.Range") {
        _ = try sets[index][position].decode(member, &decoder, parent: field)
      }
    }
  }
}
