import TestSupport
import Testing

@Suite("The API server of the tests", .enabled(if: KubernetesServer.isAtHand, "\(KubernetesServer.absence)"))
struct KubernetesServerTests {
  @Test("It serves Calico's kinds once their definitions are loaded")
  func servesDefinitions() throws {
    let server = try KubernetesServer.shared
    let answer = try server.request("GET", "/apis/crd.projectcalico.org/v1/ipamblocks")
    #expect(answer.status == 200)
    #expect(answer.body.contains("IPAMBlockList"))
  }

  @Test("It knows who asks")
  func refusesStrangers() throws {
    let server = try KubernetesServer(arguments: ["--authorization-mode", "RBAC"])
    #expect(try server.request("GET", "/api/v1/nodes").status == 200)
    server.stop()
    #expect(throws: SetupFailure.self) { try server.request("GET", "/api/v1/nodes") }
  }
}
