public import CNI

extension CNIPlugin<HostLocalBackend> {
  /// The `host-local` plugin.
  public static let hostLocal = CNIPlugin(name: "host-local", version: PackageVersion.current) { invocation in
    HostLocalBackend(try configuration(of: invocation), log: invocation.streams.log)
  }

  /// What each verb needs of the configuration, and no more: GC has to work when the ranges come by capability.
  private static func configuration(of invocation: CNIInvocation) throws(HostLocalError) -> HostLocalConfiguration {
    switch invocation.verb {
    case .add, .del, .check, .version:
      try HostLocalConfiguration(invocation.configuration, arguments: invocation.arguments)
    case .gc: try HostLocalConfiguration(forCollection: invocation.configuration)
    case .status: try HostLocalConfiguration(forStatus: invocation.configuration)
    }
  }
}
