/// How to reach a Kubernetes API server (front-end specification, sections 7.1, 7.3 and 7.5).
///
/// A kubeconfig is the base; what is said here overrides what it says. With neither, the service account of the pod that
/// the process runs in is used.
public struct KubernetesSettings: Hashable, Sendable {
  /// Paths of kubeconfig files, separated by colons, merged by kubectl's rules; empty for none.
  public var kubeconfig = ""
  /// The text of a kubeconfig; empty for none.
  public var kubeconfigText = ""
  /// The context of the kubeconfig; empty for its current one.
  public var context = ""
  /// The server's URL.
  public var server = ""
  /// A bearer token.
  public var token = ""
  /// A file with the bearer token, which is read again when it has changed.
  public var tokenFile = ""
  public var key: PEMSource?
  public var certificate: PEMSource?
  public var authority: PEMSource?
  public var skipsVerification = false
  /// `crd.projectcalico.org/v1` or `projectcalico.org/v3`; empty to ask the server.
  public var apiGroup = ""
  /// The most requests a second that this process makes on the average; 0 for no limit.
  public var queriesPerSecond = 0.0
  /// How many requests it makes at once before the limit applies.
  public var burst = 100
  /// Whether nodes' addresses come from their pod CIDRs (host-local), so that there are no blocks to read or write.
  public var usesPodCIDR = false

  public init() {}
}
