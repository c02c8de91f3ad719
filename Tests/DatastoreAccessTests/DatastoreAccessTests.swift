import CalicoModel
import Datastore
import DatastoreSettings
import Foundation
import SQLiteDatastore
import Testing

@testable import DatastoreAccess

@Suite("Datastores are opened as settings say")
struct DatastoreAccessTests {
  private func etcd(_ change: (inout EtcdSettings) -> Void) -> DatastoreSettings {
    var settings = DatastoreSettings(.etcd)
    change(&settings.etcd)
    return settings
  }

  private func kubernetes(_ change: (inout KubernetesSettings) -> Void) -> DatastoreSettings {
    var settings = DatastoreSettings(.kubernetes)
    change(&settings.kubernetes)
    return settings
  }

  @Test("each has a name that an operator recognizes")
  func names() {
    #expect(DatastoreSettings(.sqlite, databaseFile: "/d.db").datastoreName == "/d.db")
    #expect(etcd { $0.endpoints = ["http://a:1", "b:2"] }.datastoreName == "etcd at http://a:1, b:2")
    #expect(etcd { $0.discoveryDomain = "example.org" }.datastoreName == "etcd of the domain example.org")
    #expect(DatastoreSettings(.etcd).datastoreName == "etcd without endpoints")
    #expect(kubernetes { $0.server = "https://k" }.datastoreName == "Kubernetes API server https://k")
    let configured = kubernetes {
      $0.kubeconfig = "/k"
      $0.context = "test"
    }
    #expect(configured.datastoreName == "Kubernetes API server of the kubeconfig /k (context test)")
    let inline = kubernetes { $0.kubeconfigText = "x" }
    #expect(inline.datastoreName == "Kubernetes API server of the kubeconfig in the settings")
    #expect(
      DatastoreSettings(.kubernetes).datastoreName == "Kubernetes API server of this pod's service account")
  }

  @Test("the embedded one is opened without touching its file, and refuses writes when it is only read")
  func embedded() async throws {
    let path = NSTemporaryDirectory() + "datastore-access-" + UUID().uuidString
    defer { try? FileManager.default.removeItem(atPath: path) }
    let settings = DatastoreSettings(.sqlite, databaseFile: path + "/ipam.db")
    let reader = try OpenedDatastore(settings, access: .readOnly)
    #expect(reader.engine == .sqlite)
    #expect(reader.embedded?.path == path + "/ipam.db")
    #expect(!FileManager.default.fileExists(atPath: path))
    let plan = Plan([Change(.handle("h"), base: .absent, final: .value(.handle(IPAMHandle())))])
    let error = await #expect(throws: DatastoreError.self) {
      try await reader.store.commit(plan, deadline: .distantFuture)
    }
    #expect(error?.code == .forbidden)
    let writer = try OpenedDatastore(settings)
    guard case .applied = try await writer.store.commit(plan, deadline: .distantFuture) else {
      Issue.record("the entry was not written")
      return
    }
  }

  @Test("settings that cannot be used are refused before anything is asked")
  func refusals() {
    #expect(throws: DatastoreError.self) { try OpenedDatastore(DatastoreSettings(.etcd)) }
    let missing = kubernetes { $0.kubeconfig = "/nonexistent/kubeconfig" }
    #expect(throws: DatastoreError.self) { try OpenedDatastore(missing) }
  }

  @Test("the first variable of a name counts, and what is no variable does not")
  func environment() {
    let bytes = Array("A=1\0B=x=y\0A=2\0C\0D=\0".utf8)
    #expect(ProcessEnvironment.variables(in: bytes) == ["A": "1", "B": "x=y", "D": ""])
    #expect(ProcessEnvironment.variables["PATH"]?.isEmpty == false)
  }
}
