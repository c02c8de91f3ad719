import CNI
import CalicoBackend
import CalicoPlugin
import JSON
import SQLiteDatastore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The `calico-ipam` plugin: the embedded datastore in this executable, the network engines in siblings of it.
public enum CalicoIPAM {
  /// Serves the one call this process was started for.
  ///
  /// - Parameter arguments: the command line without the program's name.
  /// - Returns: the exit status.
  public static func run(arguments: [String] = Array(CommandLine.arguments.dropFirst())) async -> Int32 {
    if arguments.isEmpty { return await plugin.run() }
    return await run(CommandLineCall(arguments), arguments)
  }

  static func run(_ call: CommandLineCall, _ arguments: [String]) async -> Int32 {
    do {
      if case .upgrade = call.request { try delegate(try engine(nil), input: [], arguments: arguments) }
    } catch {
      CNIStreams.ofProcess.log("failed to migrate ipam: \(error.message) (\(error.details))")
      return 1
    }
    return await call.run { upgrade in
      EmbeddedDatastore(
        SQLiteDatastore(path: upgrade.database.isEmpty ? SQLiteDatastore.defaultPath : upgrade.database))
    }
  }

  static let plugin = CNIPlugin(name: "calico-ipam", version: PackageVersion.current) { invocation in
    var configuration = try CalicoConfiguration(invocation.configuration)
    configuration.datastoreType = try engine(configuration.namesDatastore ? configuration.datastoreType : nil)
    if configuration.datastoreType != .sqlite {
      try delegate(
        configuration.datastoreType, input: JSON.object(invocation.configuration.document).encoded(), arguments: [])
    }
    let settled = configuration
    return try SwitchingBackend(invocation, settled) { access in
      EmbeddedDatastore(
        SQLiteDatastore(
          path: settled.databaseFile,
          options: SQLiteDatastore.Options(access: access == .reading ? .readOnly : .readWrite)))
    }
  }

  /// The engine that is meant: the configuration counts before the environment, and a variable with the prefix before both
  /// (front-end specification, section 7.4). Without a word it is the embedded one.
  ///
  /// - Parameter configured: what the configuration says; nil for nothing.
  /// - Returns: the engine.
  /// - Throws: ``CalicoFailure`` when the environment names none that exists.
  private static func engine(
    _ configured: CalicoConfiguration.DatastoreType?
  ) throws(CalicoFailure) -> CalicoConfiguration.DatastoreType {
    var name = configured?.rawValue
    if let variable = getenv("CALICO_DATASTORE_TYPE") {
      name = String(cString: variable)
    } else if configured == nil, let variable = getenv("DATASTORE_TYPE") {
      name = String(cString: variable)
    }
    guard let name, !name.isEmpty else { return .sqlite }
    guard let engine = CalicoConfiguration.DatastoreType(rawValue: name) else {
      throw CalicoFailure(
        "unknown datastore type: \(name)", details: "DATASTORE_TYPE is one of sqlite, etcdv3 and kubernetes")
    }
    return engine
  }

  /// Becomes the sibling of a network engine, which has the same arguments, environment and input.
  ///
  /// - Throws: ``CalicoFailure`` when there is none.
  private static func delegate(
    _ engine: CalicoConfiguration.DatastoreType, input: [UInt8], arguments: [String]
  ) throws(CalicoFailure) {
    guard engine != .sqlite else { return }
    let name = "calico-ipam-" + engine.rawValue
    guard let sibling = SiblingPlugin(name) else {
      throw CalicoFailure(
        "datastore_type \"\(engine.rawValue)\" needs the executable \(name) beside calico-ipam",
        details: "install it, or set datastore_type to \"sqlite\" for the embedded datastore")
    }
    _ = sibling.takeOver(input: input, arguments: arguments)
    throw CalicoFailure("cannot execute \(name)", details: "it lies beside calico-ipam, and cannot be started")
  }
}
