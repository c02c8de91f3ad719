import Datastore
import DatastoreContract
import DatastoreSettings
import EtcdDatastore
import TestSupport
import Testing

/// Servers that several tests use one after the other.
enum SharedServer {
  static let system = Result { try EtcdServer() }
  static let newer = Result { try EtcdServer(.newer) }

  /// A server without entries, and a store on it.
  static func emptyStore(_ server: Result<EtcdServer, any Error>) throws -> EtcdDatastore {
    let server = try server.get()
    try server.clear()
    return try EtcdDatastore(server.settings)
  }
}

extension EtcdServer {
  /// How to reach the server.
  var settings: EtcdSettings {
    var settings = EtcdSettings()
    settings.endpoints = ["http://127.0.0.1:\(port)"]
    return settings
  }
}

@Suite("An etcd cluster keeps the contract of all stores", .serialized)
struct EtcdContractTests {
  @Test(
    "every rule, with etcd 3.4", .enabled(if: EtcdServer.isPossible, "needs Debian's etcd-server"),
    arguments: DatastoreContract.rules)
  func contract(rule: DatastoreContract.Rule) async throws {
    try await DatastoreContract { try SharedServer.emptyStore(SharedServer.system) }.check(rule)
  }

  @Test(
    "every rule, with etcd 3.5", .enabled(if: EtcdServer.Program.newer.isThere, "needs etcd 3.5, named by ETCD_35"),
    arguments: DatastoreContract.rules)
  func newerContract(rule: DatastoreContract.Rule) async throws {
    try await DatastoreContract { try SharedServer.emptyStore(SharedServer.newer) }.check(rule)
  }
}
