import CNI
public import CalicoBackend
public import Datastore
public import DatastoreSettings

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The plugin on a datastore that many hosts share: what `calico-ipam-etcdv3` and `calico-ipam-kubernetes` do when
/// `calico-ipam` becomes one of them.
public struct ClusterPlugin<Store: Datastore>: Sendable {
  /// How a call reaches its cluster.
  public struct Connection: Sendable {
    public var store: Store
    /// Who knows pods and namespaces; made when a call needs it.
    public var workloads: (@Sendable () throws -> any WorkloadDirectory)?
    /// Makes old entries of a node such as lists find them; nil where there are none.
    public var upgradeHost: (@Sendable (_ node: String, Deadline) async throws -> Void)?
    /// Whether the store answers lists sooner that may lag a moment.
    public var waitsForLists = false

    public init(_ store: Store) {
      self.store = store
    }
  }

  /// Where the cluster is that a call is about.
  public struct Settings: Sendable {
    public var datastore: DatastoreSettings
    /// What the network's configuration says; nothing in a call by a person.
    public var network: NetworkConnection
  }

  private let engine: DatastoreEngine
  private let environment: [String: String]
  private let memoryDirectory: String
  private let upgradeMarker: String
  private let connect: @Sendable (Settings) throws -> Connection

  /// The plugin on one engine.
  ///
  /// - Parameters:
  ///   - engine: the engine.
  ///   - environment: the variables of the process.
  ///   - memoryDirectory: where hints for later calls are kept.
  ///   - upgradeMarker: the file that says that old entries of the node were upgraded in this boot.
  ///   - connect: begins a connection and waits for no answer, so that the answer is on its way while this process waits
  ///     for the host's lock.
  public init(
    _ engine: DatastoreEngine, environment: [String: String] = ProcessEnvironment.variables,
    memoryDirectory: String = "/run/swift-ipam/calico-ipam",
    upgradeMarker: String = "/var/run/calico/cni/ipam_upgraded",
    connect: @escaping @Sendable (Settings) throws -> Connection
  ) {
    self.engine = engine
    self.environment = environment
    self.memoryDirectory = memoryDirectory
    self.upgradeMarker = upgradeMarker
    self.connect = connect
  }

  /// Serves the one call this process was started for.
  ///
  /// - Parameter arguments: the command line without the program's name.
  /// - Returns: the exit status.
  public func run(arguments: [String] = Array(CommandLine.arguments.dropFirst())) async -> Int32 {
    if arguments.isEmpty { return await plugin.run() }
    return await CommandLineCall(arguments).run { _ in try upgradeStore() }
  }

  /// The protocol's side of the plugin.
  var plugin: CNIPlugin<SwitchingBackend<SharedDatastore<Store>>> {
    CNIPlugin(name: "calico-ipam", version: PackageVersion.current) { invocation in
      var configuration = try CalicoConfiguration(invocation.configuration)
      let settings = try settings(invocation)
      configuration.datastoreType = try type
      configuration.storeIdentity = settings.datastore.identity
      // A failure waits until a verb needs the store, which knows how to report it.
      let connection = Result { try connect(settings) }
      return try SwitchingBackend(
        invocation, configuration, surroundings: surroundings(invocation, try? connection.get())
      ) { _ in SharedDatastore(try connection.get().store) }
    }
  }

  /// Round trips cost more here than anything else, and so does a search through a full pool.
  private func surroundings(_ invocation: CNIInvocation, _ connection: Connection?) -> Surroundings {
    var surroundings = Surroundings(memoryDirectory: memoryDirectory, log: invocation.streams.log)
    surroundings.readsAhead = true
    surroundings.exhaustionNanoseconds = 10_000_000_000
    surroundings.workloads = connection?.workloads
    surroundings.waitsForLists = connection?.waitsForLists ?? false
    surroundings.upgradeHost = connection?.upgradeHost
    surroundings.upgradeMarker = upgradeMarker
    return surroundings
  }

  private var type: CalicoConfiguration.DatastoreType {
    get throws(CalicoFailure) {
      guard let type = CalicoConfiguration.DatastoreType(rawValue: engine.rawValue) else {
        throw CalicoFailure("calico-ipam has no engine \(engine.rawValue)")
      }
      return type
    }
  }

  /// The configuration over the environment (front-end specification, section 7.4). The engine is this executable's,
  /// whatever both of them say: it has been chosen.
  private func settings(_ invocation: CNIInvocation) throws(CalicoFailure) -> Settings {
    let network = NetworkConnection(invocation.configuration.document)
    do throws(DatastoreSettingsError) {
      let datastore = try network.datastoreSettings(environment: chosen(environment))
      return Settings(datastore: datastore, network: network)
    } catch {
      throw CalicoFailure(error.description, details: error.advice)
    }
  }

  /// The environment with the engine of this executable.
  private func chosen(_ environment: [String: String]) -> [String: String] {
    environment.merging(["CALICO_DATASTORE_TYPE": engine.rawValue]) { $1 }
  }

  private func upgradeStore() throws -> SharedDatastore<Store> {
    let settings = Settings(
      datastore: try DatastoreSettings(environment: chosen(environment)), network: NetworkConnection())
    return SharedDatastore(try connect(settings).store)
  }
}
