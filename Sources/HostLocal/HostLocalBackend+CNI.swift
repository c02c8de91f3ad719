public import CNI
import JSON

extension CNIPlugin<HostLocalBackend> {
  /// The `host-local` plugin.
  public static let hostLocal = CNIPlugin(name: "host-local", version: PackageVersion.current) { invocation in
    HostLocalBackend(
      try configuration(of: invocation),
      releaseElsewhere: { releaseUnderCalico(invocation) },
      findElsewhere: { callCalico(invocation) == 0 },
      log: invocation.streams.log
    )
  }

  /// Has `calico-ipam` release what the container got while the network was configured for it. A failure is a warning:
  /// what is left there is for `ipamctl ipam gc`, and must not keep the container from going.
  private static func releaseUnderCalico(_ invocation: CNIInvocation) {
    guard let status = callCalico(invocation) else {
      invocation.streams.log(
        "addresses of \(invocation.configuration.name) under calico-ipam are not released: no such plugin")
      return
    }
    if status != 0 { invocation.streams.log("calico-ipam could not release: exit status \(status)") }
  }

  /// Has `calico-ipam` answer the same call.
  ///
  /// - Returns: its exit status; nil when it does not lie beside this plugin.
  private static func callCalico(_ invocation: CNIInvocation) -> Int32? {
    SiblingPlugin("calico-ipam")?.call(input: JSON.object(invocation.configuration.document).encoded())
  }

  private static func configuration(of invocation: CNIInvocation) throws(HostLocalError) -> HostLocalConfiguration {
    try HostLocalConfiguration(invocation) { (dataDirectory) in
      PodRangeSource(
        cache: PodRangeCache(dataDirectory: dataDirectory), findSibling: { SiblingPlugin(PodRangeSource.sibling) },
        log: invocation.streams.log)
    }
  }
}
