import EtcdDatastore
import ModelChecker
import TestSupport
import Testing

/// A sample of what `replay-model` runs at length.
@Suite("Histories of the model checker on a real cluster", .serialized)
struct HistoryTests {
  @Test(
    "etcd decides every commit as the model does, and holds the same at the end",
    .enabled(if: EtcdServer.isPossible, "needs Debian's etcd-server"))
  func agrees() async throws {
    let server = try EtcdServer()
    let store = try EtcdDatastore(server.settings)
    var replay = try await Replay(on: store)
    for seed in 1...200 as ClosedRange<UInt64> {
      try await replay.run(try Recording(seed: seed, operations: 10))
    }
    #expect(replay.commits > 6_000)
    #expect(replay.conflicts > 200)
    #expect(store.statistics.connections == 1)
  }
}
