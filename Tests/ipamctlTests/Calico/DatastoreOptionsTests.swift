import ArgumentParser
import CalicoModel
import Datastore
import DatastoreSettings
import Testing

@testable import ipamctl

@Suite("Which datastore a command works on")
final class DatastoreOptionsTests {
  private let fixture: HostFixture
  private var standardPath: String { fixture.root + "/calicoctl.cfg" }

  init() throws { fixture = try HostFixture() }

  private func settings(
    _ arguments: [String] = [], _ environment: [String: String] = [:], _ program: Program = .ipamctl
  ) throws -> DatastoreSettings {
    try DatastoreOptions.parse(arguments).settings(environment, standardPath: standardPath, program: program)
  }

  private func configure(_ specification: String, _ path: String = "/calicoctl.cfg") throws {
    try fixture.write(
      "apiVersion: projectcalico.org/v3\nkind: CalicoAPIConfig\nspec: {\(specification)}\n", to: path)
  }

  @Test("nothing said means the embedded datastore, whatever kubectl is told")
  func nothing() throws {
    #expect(try settings() == DatastoreSettings(.sqlite))
    #expect(try settings([], ["KUBECONFIG": "/k", "KUBERNETES_SERVICE_HOST": "10.0.0.1"]).engine == .sqlite)
  }

  @Test("the variables of calicoctl name another engine")
  func environment() throws {
    #expect(try settings([], ["ETCD_ENDPOINTS": "http://e"]).engine == .etcd)
    #expect(
      try settings([], ["CALICO_DATASTORE_TYPE": "kubernetes", "KUBECONFIG": "/k"]).kubernetes.kubeconfig == "/k")
  }

  @Test("the file of calicoctl counts before the environment, and the command line before both")
  func precedence() throws {
    try configure("etcdEndpoints: 'http://file', kubeconfig: /file")
    let environment = ["ETCD_ENDPOINTS": "http://environment", "DATASTORE_TYPE": "kubernetes"]
    #expect(try settings([], environment).etcd.endpoints == ["http://file"])
    #expect(try settings(["--datastore", "kubernetes"], environment).kubernetes.kubeconfig == "/file")
    #expect(try settings(["--kubeconfig", "/mine"], environment).kubernetes.kubeconfig == "/mine")
    #expect(try settings(["--datastore=sqlite"], environment).engine == .sqlite)
    try configure("datastoreType: sqlite, databaseFile: /other.db", "/named.cfg")
    #expect(try settings(["-c", fixture.root + "/named.cfg"], environment).databaseFile == "/other.db")
  }

  @Test("a plugin of kubectl works on kubectl's cluster, whatever calicoctl is told")
  func kubectl() throws {
    try configure("etcdEndpoints: 'http://file'")
    let environment = ["ETCD_ENDPOINTS": "http://environment", "DATASTORE_TYPE": "etcdv3", "KUBECONFIG": "/a:/b"]
    let found = try settings([], environment, .kubectlPlugin)
    #expect(found.engine == .kubernetes)
    #expect(found.kubernetes.kubeconfig == "/a:/b")
    let named = try settings(["--kubeconfig", "/mine", "--context", "test"], environment, .kubectlPlugin)
    #expect((named.kubernetes.kubeconfig, named.kubernetes.context) == ("/mine", "test"))
    try fixture.write("", to: "/.kube/config")
    let users = try settings([], ["HOME": fixture.root], .kubectlPlugin)
    #expect(users.kubernetes.kubeconfig == fixture.root + "/.kube/config")
  }

  @Test("a plugin of kubectl works elsewhere when the command line says so")
  func kubectlElsewhere() throws {
    try configure("etcdEndpoints: 'http://file'")
    #expect(try settings(["--datastore", "etcdv3"], [:], .kubectlPlugin).etcd.endpoints == ["http://file"])
    #expect(try settings(["--config", standardPath], [:], .kubectlPlugin).etcd.endpoints == ["http://file"])
    let file = try settings(["--database", "/d.db"], [:], .kubectlPlugin)
    #expect(file == DatastoreSettings(.sqlite, databaseFile: "/d.db"))
  }

  @Test("a file of the embedded datastore on the command line asks nothing else")
  func database() throws {
    try fixture.write("nonsense: [", to: "/calicoctl.cfg")
    let found = try settings(["--database", "/d.db"], ["DATASTORE_TYPE": "kubernetes"])
    #expect(found == DatastoreSettings(.sqlite, databaseFile: "/d.db"))
  }

  @Test("the context holds beside a file as well")
  func context() throws {
    try configure("datastoreType: kubernetes, kubeconfig: /k, k8sCurrentContext: one")
    #expect(try settings(["--context", "two"]).kubernetes.context == "two")
  }

  @Test("--datastore kubernetes finds the user's kubeconfig")
  func home() throws {
    try fixture.write("", to: "/.kube/config")
    let found = try settings(["--datastore", "kubernetes"], ["HOME": fixture.root])
    #expect(found.kubernetes.kubeconfig == fixture.root + "/.kube/config")
  }

  @Test(
    "options that contradict each other are a usage error",
    arguments: [
      ["--datastore", "mysql"], ["--database", ""], ["--config", ""], ["--kubeconfig", ""],
      ["--datastore", "etcdv3", "--database", "/d"], ["--datastore", "sqlite", "--kubeconfig", "/k"],
      ["--database", "/d", "--kubeconfig", "/k"],
    ])
  func contradictions(_ arguments: [String]) async {
    await #expect(throws: (any Error).self) { try await IPAMControl.asyncParseAsRoot(["get", "ippools"] + arguments) }
  }

  @Test("a configuration file that is not there, and one that is malformed, end the command with status 1")
  func failures() async throws {
    let missing = try DatastoreOptions.parse(["--config", "/nonexistent.cfg"])
    await #expect(throws: ExitCode(1)) { try await missing.read() }
    try configure("datastoreTyp: etcdv3")
    let malformed = try DatastoreOptions.parse(["--config", standardPath])
    let failure = await #expect(throws: CommandFailure.self) { try await malformed.read() }
    #expect(
      failure?.description == "syntax error in \(standardPath): unknown field \"spec.datastoreTyp\"")
  }

  @Test("settings of an engine that cannot be used name what is missing")
  func unusable() async throws {
    try configure("datastoreType: etcdv3")
    let options = try DatastoreOptions.parse(["--config", standardPath])
    let failure = await #expect(throws: CommandFailure.self) { try await options.read() }
    #expect(failure?.description.isEmpty == false)
  }
}

@Suite("The version of a shared datastore")
struct VersionCheckTests {
  private func session(_ version: String?, engine: DatastoreEngine = .etcd) -> Session {
    let store = InMemoryDatastore()
    if let version {
      store.put(
        Array(#"{"kind":"ClusterInformation","spec":{"calicoVersion":"\#(version)"}}"#.utf8),
        at: KeyPath.path(of: .resource(.clusterInformation, "default")))
    }
    return Session(ChosenDatastore(store, engine: engine, name: "test"))
  }

  @Test(
    "every version of Calico v3 fits, and so does a datastore that says none",
    arguments: ["v3.32.1", "3.1", "", "main"])
  func fitting(_ version: String) async throws {
    try await VersionCheck(session(version)).perform(isEnforced: true)
    try await VersionCheck(session(nil)).perform(isEnforced: true)
  }

  @Test("another major version ends the command in calicoctl's words, unless that is allowed")
  func mismatch() async throws {
    let refusal = await #expect(throws: VersionCheck.Refusal.self) {
      try await VersionCheck(session("v4.0.0-rc1")).perform(isEnforced: true)
    }
    #expect(
      refusal?.description == """
        version mismatch.
        Client Version:   0.1.0 (for Calico v3)
        Cluster Version:  4.0.0
        Use --allow-version-mismatch to override
        """)
    try await VersionCheck(session("v4.0.0")).perform(isEnforced: false)
    try await VersionCheck(session("v4.0.0", engine: .sqlite)).perform(isEnforced: true)
  }

  @Test("ClusterInformation that cannot be read ends it as well; a server that does not answer always does")
  func unreadable() async throws {
    let refusal = await #expect(throws: VersionCheck.Refusal.self) {
      try await VersionCheck(failing(.forbidden)).perform(isEnforced: true)
    }
    #expect(
      refusal?.description
        == "unable to get Cluster Information to verify version mismatch: refused; ask\n"
        + "Use --allow-version-mismatch to override")
    try await VersionCheck(failing(.forbidden)).perform(isEnforced: false)
    for isEnforced in [true, false] {
      let error = await #expect(throws: DatastoreError.self) {
        try await VersionCheck(failing(.unavailable)).perform(isEnforced: isEnforced)
      }
      #expect(error?.advised == "refused; ask")
    }
  }

  private func failing(_ code: DatastoreError.Code) -> Session {
    Session(ChosenDatastore(FailingDatastore(error: DatastoreError(code, "refused", advice: "ask")), name: "test"))
  }
}

/// A store that answers nothing.
private struct FailingDatastore: Datastore {
  let error: DatastoreError

  var commitsAtomically: Bool { true }
  func read(_ reads: [Read], deadline: Deadline) async throws -> [ReadResult] { throw error }
  func commit(_ plan: Plan, deadline: Deadline) async throws -> Outcome { throw error }
  func watch(_ interest: WatchInterest, from cursor: WatchCursor?) -> WatchStream { WatchStream { { nil } } }
}
