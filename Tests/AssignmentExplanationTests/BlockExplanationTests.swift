import CalicoModel
import IPAddressing
import Testing

@testable import AssignmentExplanation
@testable import CalicoEngine

@Suite("What becomes of blocks, and why there is no address")
struct BlockExplanationTests {
  private let world = World()

  init() {
    for node in ["n1", "n2"] { world.node(node) }
    world.pool("p", "10.0.0.0/29", blockSize: 30)
  }

  /// Claims blocks for a node, the first block first.
  private func claim(_ cidr: CIDR, _ node: String) async throws {
    _ = try await world.run(ClaimAffinity(cidr, for: BlockOwner(.host, node), time: world.now))
  }

  @Test("a new node would claim a block, and take its first address")
  func claims() async throws {
    let explanation = try await world.explain()
    let address = try #require(explanation.addresses.first)
    let block = try #require(address.block)
    #expect(explanation.answer == "\(block.address)/30")
    #expect(address.source == .new)
    #expect(explanation.fates(block) == [.claims(pool: "p")])
    #expect(explanation.writes.contains(.block(block)))
    #expect(explanation.writes.contains(.handle("k8s-pod-network.explained")))
    #expect(explanation.text.contains("is from block \(block) of pool p, which n1 would claim for it"))
  }

  @Test("a block of the node is told with what is free, in use, cooling down and reserved")
  func own() async throws {
    world.configuration.cooldownSeconds = 60
    try await claim("10.0.0.0/30", "n1")
    try await world.take("10.0.0.0", handle: "a", host: "n1")
    try await world.take("10.0.0.1", handle: "b", host: "n1")
    try await world.release(handle: "b")
    world.reserve("10.0.0.2/32")
    let explanation = try await world.explain()
    #expect(explanation.answer == "10.0.0.3/30")
    let tally = try #require(explanation.tally("10.0.0.0/30"))
    #expect([tally.free, tally.inUse, tally.cooling, tally.reserved] == [1, 1, 1, 1])
    #expect(tally.owner == "host:n1")
    #expect(tally.nextFree == world.now.truncated.advanced(bySeconds: 60))
    #expect(explanation.fates("10.0.0.0/30") == [.own])
    #expect(explanation.text.contains("1 of 4 free, 1 in use, 1 cooling down, 1 reserved"))
    #expect(explanation.text.hasPrefix("A new pod on node n1 would get 10.0.0.3.\n"))
  }

  @Test("a full block is passed over for a new one")
  func full() async throws {
    try await claim("10.0.0.0/30", "n1")
    try await world.take(4, handle: "a", host: "n1")
    let explanation = try await world.explain()
    #expect(explanation.answer == "10.0.0.4/30")
    #expect(explanation.fates("10.0.0.0/30") == [.ownIsFull])
    #expect(
      explanation.decisions.contains(
        .blockLimit(BlockLimit(family: .v4, owned: 1, limit: 20, isConfigured: false))))
  }

  @Test("where there is no new block, an address is borrowed")
  func borrows() async throws {
    try await claim("10.0.0.0/29", "n2")
    try await world.take("10.0.0.5", handle: "a", host: "n2")
    try await world.take("10.0.0.1", handle: "a", host: "n2")
    let explanation = try await world.explain()
    #expect(explanation.addresses.first?.source == .borrowed(owner: "host:n2"))
    #expect(explanation.decisions.contains { if case .everyBlockExists = $0 { true } else { false } })
    #expect(explanation.text.contains("is borrowed from block"))
    #expect(explanation.text.contains("lends 10.0.0."))
  }

  @Test("strict affinity forbids to borrow, and what others have free is told")
  func strict() async throws {
    world.configuration.strictAffinity = true
    try await claim("10.0.0.0/29", "n2")
    for address in ["10.0.0.1", "10.0.0.5"] as [IPAddress] {
      try await world.take(address, handle: "a", host: "n2")
    }
    let explanation = try await world.explain()
    #expect(explanation.answer.contains("No more free affine blocks and strict affinity enabled"))
    #expect(explanation.decisions.contains(.borrowingIsOff(.v4)))
    #expect(
      explanation.remedies.first?.text == "let nodes borrow from blocks of others, which have 6 free addresses")
    #expect(explanation.commands.first == "ipamctl ipam configure --strictaffinity=false")
    #expect(explanation.text.contains("no block of another owner is borrowed from: strictAffinity is true"))
  }

  @Test("a node that has all blocks it may have claims no other")
  func limit() async throws {
    world.configuration.maxBlocksPerHost = 1
    try await claim("10.0.0.0/30", "n1")
    try await world.take(4, handle: "a", host: "n1")
    let explanation = try await world.explain()
    #expect(explanation.answer == "cannot allocate new block due to per host block limit")
    #expect(
      explanation.decisions.contains(
        .blockLimit(BlockLimit(family: .v4, owned: 1, limit: 1, isConfigured: true))))
    #expect(explanation.commands.first == "ipamctl ipam configure --max-blocks-per-host=2")
    #expect(explanation.text.contains("n1 has 1 IPv4 blocks in these pools, which is all it may have"))
  }

  @Test("the default limit can be raised only with strict affinity")
  func defaultLimit() async throws {
    world.pool("p", "10.0.0.0/24", blockSize: 30)
    try await claim("10.0.0.0/26", "n1")
    try await claim("10.0.0.64/28", "n1")
    try await world.take(80, handle: "a", host: "n1")
    let explanation = try await world.explain()
    #expect(
      explanation.decisions.contains(
        .blockLimit(BlockLimit(family: .v4, owned: 20, limit: 20, isConfigured: false))))
    #expect(explanation.commands.first == "ipamctl ipam configure --strictaffinity=true --max-blocks-per-host=40")
  }

  @Test("no block is claimed where that is off")
  func claimsOff() async throws {
    world.configuration.strictAffinity = true
    world.configuration.autoAllocateBlocks = false
    let explanation = try await world.explain()
    #expect(explanation.answer == "failed to find or claim a block")
    #expect(explanation.decisions.contains(.claimsAreOff(.v4)))
    #expect(explanation.remedies.first?.text.contains("autoAllocateBlocks") == true)
  }

  @Test("a full pool, of which some addresses cool down and some are reserved")
  func exhausted() async throws {
    world.configuration.cooldownSeconds = 30
    try await claim("10.0.0.0/29", "n2")
    try await world.take(8, handle: "a", host: "n2")
    #expect(try await world.explain().remedies.first?.command == "ipamctl ipam check --show-problem-ips")
    _ = try await world.run(ReleaseAddresses([ReleaseOption("10.0.0.3")], time: world.now))
    let waiting = try await world.explain()
    #expect(waiting.answer.contains("No IPs available in pools: [10.0.0.0/29]"))
    #expect(
      waiting.remedies.first?.text == "wait: 1 address cools down, the first until 2026-08-14T09:13:03Z (31 s)")
    world.now = world.now.advanced(bySeconds: 40)
    #expect(try await world.explain().answer == "10.0.0.3/30")
    world.reserve("10.0.0.3")
    let reserved = try await world.explain()
    #expect(!reserved.isAssigned)
    #expect(reserved.remedies.contains { $0.text == "give up reservations, which keep 1 free address" })
  }

  @Test("a block that is reserved as a whole is not used, whoever has it")
  func reservedBlock() async throws {
    try await claim("10.0.0.0/30", "n1")
    world.reserve("10.0.0.0/30")
    let explanation = try await world.explain()
    #expect(explanation.fates("10.0.0.0/30") == [.reserved])
    #expect(explanation.answer == "10.0.0.4/30")
  }

  @Test("an empty block of somebody else is taken over, unless it is a minute young")
  func reclaims() async throws {
    try await claim("10.0.0.0/29", "n2")
    let young = try await world.explain()
    #expect(young.addresses.first?.source == .borrowed(owner: "host:n2"))
    #expect(young.fates("10.0.0.0/30").contains { if case .tooYoung = $0 { true } else { false } })
    world.configuration.strictAffinity = true
    let strict = try await world.explain()
    #expect(strict.remedies.contains { $0.text.contains("then an empty block can be taken over") })
    world.now = world.now.advanced(bySeconds: 61)
    let old = try await world.explain()
    let block = try #require(old.addresses.first?.block)
    #expect(old.addresses.first?.source == .new)
    #expect(old.fates(block) == [.others, .reclaims, .claims(pool: "p")])
    #expect(old.text.contains("empty: would be taken over; new: would be claimed from pool p; gives"))
  }

  @Test("an empty block whose owner's claim is gone cannot be taken over")
  func unreclaimable() async throws {
    try await claim("10.0.0.0/29", "n2")
    for block in ["10.0.0.0/30", "10.0.0.4/30"] as [CIDR] {
      world.put(nil, .affinity(BlockOwner(.host, "n2"), block))
    }
    world.now = world.now.advanced(bySeconds: 61)
    let explanation = try await world.explain()
    #expect(explanation.fates("10.0.0.0/30").contains(.unreclaimable))
    #expect(explanation.addresses.first?.source == .borrowed(owner: "host:n2"))
  }

  @Test("claims that were cut off are finished, adopted or dropped")
  func claimsCutOff() async throws {
    let owner = BlockOwner(.host, "n1")
    world.put(BlockAffinity(.pending).encoded(), .affinity(owner, "10.0.0.4/30"))
    let completed = try await world.explain()
    #expect(completed.fates("10.0.0.4/30") == [.completesClaim])
    #expect(completed.answer == "10.0.0.4/30")
    try await claim("10.0.0.4/30", "n1")
    world.put(BlockAffinity(.pending).encoded(), .affinity(owner, "10.0.0.4/30"))
    let confirmed = try await world.explain()
    #expect(confirmed.fates("10.0.0.4/30") == [.confirms(.pending)])
    #expect(confirmed.text.contains("its claim, which is pending, would be confirmed"))
    try await claim("10.0.0.0/30", "n2")
    world.put(nil, .affinity(owner, "10.0.0.4/30"))
    let adopted = try await world.explain()
    #expect(adopted.fates("10.0.0.4/30").contains(.adopts))
    world.put(BlockAffinity(.pending).encoded(), .affinity(owner, "10.0.0.0/30"))
    let dropped = try await world.explain()
    #expect(dropped.fates("10.0.0.0/30").first == .claimedInVain(owner: "host:n2"))
  }

  @Test("blocks in pools that select the node no longer are given up when nothing is in use, and else not used")
  func deselected() async throws {
    try await claim("10.0.0.0/29", "n1")
    try await world.take("10.0.0.6", handle: "a", host: "n1")
    world.pool("p", "10.0.0.0/29", blockSize: 30, #","nodeSelector":"zone == 'b'""#)
    world.pool("q", "10.1.0.0/24", blockSize: 26)
    let explanation = try await world.explain()
    #expect(explanation.fates("10.0.0.0/30") == [.deselected(isGivenUp: true)])
    #expect(explanation.fates("10.0.0.4/30") == [.deselected(isGivenUp: false)])
    #expect(explanation.addresses.first?.pool == "q")
    let other = try await world.explain { $0.pools = ["q"] }
    #expect(other.addresses.first?.pool == "q")
    world.pool("p", "10.0.0.0/29", blockSize: 30)
    #expect(try await world.explain { $0.pools = ["q"] }.fates("10.0.0.0/30") == [.outsidePools])
  }

  @Test("of two IP versions both are needed: one that could be had is withheld")
  func bothFamilies() async throws {
    let configuration =
      #"{"name":"k8s","cniVersion":"1.0.0","ipam":{"type":"calico-ipam","assign_ipv4":"true","assign_ipv6":"true"}}"#
    let missing = try await world.explain { $0.networkConfiguration = Array(configuration.utf8) }
    #expect(!missing.isAssigned)
    #expect(missing.remedies.last?.text == "create an IPv6 pool that node n1 and namespace default may use")
    world.pool("six", "fd00::/125", blockSize: 126)
    world.reserve("fd00::/125")
    let withheld = try await world.explain { $0.networkConfiguration = Array(configuration.utf8) }
    #expect(withheld.answer.contains("failed to request IPv6 addresses"))
    #expect(withheld.decisions.contains(.withholds(.v4)))
    world.reserve()
    let both = try await world.explain { $0.networkConfiguration = Array(configuration.utf8) }
    #expect(both.addresses.map(\.pool) == ["p", "six"])
  }
}
