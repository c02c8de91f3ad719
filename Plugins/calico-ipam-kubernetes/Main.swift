import CalicoPlugin
import KubernetesDatastore
import KubernetesWorkloads

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

@main
struct Main {
  static func main() async {
    if CommandLine.arguments.dropFirst() == [PodCIDRCall.word] { exit(await PodCIDRCall().run()) }
    exit(await ClusterPlugin<KubernetesDatastore>.kubernetes.run())
  }
}
