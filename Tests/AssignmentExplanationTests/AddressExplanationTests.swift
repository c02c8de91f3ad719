import CalicoEngine
import CalicoModel
import IPAddressing
import Testing

@testable import AssignmentExplanation

@Suite("Why an address that is asked for would be given, or not")
struct AddressExplanationTests {
  private let world = World()

  init() {
    for node in ["n1", "n2"] { world.node(node) }
    world.pool("p", "10.0.0.0/24", blockSize: 30)
  }

  private func ask(_ addresses: IPAddress..., on node: String = "n1") async throws -> Explanation {
    try await world.explain(node) { $0.addresses = addresses }
  }

  @Test("a free address is given, from a block that is made for it, the node's or somebody else's")
  func free() async throws {
    let made = try await ask("10.0.0.9")
    #expect(made.answer == "10.0.0.9/32")
    #expect(made.addresses.first?.source == .new)
    #expect(made.text.contains("10.0.0.9 (this command)"))
    try await world.take("10.0.0.8", handle: "a", host: "n1")
    #expect(try await ask("10.0.0.9").addresses.first?.source == .own)
    #expect(try await ask("10.0.0.9", on: "n2").addresses.first?.source == .borrowed(owner: "host:n1"))
  }

  @Test("a reserved address is given when it is asked for")
  func reserved() async throws {
    world.reserve("10.0.0.9")
    #expect(try await ask("10.0.0.9").isAssigned)
  }

  @Test("an address that somebody has is told with whose it is")
  func taken() async throws {
    try await world.take("10.0.0.9", handle: "web-0", host: "n2")
    let explanation = try await ask("10.0.0.9")
    #expect(explanation.answer.hasSuffix("Address already assigned in block"))
    #expect(
      explanation.remedies.map(\.text) == [
        "ask for another address: pod web/web-0 on node n2 has it; only if that is gone, release it"
      ])
    #expect(explanation.commands == ["ipamctl ipam release --ip=10.0.0.9"])
  }

  @Test("an address that cools down is told with when it is free")
  func cooling() async throws {
    world.configuration.cooldownSeconds = 60
    try await world.take("10.0.0.9", handle: "a", host: "n1")
    try await world.release(handle: "a")
    let explanation = try await ask("10.0.0.9")
    #expect(
      explanation.remedies.map(\.text) == [
        "wait: 10.0.0.9 was released at 2026-08-14T09:12:33Z and cools down, at least until 2026-08-14T09:13:33Z"
      ])
  }

  @Test("strict affinity keeps a node from blocks of others")
  func strict() async throws {
    world.configuration.strictAffinity = true
    try await world.take("10.0.0.8", handle: "a", host: "n2")
    let explanation = try await ask("10.0.0.9")
    #expect(explanation.answer == "Block host affinity does not match")
    #expect(explanation.decisions.contains(.affinityForbids("10.0.0.8/30", owner: "host:n2")))
    #expect(explanation.remedies.first?.text.hasPrefix("run the pod on node n2, ") == true)
  }

  @Test("an address outside all pools, in a disabled one, and in one for other uses")
  func pools() async throws {
    world.pool("off", "10.1.0.0/24", blockSize: 26, #","disabled":true"#)
    world.pool("tunnels", "10.2.0.0/24", blockSize: 26, #","allowedUses":["Tunnel"]"#)
    let outside = try await ask("10.9.9.9")
    #expect(outside.obstacle("p") == .doesNotContain("10.9.9.9"))
    #expect(
      outside.remedies.map(\.text) == [
        "create a pool that contains 10.9.9.9, or ask for one of 10.0.0.0/24, 10.2.0.0/24"
      ])
    let disabled = try await ask("10.1.0.9")
    #expect(disabled.obstacle("off") == .unusable(.disabled))
    #expect(disabled.commands == [#"ipamctl patch ippool off -p '{"spec":{"disabled":false}}'"#])
    let unfit = try await ask("10.2.0.9")
    #expect(unfit.obstacle("tunnels") == .use(.workload, allowed: [.tunnel]))
    #expect(unfit.commands == [#"ipamctl patch ippool tunnels -p '{"spec":{"allowedUses":["Tunnel","Workload"]}}'"#])
  }

  @Test("of two addresses both are needed, and the explanation says which fails")
  func both() async throws {
    world.pool("six", "fd00::/64", blockSize: 122)
    #expect(try await ask("10.0.0.9", "fd00::9").answer == "10.0.0.9/32 fd00::9/128")
    try await world.take("fd00::9", handle: "b", host: "n2")
    let explanation = try await ask("10.0.0.9", "fd00::9")
    #expect(!explanation.isAssigned)
    #expect(explanation.commands == ["ipamctl ipam release --ip=fd00::9"])
  }
}
