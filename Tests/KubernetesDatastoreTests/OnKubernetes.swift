import TestSupport
import Testing

/// What needs a server; one after the other, because they share it.
@Suite(
  "On a Kubernetes API", .serialized, .enabled(if: KubernetesServer.isAtHand, "\(KubernetesServer.absence)"))
enum OnKubernetes {}
