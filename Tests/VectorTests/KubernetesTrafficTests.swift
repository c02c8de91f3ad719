import CalicoModel
import Datastore
import IPAddressing
import JSON
import KubernetesClient
import KubernetesDatastore
import TestSupport
import Testing

/// What an assignment costs on Kubernetes: requests one after the other, and bytes.
@Suite(
  "Requests of an assignment on Kubernetes", .serialized,
  .enabled(if: KubernetesServer.isAtHand, "\(KubernetesServer.absence)"))
struct KubernetesTrafficTests {
  /// A host that calls the plugin.
  private struct Host {
    let transport: RoundTripTransport
    let client: KubernetesClient
    var replay: Replay
    let name: String
    private var count = 0

    init(_ name: String, _ cluster: KubernetesCluster) throws {
      self.name = name
      client = cluster.client
      transport = RoundTripTransport(cluster.client)
      replay = Replay(
        store: ReplayStore(base: KubernetesDatastore(transport)),
        starts: try RecordedStarts(Recording(version: .master, name: "", title: "", steps: [])),
        folder: try ScratchFolder(), remembers: true)
      replay.cluster = transport
      replay.time = Timestamp(seconds: 1_787_405_580)
    }

    /// Adds a container, as a new process.
    ///
    /// - Returns: the round trips and the bytes that came.
    mutating func add() async throws -> (trips: Int, bytes: UInt64) {
      count += 1
      var options = KubernetesDatastore.Options()
      options.discoveryCache = replay.folder.path + "/discovery"
      options.server = client.server
      replay.store = ReplayStore(base: KubernetesDatastore(transport, options: options))
      transport.reset()
      let before = client.statistics.bytesReceived
      let result = try await replay.performPlugin(try step())
      #expect(result.exitCode == 0, "\(result.output?.text ?? "")")
      print(
        "\(name), container \(count): \(transport.trips) round trips, \(client.statistics.bytesReceived - before) bytes"
      )
      return (transport.trips, client.statistics.bytesReceived - before)
    }

    private func step() throws -> RecordedStep {
      let text = """
        {"operation": "calico-ipam ADD", "inputs": {
          "env": {
            "CNI_COMMAND": "ADD", "CNI_CONTAINERID": "\(name)-c\(count)", "CNI_NETNS": "/var/run/netns/test",
            "CNI_IFNAME": "eth0", "CNI_PATH": "/opt/cni/bin",
            "CNI_ARGS": "IgnoreUnknown=1;K8S_POD_NAMESPACE=team-x;K8S_POD_NAME=pod\(count)"},
          "netconf": {
            "cniVersion": "1.0.0", "name": "net", "type": "calico", "datastore_type": "kubernetes",
            "nodename": "\(name)", "ipam": {"type": "calico-ipam"}, "policy": {"type": "k8s"},
            "kubernetes": {"kubeconfig": "/etc/cni/net.d/calico-kubeconfig"}}}}
        """
      let step = try #require(try JSON(parsing: Array(text.utf8)).objectValue)
      return try RecordedStep(0, step, before: [:], after: [:])
    }
  }

  private static let cluster = Result { try KubernetesCluster() }

  private static func reset() async throws -> KubernetesCluster {
    let cluster = try cluster.get()
    try await cluster.load([:])
    try await cluster.reset()
    for name in ["node1", "node2"] {
      try await cluster.apply(["apiVersion": "v1", "kind": "Node", "metadata": ["name": .string(name)]])
    }
    try await cluster.request(
      .post, "/apis/crd.projectcalico.org/v1/ippools",
      [
        "apiVersion": "crd.projectcalico.org/v1", "kind": "IPPool", "metadata": ["name": "pool1"],
        "spec": ["cidr": "10.0.0.0/14", "blockSize": 29],
      ])
    return cluster
  }

  @Test("an address of a block that the host has takes three round trips, and one of a new block six")
  func smallCluster() async throws {
    var host = try Host("node1", try await Self.reset())
    // Which group the server has is asked beside other things, and once in ten minutes only.
    let first = try await host.add()
    #expect(first.trips <= 6)
    for _ in 1..<8 {
      let warm = try await host.add()
      #expect(warm.trips <= 3)
    }
    // The block is full.
    let next = try await host.add()
    #expect(next.trips <= 6)
  }

  @Test("among ten thousand blocks it takes as many, and a new block costs 1.5 MB at most")
  func largeCluster() async throws {
    let cluster = try await Self.reset()
    try await fill(cluster, count: 10_000)
    var host = try Host("node2", cluster)
    let claim = try await host.add()
    #expect(claim.trips <= 6)
    #expect(claim.bytes <= 1_500_000)
    _ = try await host.add()
    let warm = try await host.add()
    #expect(warm.trips <= 3)
    #expect(warm.bytes <= 100_000)
    // What a host reads that has to look at all blocks.
    let before = cluster.client.statistics
    let lists = try await KubernetesDatastore(cluster.client)
      .read([.list(Listing(.blocks(.v4), .keys))], deadline: .after(milliseconds: 60_000))
    guard case .list(let list) = lists[0] else { return }
    #expect(list.items.count == 10_001)
    let bytes = cluster.client.statistics.bytesReceived - before.bytesReceived
    print("10,001 keys: \(bytes) bytes")
    #expect(bytes <= 1_500_000)
  }

  /// Makes blocks of other hosts.
  private func fill(_ cluster: KubernetesCluster, count: Int) async throws {
    let store = KubernetesDatastore(cluster.client)
    let first = try #require(CIDR("10.0.0.0/29"))
    try await withThrowingTaskGroup { group in
      for part in 0..<16 {
        group.addTask {
          for number in stride(from: part, to: count, by: 16) {
            let address = try #require(first.address.advanced(by: UInt128(number * 8)))
            let cidr = try #require(CIDR(address, prefixLength: 29))
            let owner = BlockOwner(.host, "other\(number / 100)")
            let block = IPAMBlock(cidr: cidr, owner: owner, time: Timestamp(seconds: 1_787_405_580))
            let change = Change(.block(cidr), base: .absent, final: .value(.block(block)))
            _ = try await store.commit(Plan([change]), deadline: .after(milliseconds: 60_000))
          }
        }
      }
      try await group.waitForAll()
    }
  }
}
