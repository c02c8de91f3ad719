public import ArgumentParser
import CalicoctlConfiguration
import Datastore
import DatastoreAccess
public import DatastoreSettings

/// Where pools, blocks and handles are: what all commands on them have in common.
///
/// The settings are those of calicoctl, from the same file and the same variables. Where none of them says which engine,
/// the embedded datastore is meant, not Kubernetes as for calicoctl: whoever has said nothing has one host.
struct DatastoreOptions: ParsableArguments {
  @Option(
    help: ArgumentHelp(
      """
      What keeps pools, blocks and handles: sqlite is a file on this host, the embedded datastore. By default \
      \(Program.current.defaultDatastore).
      """, valueName: "sqlite|etcdv3|kubernetes"))
  var datastore: DatastoreEngine?

  @Option(
    help: ArgumentHelp(
      "The file of the embedded datastore, which is meant then. (default: \(DatastoreSettings().databaseFile))",
      valueName: "path"), completion: .file())
  var database: String?

  @Option(
    name: [.customShort("c", allowingJoined: true), .long],
    help: ArgumentHelp(
      """
      calicoctl's configuration file. Where it exists, variables of the environment do not count. \
      \(Program.current.defaultConfiguration)
      """, valueName: "path"), completion: .file())
  var config: String?

  @Option(
    help: ArgumentHelp("The context of the kubeconfig.", valueName: "name"),
    completion: .shellCommand("kubectl config get-contexts --output name 2>/dev/null"))
  var context: String?

  @Option(
    help: ArgumentHelp("The kubeconfig of the cluster, which is the datastore then.", valueName: "path"),
    completion: .file())
  var kubeconfig: String?

  @Flag(help: "Go on when the datastore is that of another major version of Calico, or does not say which.")
  var allowVersionMismatch = false

  @Option(
    name: [.customShort("l", allowingJoined: true), .long],
    help: ArgumentHelp("Taken as calicoctl takes it; there is no log.", valueName: "level", visibility: .hidden))
  var logLevel = "panic"

  func validate() throws {
    let levels = ["panic", "fatal", "error", "warn", "info", "debug"]
    guard levels.contains(logLevel) else {
      throw ValidationError("unknown log level: \(logLevel), expected one of: \(levels.joined(separator: ", "))")
    }
    if database == "" { throw ValidationError("--database is empty; name the file of the datastore") }
    if config == "" { throw ValidationError("--config is empty; name the configuration file") }
    if kubeconfig == "" { throw ValidationError("--kubeconfig is empty; name the kubeconfig of the cluster") }
    if let datastore, datastore != .sqlite, database != nil {
      throw ValidationError("--database names a file of the embedded datastore, which --datastore says is not meant")
    }
    if let datastore, datastore != .kubernetes, kubeconfig != nil {
      throw ValidationError("--kubeconfig names a cluster, which --datastore says is not meant")
    }
    if database != nil, kubeconfig != nil {
      throw ValidationError("--database and --kubeconfig name two datastores; name one")
    }
  }

  /// A session that reads; it creates nothing.
  func read() async throws -> Session { try await open(writes: false) }

  /// A session that may also write, and creates the embedded datastore with its first write.
  func write() async throws -> Session { try await open(writes: true) }

  /// A session that looks at the version that the datastore says it is of, unless that is not wanted.
  ///
  /// - Parameters:
  ///   - writes: whether the session may write.
  ///   - checksVersion: whether the version counts.
  ///   - queriesPerSecond: what a limit that the settings have is raised to; nil to keep it.
  /// - Returns: the session; a server has answered.
  /// - Throws: `CommandFailure`; or `ExitCode`, when everything was said.
  func open(writes: Bool, checksVersion: Bool = true, queriesPerSecond: Double? = nil) async throws -> Session {
    do {
      var settings = try settings(ProcessEnvironment.variables)
      if let queriesPerSecond, settings.kubernetes.queriesPerSecond > 0 {
        settings.kubernetes.queriesPerSecond = queriesPerSecond
      }
      let opened = try OpenedDatastore(settings, access: writes ? .readWrite : .readOnly)
      let session = Session(ChosenDatastore(opened))
      try await VersionCheck(session).perform(isEnforced: checksVersion && !allowVersionMismatch)
      return session
    } catch let error as CalicoctlConfigurationError where error.code == .missing {
      print(error.description)
      throw ExitCode(1)
    } catch {
      throw CommandFailure(error.advised)
    }
  }

  /// The settings that hold: what calicoctl's file or the environment says, and over it the command line.
  ///
  /// - Parameters:
  ///   - environment: the variables.
  ///   - standardPath: calicoctl's file, which counts where it exists and no other is named.
  ///   - program: as what this program was called. kubectl's user means the cluster that kubectl means, unless the
  ///     command line says otherwise.
  /// - Returns: the settings.
  /// - Throws: `CalicoctlConfigurationError`.
  func settings(
    _ environment: [String: String], standardPath: String = CalicoctlConfiguration.standardPath,
    program: Program = .current
  ) throws(CalicoctlConfigurationError) -> DatastoreSettings {
    // A file or a cluster on the command line says which datastore: what else there may be is not asked.
    if let database, config == nil { return DatastoreSettings(.sqlite, databaseFile: database) }
    if program == .kubectlPlugin, datastore == nil, config == nil { return clusterOfKubectl(environment) }
    var settings = try CalicoctlConfiguration.settings(
      path: config, standardPath: standardPath, environment: environment, otherwise: .sqlite
    ).settings
    if let database { (settings.engine, settings.databaseFile) = (.sqlite, database) }
    if let kubeconfig {
      settings.engine = .kubernetes
      settings.kubernetes.kubeconfig = kubeconfig
      settings.kubernetes.kubeconfigText = ""
    }
    if let datastore { settings.engine = datastore }
    if let context { settings.kubernetes.context = context }
    if settings.engine == .kubernetes {
      settings.kubernetes.findUsersKubeconfig(environment["HOME"] ?? "") { HostFiles.exists($0) }
    }
    return settings
  }

  /// The cluster that kubectl talks to.
  private func clusterOfKubectl(_ environment: [String: String]) -> DatastoreSettings {
    var settings = DatastoreSettings(.kubernetes)
    settings.kubernetes.kubeconfig = kubeconfig ?? environment["KUBECONFIG"] ?? ""
    settings.kubernetes.context = context ?? ""
    settings.kubernetes.findUsersKubeconfig(environment["HOME"] ?? "") { HostFiles.exists($0) }
    return settings
  }
}

extension Program {
  /// Which datastore is meant where the command line does not say.
  fileprivate var defaultDatastore: String {
    switch self {
    case .ipamctl:
      "what calicoctl's configuration file or its variables (DATASTORE_TYPE, ETCD_ENDPOINTS) say, else sqlite"
    case .kubectlPlugin: "the cluster of KUBECONFIG or ~/.kube/config"
    }
  }

  /// Which file is read where none is named.
  fileprivate var defaultConfiguration: String {
    switch self {
    case .ipamctl: "(default: \(CalicoctlConfiguration.standardPath), if it is there)"
    case .kubectlPlugin: "(default: none)"
    }
  }
}

extension DatastoreEngine: ExpressibleByArgument {}
