import CalicoModel
import Datastore
import IPAddressing
import TestSupport

/// What a history begins with: pools, nodes, reservations and the configuration.
struct World: Sendable {
  struct Pool: Hashable, Sendable {
    var name: String
    var cidr: CIDR
    var blockSize: Int

    /// How many blocks the pool has.
    var blockCount: Int { 1 << (blockSize - cidr.prefixLength) }
    /// How many addresses the pool has.
    var size: Int { 1 << cidr.hostBits }

    func block(_ index: Int) -> CIDR { cidr.subnet(at: UInt128(index % blockCount), prefixLength: blockSize) ?? cidr }

    func address(_ index: Int) -> IPAddress { cidr.address.advanced(by: UInt128(index % size)) ?? cidr.address }

    /// The resource's text.
    func text(isDisabled: Bool = false, nodeSelector: String = "") -> [UInt8] {
      Array(
        """
        {"spec":{"cidr":"\(cidr)","blockSize":\(blockSize),"disabled":\(isDisabled),"nodeSelector":"\(nodeSelector)"}}
        """.utf8)
    }
  }

  /// Whether commits are made as a whole; otherwise stage by stage.
  var isAtomic: Bool
  var pools: [Pool]
  /// How many nodes there are, that of upstream included.
  var nodeCount: Int
  var configuration: IPAMConfiguration
  /// Networks or addresses that are never given out.
  var reserved: [CIDR]

  static let epoch = Timestamp(seconds: 1_700_000_000)
  static let zones = ["a", "b"]

  static func node(_ index: Int) -> String { "node-\(index)" }

  /// A world by chance.
  init(_ random: inout SeededGenerator) {
    isAtomic = Bool.random(using: &random)
    let choices = [
      ("10.0.0.0/28", 30), ("10.0.1.0/29", 30), ("10.0.2.0/29", 29), ("10.0.3.0/30", 31),
    ]
    var pools: [Pool] = []
    let first = Int.random(in: 0..<choices.count, using: &random)
    for index in 0...Int.random(in: 0...1, using: &random) {
      let (text, blockSize) = choices[(first + index) % choices.count]
      if let cidr = CIDR(text) { pools.append(Pool(name: "pool-\(index)", cidr: cidr, blockSize: blockSize)) }
    }
    if let cidr = CIDR("fd00::/125") { pools.append(Pool(name: "pool-6", cidr: cidr, blockSize: 126)) }
    self.pools = pools
    nodeCount = Int.random(in: 3...4, using: &random)
    configuration = IPAMConfiguration()
    configuration.strictAffinity = Int.random(in: 0..<3, using: &random) == 0
    configuration.cooldownSeconds = Int.random(in: 0..<3, using: &random) == 0 ? 30 : 0
    if configuration.strictAffinity, Int.random(in: 0..<3, using: &random) == 0 {
      configuration.maxBlocksPerHost = Int.random(in: 1...2, using: &random)
    }
    reserved = []
    if Int.random(in: 0..<4, using: &random) == 0 {
      let pool = pools[0]
      reserved = [Bool.random(using: &random) ? pool.block(1) : CIDR(host: pool.address(2))]
    }
  }

  /// The entries that are there from the start.
  var entries: [(Key, Value)] {
    var entries: [(Key, Value)] = [(.configuration, .configuration(configuration))]
    for pool in pools { entries.append((.resource(.ipPool, pool.name), .resource(pool.text()))) }
    for index in 0..<nodeCount {
      entries.append((.resource(.node, Self.node(index)), Self.nodeValue(zone: Self.zones[index % 2])))
    }
    if !reserved.isEmpty {
      let list = reserved.map { "\"\($0)\"" }.joined(separator: ",")
      entries.append(
        (.resource(.ipReservation, "kept"), .resource(Array("{\"spec\":{\"reservedCIDRs\":[\(list)]}}".utf8))))
    }
    return entries
  }

  static func nodeValue(zone: String) -> Value {
    .resource(Array("{\"metadata\":{\"labels\":{\"zone\":\"\(zone)\"}}}".utf8))
  }
}

extension World: CustomStringConvertible {
  var description: String {
    let pools = pools.map { "\($0.name) \($0.cidr) in /\($0.blockSize)" }.joined(separator: ", ")
    let strictness = configuration.strictAffinity ? "strict affinity" : "borrowing"
    return "\(isAtomic ? "atomic" : "stage by stage"), \(nodeCount) nodes, \(pools), \(strictness), cooldown "
      + "\(configuration.cooldownSeconds) s, at most \(configuration.maxBlocksPerHost) blocks, "
      + "reserved: \(reserved.isEmpty ? "nothing" : reserved.map(\.description).joined(separator: ", "))"
  }
}
