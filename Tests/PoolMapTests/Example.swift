import CalicoModel
import IPAddressing
import JSON
import Testing

@testable import PoolMap

/// Pools and blocks as they are stored, made by the operations that calico-ipam makes them with.
enum Example {
  /// 2026-08-14T09:12:33Z
  static let time = Timestamp(seconds: 1_786_698_753)

  static func cidr(_ text: String) throws -> CIDR { try #require(CIDR(text)) }

  static func addresses(_ texts: [String]) throws -> AddressSet { AddressSet(try texts.map { try cidr($0) }) }

  static func pool(_ cidr: String, _ blockSize: Int, name: String = "pool", more: String = "") throws -> IPPool {
    let quoted = String(decoding: JSON.string(name).encoded(), as: UTF8.self)
    let text = #"""
      {"kind":"IPPool","metadata":{"name":\#(quoted)},\#
      "spec":{"cidr":"\#(cidr)","blockSize":\#(blockSize),"nodeSelector":"all()"\#(more)}}
      """#
    return try IPPool(decoding: Array(text.utf8), name: name)
  }

  /// What is recorded of a pod.
  static func pod(_ name: String, on node: String?) -> AllocationAttribute {
    var owner = ["namespace": "default", "pod": name]
    owner["node"] = node
    return AllocationAttribute(handleID: "k8s-pod-network." + name, owner: owner)
  }

  /// A block whose first addresses are these pods', on the block's node or on those that are named, and whose next ones
  /// cool down.
  static func block(
    _ cidr: String, _ owner: String?, pods: Int = 0, borrowedBy borrowers: [String?] = [], cooling: Int = 0
  ) throws -> IPAMBlock {
    var block = IPAMBlock(cidr: try Self.cidr(cidr), owner: BlockOwner(.host, owner ?? "gone"), time: time)
    for number in 0..<pods {
      #expect(block.assign(1, attribute: pod("web-7d9f8b6c5-\(number)", on: owner ?? "gone")).count == 1)
    }
    for (number, node) in borrowers.enumerated() {
      #expect(block.assign(1, attribute: pod("api-\(number)", on: node)).count == 1)
    }
    let released = block.assign(cooling, attribute: AllocationAttribute(handleID: "released"))
    block.release(released, time: time, cooldown: 600, renumbers: true)
    if owner == nil { block.affinity = nil }
    return block
  }

  static func map(
    _ pool: IPPool, part: String? = nil, _ blocks: [IPAMBlock], reserved: [String] = [],
    limit: Int = MapScale.standardLimit
  ) throws -> MappedPool {
    let reserved = try addresses(reserved)
    let blocks = blocks.map { MappedBlock($0, reserved: reserved) }
    let part = try part.map { try cidr($0) }
    return try #require(MappedPool(pool, part: part, blocks: blocks, reserved: reserved, limit: limit))
  }

  /// A /26 in blocks of eight addresses, with every use in it.
  static func small() throws -> MappedPool {
    try map(
      pool("10.65.0.0/26", 29, name: "lan"),
      [
        block("10.65.0.0/29", "node-1", pods: 5),
        block("10.65.0.8/29", "node-2", pods: 6, borrowedBy: ["node-1", "node-3"]),
        block("10.65.0.24/29", "node-3"), block("10.65.0.32/29", "node-1", pods: 2, cooling: 2),
      ],
      reserved: ["10.65.0.60/30"])
  }

  /// A /20 with 64 blocks, for the picture of the documentation.
  static func picture() throws -> MappedPool {
    var blocks: [IPAMBlock] = []
    for index in 0..<44 where ![9, 23, 30, 31, 39].contains(index) {
      let node = "node-\(index % 12 + 1)"
      let cidr = "10.65.\(index / 4).\(index % 4 * 64)/26"
      switch index {
      case 12, 27, 37: blocks.append(try block(cidr, node))
      case 18, 33: blocks.append(try block(cidr, node, cooling: 6))
      case 5, 14, 40: blocks.append(try block(cidr, node, pods: 44 - index, borrowedBy: ["node-20", "node-21"]))
      default: blocks.append(try block(cidr, node, pods: min(64, (index * 29 + 21) % 90)))
      }
    }
    return try map(pool("10.65.0.0/20", 26, name: "default-ipv4-ippool"), blocks, reserved: ["10.65.15.0/24"])
  }

  /// A /16 of which every address is a pod's. The blocks are not made address by address, which takes long.
  static func full() throws -> MappedPool {
    let letters = Array("bcdfghjklmnpqrstvwxz2456789")
    let blocks = try (0..<1024).map { index in
      let node = "node-\(index % 80)"
      let holders = (0..<64).map { ordinal in
        var number = (index * 64 + ordinal) &* 2_654_435_761
        var name = "default/web-7d9f8b6c5-"
        for _ in 0..<5 {
          name.append(letters[number % letters.count])
          number /= letters.count
        }
        return AddressHolder(node: node, name: name)
      }
      let cidr = try cidr("10.65.\(index / 4).\(index % 4 * 64)/26")
      let uses = [AddressUse](repeating: .used, count: 64)
      return MappedBlock(cidr, .stored, owner: node, uses: uses, holders: holders)
    }
    return try #require(MappedPool(pool("10.65.0.0/16", 26), blocks: blocks, reserved: AddressSet()))
  }
}
