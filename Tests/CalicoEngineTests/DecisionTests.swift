import CalicoBackend
import CalicoModel
import Datastore
import IPAddressing
import Synchronization
import Testing

@testable import CalicoEngine

/// What operations say of their decisions. What each decision is about is tested where it is told, with
/// AssignmentExplanation.
@Suite("Decisions")
struct DecisionTests {
  private let calico = Cluster(.atomic)

  init() {
    calico.pool("10.0.0.0/28", blockSize: 30)
    calico.node("host-a")
  }

  private func request(_ count: Int = 1, handle: String? = "h", use: IPPool.AllowedUse = .workload) -> AutoAssignRequest
  {
    AutoAssignRequest([.init(.v4, count: count)], handleID: handle, host: "host-a", use: use, time: calico.tick())
  }

  /// The decisions of an operation that is carried out; what it comes to does not count.
  private func decisions<Op: Operation>(of operation: Op) async throws -> [Decision] {
    let recorded = Mutex<[Decision]>([])
    let runner = OperationRunner(calico.store, monotonic: { 0 }) { decisions in recorded.withLock { $0 = decisions } }
    do {
      _ = try await runner.run(operation, deadline: .distantFuture)
    } catch is EngineError {}
    return recorded.withLock { $0 }
  }

  @Test("nothing is recorded unless it is asked for")
  func unasked() async throws {
    var execution = Execution(try AutoAssign(request()))
    var step = execution.next()
    while case .read(let reads) = step {
      step = execution.resume(with: try await calico.store.read(reads, deadline: .distantFuture))
    }
    #expect(execution.decisions.isEmpty)
  }

  @Test("whether decisions are recorded changes nothing in what is read and committed", arguments: [1, 6, 40])
  func unchanged(count: Int) async throws {
    var plain = Execution(try AutoAssign(request(count)))
    var traced = Execution(plain.operation, recordsDecisions: true)
    var (plainStep, tracedStep) = (plain.next(), traced.next())
    while true {
      switch (plainStep, tracedStep) {
      case (.read(let reads), .read(let others)):
        #expect(reads == others)
        let results = try await calico.store.read(reads, deadline: .distantFuture)
        (plainStep, tracedStep) = (plain.resume(with: results), traced.resume(with: results))
      case (.commit(let plan), .commit(let other)):
        #expect(plan == other)
        let outcome = try await calico.store.commit(plan, deadline: .distantFuture)
        (plainStep, tracedStep) = (plain.resume(with: outcome), traced.resume(with: outcome))
      case (.done(let result), .done(let other)):
        #expect(result.families == other.families)
        return
      default:
        Issue.record("one goes on and the other does not")
        return
      }
    }
  }

  @Test("each is recorded once, however often the operation is planned")
  func once() async throws {
    _ = try await calico.assign(v4: 4, handle: "a")
    let decisions = try await decisions(of: AutoAssign(request(2)))
    #expect(Set(decisions).count == decisions.count)
    let pool = ConsideredPool(try #require(try pools().first), for: .v4)
    #expect(decisions.first == .pool(pool, nil))
    #expect(decisions.contains { if case .block(_, .ownIsFull, let tally?) = $0 { tally.inUse == 4 } else { false } })
    #expect(decisions.contains { if case .gives(let given, _, .new) = $0 { given.count == 2 } else { false } })
  }

  private func pools() throws -> [IPPool] {
    try calico.store.dump().compactMap { path, bytes in
      guard case .resource(.ipPool, let name) = KeyPath.key(of: path) else { return nil }
      return try IPPool(decoding: bytes, name: name)
    }
  }

  @Test("what a host keeps of each block may leave a pool without room")
  func reservation() async throws {
    var request = request()
    request.families[0].reservation = HostReservation(startOfBlock: 3, endOfBlock: 1, handleID: "w", note: "")
    let decisions = try await decisions(of: AutoAssign(request))
    let pool = ConsideredPool(try #require(try pools().first), for: .v4)
    #expect(decisions == [.pool(pool, .blocksTooSmall(maximum: 29))])
  }

  @Test("what was found full a moment ago is not searched, and that is a decision")
  func memory() async throws {
    _ = try await calico.assign(v4: 16, handle: "a")
    let full = try await calico.run(try AutoAssign(request()))
    var again = request()
    again.families[0].memory = try #require(full.memories[.v4])
    #expect(try await decisions(of: AutoAssign(again)).contains(.remembersFullPools(.v4)))
  }

  @Test("a handle that may have no more gets what it has")
  func handles() async throws {
    let address = try #require(try await calico.assign(v4: 1, handle: "h").v4.first)
    var request = request()
    request.maxPerHandle = 1
    let decisions = try await decisions(of: AutoAssign(request))
    #expect(decisions.contains(.handleIsFull("h", .v4, count: 1, limit: 1)))
    #expect(decisions.last == .gives([address], of: try calico.block(of: address).cidr, .reused))
    var named = AssignAddress.Request("10.0.0.15", handleID: "h", host: "host-a", use: .workload, time: calico.tick())
    named.maxPerHandle = 1
    #expect(try await self.decisions(of: AssignAddress(named)).contains(.handleIsFull("h", .v4, count: 1, limit: 1)))
  }

  @Test("a tally counts every address of a block once")
  func tally() async throws {
    calico.configuration.cooldownSeconds = 60
    let held = try await calico.assign(v4: 3, handle: "h").v4
    _ = try await calico.release([held[0]])
    let reserved = ReservedAddresses([CIDR(host: try calico.block(of: held[0]).cidr.last)])
    let tally = BlockTally(try calico.block(of: held[0]), reserved: reserved, cooldown: 60)
    #expect([tally.inUse, tally.cooling, tally.reserved, tally.free] == [2, 1, 1, 0])
    #expect(tally.size == 4)
    #expect(tally.owner == "host:host-a")
    #expect(tally.nextFree == calico.now.truncated.advanced(bySeconds: 60))
  }
}
