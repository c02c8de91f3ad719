import CNI
import CalicoBackend
import IPAM
import SQLiteDatastore

/// The `calico-ipam` plugin on the embedded datastore.
public enum CalicoIPAM {
  /// Serves the one call this process was started for.
  ///
  /// - Returns: the exit status.
  public static func run() async -> Int32 {
    await plugin.run()
  }

  static let plugin = CNIPlugin(name: "calico-ipam", version: PackageVersion.current) { invocation in
    try CalicoBackend(invocation, surroundings: Surroundings(log: invocation.streams.log)) { configuration, access in
      RecordingStore(configuration, access, invocation)
    }
  }
}
