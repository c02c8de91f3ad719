import CalicoModel
import JSON
import TestSupport
import Testing

/// A scenario, as one program recorded it, on one store.
struct VectorCase: Sendable, CustomTestStringConvertible {
  var version: Recording.Version
  var name: String
  var store: StoreKind

  var testDescription: String { "\(version.rawValue)/\(name) on \(store.rawValue)" }

  static func all(
    _ versions: [Recording.Version], on stores: [StoreKind] = StoreKind.embedded
  ) -> [VectorCase] {
    versions.flatMap { version in
      Recording.names.flatMap { name in
        stores.map { VectorCase(version: version, name: name, store: $0) }
      }
    }
  }
}

@Suite("Recorded scenarios")
struct VectorTests {
  @Test("every step, from the recorded state before it", arguments: VectorCase.all([.master, .v3_32]))
  func steps(_ vector: VectorCase) async throws {
    try await VectorRun(vector, isChain: false).run()
  }

  @Test("all steps, each from what the one before left", arguments: VectorCase.all([.master]))
  func chain(_ vector: VectorCase) async throws {
    try await VectorRun(vector, isChain: true).run()
  }
}

@Suite(
  "Recorded scenarios on a real etcd", .serialized, .enabled(if: EtcdServer.isPossible, "needs Debian's etcd-server"))
struct EtcdVectorTests {
  @Test("every step, from the recorded state before it", arguments: VectorCase.all([.master, .v3_32], on: [.etcd]))
  func steps(_ vector: VectorCase) async throws {
    try await VectorRun(vector, isChain: false).run()
  }

  @Test("all steps, each from what the one before left", arguments: VectorCase.all([.master], on: [.etcd]))
  func chain(_ vector: VectorCase) async throws {
    try await VectorRun(vector, isChain: true).run()
  }
}
