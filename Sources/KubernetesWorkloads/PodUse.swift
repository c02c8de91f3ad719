public import IPAddressing
import JSON

/// Which addresses a pod has, as far as the API server knows.
public struct PodUse: Hashable, Sendable {
  public var namespace: String
  public var name: String
  /// Where it runs; empty while nobody has decided.
  public var node: String
  /// Every address that anything says it has: what calico-ipam's caller noted, what the node told, and what further
  /// networks gave it.
  public var addresses: [IPAddress]
  /// Whether it uses its node's network, so that its addresses are the node's.
  public var usesHostNetwork: Bool
  /// Whether the node has told its addresses, or has taken them back.
  public var hasToldAddresses: Bool
  /// Whether it was put out and its addresses are free, although it is still listed.
  public var isEvicted: Bool

  public init(
    namespace: String, name: String, node: String = "", addresses: [IPAddress] = [], usesHostNetwork: Bool = false,
    hasToldAddresses: Bool = true, isEvicted: Bool = false
  ) {
    self.namespace = namespace
    self.name = name
    self.node = node
    self.addresses = addresses
    self.usesHostNetwork = usesHostNetwork
    self.hasToldAddresses = hasToldAddresses
    self.isEvicted = isEvicted
  }

  /// The name of its workload endpoint: `node--1-k8s-web--0-eth0`.
  public var endpointName: String {
    "\(Self.doublingDashes(node))-k8s-\(Self.doublingDashes(name))-eth0"
  }

  private static func doublingDashes(_ text: String) -> String {
    var doubled = ""
    for character in text.unicodeScalars {
      doubled.unicodeScalars.append(character)
      if character == "-" { doubled += "-" }
    }
    return doubled
  }
}

extension PodUse {
  /// Reads a pod, whole or as an item of a list.
  init(from reader: inout JSONReader) throws(JSONError) {
    self.init(namespace: "", name: "")
    var told: [IPAddress] = []
    var phase = ""
    var reason = ""
    try reader.beginObject()
    while let key = try reader.nextKey() {
      if key.is("metadata") {
        try readMetadata(&reader)
      } else if key.is("spec") {
        try Self.members(&reader) { (key, reader) throws(JSONError) in
          if key.is("nodeName") {
            node = try reader.readNull() ? "" : try reader.readString()
          } else if key.is("hostNetwork") {
            usesHostNetwork = try reader.readNull() ? false : try reader.readBool()
          } else {
            try reader.skipValue()
          }
        }
      } else if key.is("status") {
        try Self.members(&reader) { (key, reader) throws(JSONError) in
          if key.is("phase") {
            phase = try reader.readNull() ? "" : try reader.readString()
          } else if key.is("reason") {
            reason = try reader.readNull() ? "" : try reader.readString()
          } else if key.is("podIP") {
            if !(try reader.readNull()) { told += Self.addresses(try reader.readString()) }
          } else if key.is("podIPs") {
            told += try Self.addresses(from: &reader)
          } else {
            try reader.skipValue()
          }
        }
      } else {
        try reader.skipValue()
      }
    }
    hasToldAddresses = !told.isEmpty
    isEvicted = phase == "Failed" && reason == "Evicted"
    for address in told where !addresses.contains(address) { addresses.append(address) }
  }

  private mutating func readMetadata(_ reader: inout JSONReader) throws(JSONError) {
    try Self.members(&reader) { (key, reader) throws(JSONError) in
      if key.is("name") {
        name = try reader.readString()
      } else if key.is("namespace") {
        namespace = try reader.readString()
      } else if key.is("annotations") {
        try Self.members(&reader) { (key, reader) throws(JSONError) in
          if key.is("cni.projectcalico.org/podIP") || key.is("cni.projectcalico.org/podIPs") {
            note(Self.addresses(try reader.readString()))
          } else if key.is("k8s.v1.cni.cncf.io/network-status") {
            note(Self.furtherAddresses(try reader.readString()))
          } else {
            try reader.skipValue()
          }
        }
      } else {
        try reader.skipValue()
      }
    }
  }

  private mutating func note(_ found: [IPAddress]) {
    for address in found where !addresses.contains(address) { addresses.append(address) }
  }

  private static func members(
    _ reader: inout JSONReader, _ body: (JSONText, inout JSONReader) throws(JSONError) -> Void
  ) throws(JSONError) {
    if try reader.readNull() { return }
    try reader.beginObject()
    while let key = try reader.nextKey() { try body(key, &reader) }
  }

  /// The addresses of `10.65.0.2/32,fd00::2/128`; what is none is passed over.
  private static func addresses(_ text: String) -> [IPAddress] {
    text.split(separator: ",").compactMap { part in
      let trimmed = part.filter { $0 != " " }
      return CIDR(trimmed)?.address ?? IPAddress(trimmed)
    }
  }

  /// The `ip` of each element.
  private static func addresses(from reader: inout JSONReader) throws(JSONError) -> [IPAddress] {
    var found: [IPAddress] = []
    if try reader.readNull() { return found }
    try reader.beginArray()
    while try reader.nextElement() {
      try members(&reader) { (key, reader) throws(JSONError) in
        if key.is("ip") { found += addresses(try reader.readString()) } else { try reader.skipValue() }
      }
    }
    return found
  }

  /// The addresses of all networks that a pod is in, as Multus notes them: a document in a text.
  private static func furtherAddresses(_ text: String) -> [IPAddress] {
    // What is no such document says nothing, and the node's word remains.
    guard let networks = (try? JSON(parsing: Array(text.utf8)))?.arrayValue else { return [] }
    return networks.flatMap { network in
      (network.objectValue?["ips"]?.arrayValue ?? []).compactMap { $0.stringValue.flatMap { IPAddress($0) } }
    }
  }
}
