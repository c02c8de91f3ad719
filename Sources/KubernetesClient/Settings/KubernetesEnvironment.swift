#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What a pod gives the processes in it to find the cluster that it runs in.
public struct KubernetesEnvironment: Sendable {
  /// An environment variable; nil when it is not set.
  public var variable: @Sendable (String) -> String?
  /// The folder with `token`, `ca.crt` and `namespace`.
  public var serviceAccountFolder: String

  public init(
    serviceAccountFolder: String = "/var/run/secrets/kubernetes.io/serviceaccount",
    variable: @escaping @Sendable (String) -> String?
  ) {
    self.serviceAccountFolder = serviceAccountFolder
    self.variable = variable
  }

  /// The environment of this process.
  public static let process = KubernetesEnvironment { name in getenv(name).map { String(cString: $0) } }
}
