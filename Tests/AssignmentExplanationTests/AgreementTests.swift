import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import JSON
import TestSupport
import Testing

@testable import AssignmentExplanation

/// What is said of an ADD is what a real one then comes to, on stores in which anything may have happened.
@Suite("Explanation and ADD agree")
struct AgreementTests {
  private static let nodes = ["n1", "n2", "n3"]

  @Test("on random stores, with whole and with staged commits", arguments: [true, false], 0..<120 as Range<UInt64>)
  func agree(commitsAtomically: Bool, seed: UInt64) async throws {
    var generator = SeededGenerator(seed: seed)
    let world = World(commitsAtomically: commitsAtomically)
    Self.configure(world, &generator)
    try await Self.live(world, &generator)
    let questions = (0..<3).map { _ in Self.question(&generator) }
    for question in questions {
      let before = world.store.dump()
      let explanation = try await world.explain(question)
      let answer = try await world.add(question, container: "explained")
      #expect(explanation.answer == answer, "seed \(seed): \(explanation.text)")
      let after = world.store.dump()
      let changed = Set(before.keys).union(after.keys).filter { before[$0] != after[$0] }
      #expect(changed.isSubset(of: explanation.writes.map(KeyPath.path)), "seed \(seed)")
      try Self.check(explanation, seed)
      try await world.release(handle: "k8s-pod-network.explained", ifPresent: true)
    }
  }

  /// Whatever the answer is, people are told the ground it stands on.
  private static func check(_ explanation: Explanation, _ seed: UInt64) throws {
    _ = explanation.document.encoded()
    #expect(explanation.text.hasSuffix("Nothing was taken and nothing was written.\n"))
    if explanation.isAssigned {
      #expect(explanation.remedies.isEmpty)
      for address in explanation.addresses {
        let block = try #require(address.block, "seed \(seed)")
        #expect(block.contains(address.address.address), "seed \(seed)")
        #expect(address.pool != nil, "seed \(seed): \(explanation.text)")
        #expect(explanation.blocks.contains { $0.block == block }, "seed \(seed): \(explanation.text)")
      }
    } else {
      #expect(!explanation.remedies.isEmpty, "seed \(seed): \(explanation.text)")
    }
  }

  // MARK: - Random stores

  private static func configure(_ world: World, _ generator: inout SeededGenerator) {
    func chance(_ percent: Int) -> Bool { Int.random(in: 0..<100, using: &generator) < percent }
    for node in nodes where chance(95) { world.node(node, chance(50) ? #""zone":"a""# : "") }
    for number in 0..<4 {
      var more = ""
      if chance(10) { more += #","disabled":true"# }
      if chance(10) { more += #","assignmentMode":"Manual""# }
      if chance(20) { more += #","nodeSelector":"zone == 'a'""# }
      if chance(5) { more += #","namespaceSelector":"has(team)""# }
      if chance(10) { more += #","allowedUses":["Tunnel"]"# }
      let isV6 = number == 3
      let size = Int.random(in: 27...29, using: &generator)
      let cidr = isV6 ? "fd00::/\(size + 96)" : "10.\(number).0.0/\(size)"
      if chance(75) { world.pool("p\(number)", cidr, blockSize: isV6 ? 126 : 30, more) }
    }
    var configuration = IPAMConfiguration()
    configuration.strictAffinity = chance(30)
    configuration.autoAllocateBlocks = chance(90) || !configuration.strictAffinity
    if configuration.strictAffinity, chance(50) { configuration.maxBlocksPerHost = 1 }
    if chance(30) { configuration.cooldownSeconds = 30 }
    if chance(80) { world.configuration = configuration }
    if chance(30) { world.reserve("10.0.0.0/30", "10.1.0.1", "10.2.0.6/31") }
  }

  /// Pods come and go, blocks are claimed, and now and then something is cut off.
  private static func live(_ world: World, _ generator: inout SeededGenerator) async throws {
    for step in 0..<Int.random(in: 0..<25, using: &generator) {
      let node = nodes.randomElement(using: &generator) ?? "n1"
      let handle = "h\(Int.random(in: 0..<6, using: &generator))"
      let block = CIDR("10.\(step % 3).0.\(4 * Int.random(in: 0..<4, using: &generator))/30")
      switch Int.random(in: 0..<10, using: &generator) {
      case 0...4: _ = try? await world.take(Int.random(in: 1...9, using: &generator), handle: handle, host: node)
      case 5: try await world.release(handle: handle, ifPresent: true)
      case 6:
        if let block { _ = try? await world.run(ClaimAffinity(block, for: BlockOwner(.host, node), time: world.now)) }
      case 7:
        guard let block else { continue }
        world.put(chance(50, &generator) ? nil : Array(pending), .affinity(BlockOwner(.host, node), block))
      case 8: world.now = world.now.advanced(bySeconds: Int64.random(in: 1...90, using: &generator))
      default:
        let address = IPAddress("10.\(step % 3).0.\(Int.random(in: 0..<20, using: &generator))")
        if let address { try? await world.take(address, handle: handle, host: node) }
      }
    }
  }

  private static let pending = #"{"state":"pending","deleted":false}"#.utf8

  private static func chance(_ percent: Int, _ generator: inout SeededGenerator) -> Bool {
    Int.random(in: 0..<100, using: &generator) < percent
  }

  private static func question(_ generator: inout SeededGenerator) -> AssignmentQuestion {
    var question = AssignmentQuestion(node: nodes.randomElement(using: &generator) ?? "n1")
    var wanted = #""type":"calico-ipam""#
    if chance(30, &generator) { wanted += #","assign_ipv6":"true""# }
    if chance(10, &generator) { wanted += #","assign_ipv4":"false""# }
    if chance(20, &generator) { wanted += #","ipv4_pools":["p1","p0"]"# }
    if chance(20, &generator) {
      question.addresses = [IPAddress("10.0.0.\(Int.random(in: 0..<34, using: &generator))")].compactMap(\.self)
    }
    question.networkConfiguration = Array(
      #"{"name":"k8s-pod-network","cniVersion":"1.0.0","ipam":{\#(wanted)}}"#.utf8)
    return question
  }
}

extension World {
  /// Releases what a handle has, if there is such a handle.
  func release(handle: String, ifPresent: Bool) async throws {
    do {
      try await release(handle: handle)
    } catch let error as EngineError where ifPresent && error.code == .doesNotExist {
      return
    }
  }
}
