import CNI
import CalicoBackend
import IPAM
import JSON

/// The `calico-ipam` plugin: the embedded datastore in this executable, the network engines in siblings of it.
public enum CalicoIPAM {
  /// Serves the one call this process was started for.
  ///
  /// - Parameter arguments: the command line without the program's name.
  /// - Returns: the exit status.
  public static func run(arguments: [String] = Array(CommandLine.arguments.dropFirst())) async -> Int32 {
    if arguments.isEmpty { return await plugin.run() }
    return await CommandLineCall(arguments).run()
  }

  static let plugin = CNIPlugin(name: "calico-ipam", version: PackageVersion.current) { invocation in
    let configuration = try CalicoConfiguration(invocation.configuration)
    try delegate(invocation, configuration)
    return try SwitchingBackend(invocation, configuration)
  }

  /// Becomes the sibling of a network engine, which has the same arguments, environment and input.
  ///
  /// - Throws: ``CalicoFailure`` when there is none.
  private static func delegate(_ invocation: CNIInvocation, _ configuration: CalicoConfiguration) throws(CalicoFailure)
  {
    guard configuration.datastoreType != .sqlite else { return }
    let name = "calico-ipam-" + configuration.datastoreType.rawValue
    guard let sibling = SiblingPlugin(name) else {
      throw CalicoFailure(
        "datastore_type \"\(configuration.datastoreType.rawValue)\" needs the executable \(name) beside calico-ipam",
        details: "install it, or set datastore_type to \"sqlite\" for the embedded datastore")
    }
    _ = sibling.takeOver(input: JSON.object(invocation.configuration.document).encoded())
    throw CalicoFailure("cannot execute \(name)")
  }
}
