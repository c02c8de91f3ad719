import CalicoModel
import IPAddressing
import JSON

// Nodes (Calico IPAM specification, section 4.4): Kubernetes' own, with Calico's members in annotations.

extension EntryForm {
  /// Where Calico's members of a node are: the way to the member, and the annotation.
  static let nodeMembers: [(path: [String], annotation: String)] = [
    (["bgp", "ipv4Address"], "projectcalico.org/IPv4Address"),
    (["bgp", "ipv6Address"], "projectcalico.org/IPv6Address"),
    (["bgp", "ipv4IPIPTunnelAddr"], "projectcalico.org/IPv4IPIPTunnelAddr"),
    (["bgp", "asNumber"], "projectcalico.org/ASNumber"),
    (["bgp", "routeReflectorClusterID"], "projectcalico.org/RouteReflectorClusterID"),
    (["ipv4VXLANTunnelAddr"], "projectcalico.org/IPv4VXLANTunnelAddr"),
    (["ipv6VXLANTunnelAddr"], "projectcalico.org/IPv6VXLANTunnelAddr"),
    (["vxlanTunnelMACAddr"], "projectcalico.org/VXLANTunnelMACAddr"),
    (["vxlanTunnelMACAddrV6"], "projectcalico.org/VXLANTunnelMACAddrV6"),
    (["wireguard", "interfaceIPv4Address"], "projectcalico.org/IPv4WireguardInterfaceAddr"),
    (["wireguard", "interfaceIPv6Address"], "projectcalico.org/IPv6WireguardInterfaceAddr"),
  ]
  static let nodeStatusMembers: [(path: [String], annotation: String)] = [
    (["wireguardPublicKey"], "projectcalico.org/WireguardPublicKey"),
    (["wireguardPublicKeyV6"], "projectcalico.org/WireguardPublicKeyV6"),
  ]
  static let interfacesAnnotation = "projectcalico.org/Interfaces"
  /// Labels that were set through Calico.
  static let labelsAnnotation = "projectcalico.org/labels"

  func node(_ object: KubernetesObject) throws(ObjectError) -> Content {
    let metadata = object.metadata
    let specification = try JSONMembers(object.specification, at: "spec")
    let ranges = try podRanges(specification)
    var resource = Resource(.node, name: metadata.name, specification: [:])
    resource.metadata = nodeMetadata(metadata)
    var members: JSONObject = [:]
    if let addresses = try listedAddresses(object.status) { members["addresses"] = addresses }
    for (path, annotation) in Self.nodeMembers {
      guard let text = metadata.annotation(annotation), !text.isEmpty else { continue }
      members.set(Self.value(text, at: path), at: path)
    }
    if usesPodCIDR { setTunnels(&members, ranges, metadata) }
    if let text = metadata.annotation(Self.interfacesAnnotation), let list = try? JSON(parsing: Array(text.utf8)) {
      members["interfaces"] = list
    }
    members["orchRefs"] = [["nodeName": .string(metadata.name), "orchestrator": "k8s"]]
    resource.specification = members
    var status: JSONObject = [:]
    for (path, annotation) in Self.nodeStatusMembers {
      if let text = metadata.annotation(annotation), !text.isEmpty { status.set(.string(text), at: path) }
    }
    if !ranges.isEmpty { status["podCIDRs"] = .array(ranges.map { .string($0) }) }
    resource.status = status
    return Content(key: .resource(.node, metadata.name), bytes: resource.encoded())
  }

  /// Labels that Calico keeps in an annotation, under those of Kubernetes.
  private func nodeMetadata(_ metadata: ObjectMetadata) -> JSONObject {
    var labels = JSONObject()
    let written = metadata.annotation(Self.labelsAnnotation).flatMap { try? JSON(parsing: Array($0.utf8)).objectValue }
    for member in written?.members ?? [] where member.value.stringValue != nil { labels[member.key] = member.value }
    for label in metadata.labels { labels[label.key] = .string(label.value) }
    var result: JSONObject = ["name": .string(metadata.name), "uid": .string(metadata.uid)]
    result["creationTimestamp"] = metadata.creationTimestamp.map { .string($0) }
    result["deletionTimestamp"] = metadata.deletionTimestamp.map { .string($0) }
    if !labels.members.isEmpty { result["labels"] = .object(labels) }
    return result
  }

  /// `spec.podCIDRs`, or `spec.podCIDR` where an old release has written no more.
  private func podRanges(_ specification: JSONMembers) throws(ObjectError) -> [String] {
    var ranges: [String] = []
    for text in try specification.elements("podCIDRs") {
      if let range = try? JSON(parsing: text).stringValue { ranges.append(range) }
    }
    if ranges.isEmpty, let range = try specification.string("podCIDR"), !range.isEmpty { ranges = [range] }
    return ranges
  }

  private func listedAddresses(_ status: ArraySlice<UInt8>?) throws(ObjectError) -> JSON? {
    let elements = try JSONMembers(status, at: "status").elements("addresses")
    if elements.isEmpty { return nil }
    var addresses: [JSON] = []
    for element in elements {
      let members = try JSONMembers(element, at: "status.addresses")
      guard let address = try members.string("address") else { continue }
      addresses.append(["address": .string(address), "type": .string(try members.string("type") ?? "")])
    }
    return .array(addresses)
  }

  /// Where nodes have ranges of their own, tunnels have the first address of the range.
  private func setTunnels(_ members: inout JSONObject, _ ranges: [String], _ metadata: ObjectMetadata) {
    let range = ranges.lazy.compactMap { CIDR($0)?.canonical }.first { $0.address.family == .v4 }
    guard let address = range?.address.advanced(by: 1) else { return }
    members.set(.string(address.description), at: ["bgp", "ipv4IPIPTunnelAddr"])
    if metadata.annotation("projectcalico.org/WireguardPublicKey").map({ !$0.isEmpty }) ?? false {
      members.set(.string(address.description), at: ["wireguard", "interfaceIPv4Address"])
    }
  }

  private static func value(_ text: String, at path: [String]) -> JSON {
    if path.last == "asNumber", let number = UInt32(text) { return .number(JSONNumber(number)) }
    return .string(text)
  }
}

extension ObjectMetadata {
  func annotation(_ key: String) -> String? { annotations.last { $0.key == key }?.value }
}

extension JSONObject {
  /// Sets a member of a member.
  fileprivate mutating func set(_ value: JSON, at path: [String]) {
    guard let first = path.first else { return }
    if path.count == 1 {
      self[first] = value
    } else {
      var inner = self[first]?.objectValue ?? JSONObject()
      inner.set(value, at: Array(path.dropFirst()))
      self[first] = .object(inner)
    }
  }
}
