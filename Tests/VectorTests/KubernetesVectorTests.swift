import TestSupport
import Testing

@Suite(
  "Recorded scenarios on Kubernetes", .serialized,
  .enabled(if: KubernetesServer.isAtHand, "\(KubernetesServer.absence)"),
  .enabled(if: KubernetesRecording.isAtHand, "the recordings on Kubernetes are not at hand"))
struct KubernetesVectorTests {
  struct Case: Sendable, CustomTestStringConvertible {
    var version: Recording.Version
    var name: String

    var testDescription: String { "\(version.rawValue)/\(name)" }

    static let all = Recording.Version.allCases.flatMap { version in
      KubernetesRecording.names(version).map { Case(version: version, name: $0) }
    }
  }

  private static let cluster = Result { try KubernetesCluster() }

  @Test("every step, from the recorded objects before it", arguments: Case.all)
  func steps(_ vector: Case) async throws {
    try await KubernetesVectorRun(vector.version, vector.name, try Self.cluster.get()).run()
  }
}
