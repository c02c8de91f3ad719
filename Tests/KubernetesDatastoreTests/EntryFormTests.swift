import CalicoModel
import Datastore
import IPAddressing
import JSON
import Testing

@testable import KubernetesDatastore

// The worked examples of Calico IPAM specification, section 1.11.

@Suite("Forms of entries")
struct EntryFormTests {
  private static let owner = BlockOwner(.host, "node-a")
  private static let labels =
    #""projectcalico.org/affinity-type":"host","projectcalico.org/hostname-hash":"#
    + #""PY3TQE2E3XMTETLM2MJO3UITKPFB27YUJ4T4E5XGPEJON3SM4QAA","projectcalico.org/ip-version":"#

  private static func body(_ group: APIGroup, _ key: Key, _ etcd: String, base: Revision? = nil) throws -> String {
    let form = EntryForm(group: group)
    return String(decoding: try form.body(.init(key: key, bytes: Array(etcd.utf8), base: base)), as: UTF8.self)
  }

  private static func decode(_ group: APIGroup, _ kind: ObjectKind, _ text: String) throws -> DecodedEntry? {
    try EntryForm(group: group).decode(try KubernetesObject(Array(text.utf8)[...]), kind)
  }

  struct Example: Sendable, CustomTestStringConvertible {
    var name: String
    var group: APIGroup
    var kind: ObjectKind
    var key: Key
    var etcd: String
    var object: String
    var base: Revision?

    var testDescription: String { name }
  }

  static let examples: [Example] = {
    guard let freed = CIDR("10.65.1.8/29"), let fresh = CIDR("10.65.0.8/29"), let v4 = CIDR("10.65.0.0/26"),
      let v6 = CIDR("fd00:10:65::40/122")
    else { return [] }
    return [
      Example(
        name: "a block that is affine to nobody, in the second group", group: .v3, kind: .block, key: .block(freed),
        etcd:
          #"{"cidr":"10.65.1.8/29","affinity":null,"allocations":[0,1,null,null,null,null,null,null],"unallocated":"#
          + #"[2,3,4,5,6,7],"attributes":[{"handle_id":"h"},{"releasedAt":"2026-08-22T13:45:10Z"}],"sequenceNumber":"#
          + #"1787405580123456798,"sequenceNumberForAllocation":{"0":1787405580123456789},"deleted":false}"#,
        object: #"{"kind":"IPAMBlock","apiVersion":"projectcalico.org/v3","metadata":{"name":"10-65-1-8-29","#
          + #""resourceVersion":"48300"},"spec":{"cidr":"10.65.1.8/29","allocations":[0,1,null,null,null,null,null,null],"#
          + #""unallocated":[2,3,4,5,6,7],"attributes":[{"handle_id":"h"},{"releasedAt":"2026-08-22T13:45:10Z"}],"#
          + #""sequenceNumber":1787405580123456798,"sequenceNumberForAllocation":{"0":1787405580123456789},"#
          + #""deleted":false,"strictAffinity":false}}"#,
        base: Revision("48300")),
      Example(
        name: "a block that has just been claimed, in the first group", group: .v1, kind: .block, key: .block(fresh),
        etcd: #"{"cidr":"10.65.0.8/29","affinity":"host:node-a","affinity_claim_time":"2026-08-22T13:33:00Z","#
          + #""allocations":[null,null,null,null,null,null,null,null],"unallocated":[0,1,2,3,4,5,6,7],"#
          + #""attributes":null,"sequenceNumber":1787405580123456789,"sequenceNumberForAllocation":{},"deleted":false}"#,
        object: #"{"kind":"IPAMBlock","apiVersion":"crd.projectcalico.org/v1","metadata":{"name":"10-65-0-8-29","#
          + #""annotations":{"projectcalico.org/metadata":"{}"}},"spec":{"cidr":"10.65.0.8/29","affinity":"host:node-a","#
          + #""affinityClaimTime":"2026-08-22T13:33:00Z","allocations":[null,null,null,null,null,null,null,null],"#
          + #""unallocated":[0,1,2,3,4,5,6,7],"attributes":[],"sequenceNumber":1787405580123456789,"#
          + #""sequenceNumberForAllocation":{},"deleted":false,"strictAffinity":false}}"#),
      Example(
        name: "an affinity in the first group", group: .v1, kind: .affinity, key: .affinity(owner, v4),
        etcd: #"{"state":"confirmed","deleted":false}"#,
        object: #"{"kind":"BlockAffinity","apiVersion":"crd.projectcalico.org/v1","metadata":{"name":"#
          + #""node-a-10-65-0-0-26","labels":{"# + labels + #""4"},"annotations":{"projectcalico.org/metadata":"#
          + #""{\"labels\":{"# + (labels + #""4""#).replacing("\"", with: "\\\"") + #"}}"}},"#
          + #""spec":{"state":"confirmed","node":"node-a","type":"host","cidr":"10.65.0.0/26","deleted":"false"}}"#),
      Example(
        name: "an affinity in the second group", group: .v3, kind: .affinity, key: .affinity(owner, v6),
        etcd: #"{"state":"confirmed","deleted":false}"#,
        object: #"{"kind":"BlockAffinity","apiVersion":"projectcalico.org/v3","metadata":{"name":"#
          + #""node-a-fd00-10-65--40-122","labels":{"# + labels + #""6"}},"#
          + #""spec":{"state":"confirmed","node":"node-a","type":"host","cidr":"fd00:10:65::40/122","deleted":false}}"#),
      Example(
        name: "a handle with capital letters", group: .v1, kind: .handle, key: .handle("Net1.ABC"),
        etcd: #"{"block":{"10.65.0.0/26":1,"fd00:10:65::40/122":1},"deleted":false}"#,
        object: #"{"kind":"IPAMHandle","apiVersion":"crd.projectcalico.org/v1","metadata":{"name":"net1.abc","#
          + #""annotations":{"projectcalico.org/metadata":"{}"}},"spec":{"handleID":"Net1.ABC","#
          + #""block":{"10.65.0.0/26":1,"fd00:10:65::40/122":1},"deleted":false}}"#),
      Example(
        name: "the switches", group: .v3, kind: .configuration, key: .configuration,
        etcd: #"{"strict_affinity":true,"auto_allocate_blocks":true,"maxBlocksPerHost":4,"#
          + #""kubeVirtVMAddressPersistence":"Enabled","ipCooldownSeconds":30}"#,
        object: #"{"kind":"IPAMConfiguration","apiVersion":"projectcalico.org/v3","metadata":{"name":"default"},"#
          + #""spec":{"strictAffinity":true,"autoAllocateBlocks":true,"maxBlocksPerHost":4,"#
          + #""kubeVirtVMAddressPersistence":"Enabled","ipCooldownSeconds":30}}"#),
      Example(
        name: "switches that are off", group: .v1, kind: .configuration, key: .configuration, etcd: "{}",
        object: #"{"kind":"IPAMConfig","apiVersion":"crd.projectcalico.org/v1","metadata":{"name":"default","#
          + #""annotations":{"projectcalico.org/metadata":"{}"}},"#
          + #""spec":{"strictAffinity":false,"autoAllocateBlocks":false}}"#),
    ]
  }()

  @Test("an entry is written as Calico writes it, and read as it was", arguments: EntryFormTests.examples)
  func bothWays(example: Example) throws {
    #expect(try Self.body(example.group, example.key, example.etcd, base: example.base) == example.object)
    let read = try #require(try Self.decode(example.group, example.kind, example.object))
    #expect(read.key == example.key)
    #expect(String(decoding: read.bytes, as: UTF8.self) == example.etcd)
    #expect(!read.isDeleted)
    #expect(read.foreign.isEmpty)
  }

  @Test(
    "in the first group whether an affinity is deleted is text, in any spelling of Go's",
    arguments: [
      ("\"\"", false), ("\"0\"", false), ("\"f\"", false), ("\"FALSE\"", false), ("\"false\"", false),
      ("\"1\"", true), ("\"t\"", true), ("\"True\"", true), ("\"true\"", true),
    ])
  func deletedText(text: String, isDeleted: Bool) throws {
    let object = #"{"metadata":{"name":"a"},"spec":{"cidr":"10.65.0.0/26","node":"n","state":"","deleted":\#(text)}}"#
    #expect(try #require(try Self.decode(.v1, .affinity, object)).isDeleted == isDeleted)
  }

  @Test("an affinity without a type is a node's, and one of an unknown type is none")
  func types() throws {
    func object(_ type: String) -> String {
      #"{"metadata":{"name":"a"},"spec":{"cidr":"10.65.0.0/26","node":"n","deleted":"false"\#(type)}}"#
    }
    let cidr = try #require(CIDR("10.65.0.0/26"))
    #expect(try Self.decode(.v1, .affinity, object(""))?.key == .affinity(BlockOwner(.host, "n"), cidr))
    #expect(
      try Self.decode(.v1, .affinity, object(#","type":"virtual""#))?.key == .affinity(BlockOwner(.virtual, "n"), cidr))
    #expect(try Self.decode(.v1, .affinity, object(#","type":"future""#)) == nil)
  }

  @Test(
    "what somebody wrote wrongly is named by its field",
    arguments: [
      (ObjectKind.block, #"{"spec":{"cidr":"10.65.0.1/26"}}"#, "spec.cidr"),
      (.block, #"{"spec":{"cidr":7}}"#, "spec.cidr"), (.block, #"{"spec":[]}"#, "spec"),
      (.block, #"{"spec":{"cidr":"10.65.0.0/26","deleted":"yes"}}"#, "spec.deleted"),
      (.affinity, #"{"spec":{"cidr":"10.65.0.0/26"}}"#, "spec.node"),
      (.affinity, #"{"spec":{"cidr":"10.65.0.0/26","node":"n","deleted":"maybe"}}"#, "spec.deleted"),
      (.handle, #"{"spec":{}}"#, "spec.handleID"), (.handle, #"{"metadata":7}"#, "metadata"),
      (.handle, #"{"metadata":{"labels":{"a":1}}}"#, "metadata.labels"),
    ])
  func malformed(kind: ObjectKind, text: String, field: String) {
    let error = #expect(throws: ObjectError.self) { try Self.decode(.v1, kind, text) }
    #expect(error?.field == field)
    #expect(error?.reason.isEmpty == false)
  }

  @Test("what others wrote into the metadata is written again, and what is Calico's own is not taken for it")
  func foreign() throws {
    let text =
      #"{"metadata":{"name":"h","uid":"u","resourceVersion":"7","labels":{"team":"a"},"#
      + #""annotations":{"projectcalico.org/metadata":"{\"creationTimestamp\":null}","note":"b"},"#
      + #""finalizers":["x/y"],"ownerReferences":[{"kind":"K"}]},"spec":{"handleID":"h","block":{}}}"#
    let read = try #require(try Self.decode(.v1, .handle, text))
    #expect(read.foreign.copy == nil)
    let body = try EntryForm(group: .v1).body(
      .init(key: read.key, bytes: read.bytes, base: read.revision, foreign: read.foreign))
    let metadata = try #require(try JSON(parsing: body).objectValue?["metadata"]?.objectValue)
    #expect(metadata["labels"] == ["team": "a"])
    #expect(metadata["annotations"] == ["note": "b", "projectcalico.org/metadata": "{}"])
    #expect(metadata["finalizers"] == ["x/y"])
    #expect(metadata["ownerReferences"] == [["kind": "K"]])
    #expect(metadata["uid"] == "u")
    #expect(metadata["resourceVersion"] == "7")
  }

  @Test("a node is told as Calico tells it: annotations as members, addresses and ranges as they are listed")
  func node() throws {
    let text =
      #"{"metadata":{"name":"node1","uid":"u","resourceVersion":"9","labels":{"rack":"2"},"annotations":{"#
      + #""projectcalico.org/labels":"{\"rack\":\"1\",\"zone\":\"z\"}","projectcalico.org/IPv4Address":"192.0.2.1/24","#
      + #""projectcalico.org/IPv4VXLANTunnelAddr":"10.65.0.1","projectcalico.org/ASNumber":"64512"}},"#
      + #""spec":{"podCIDRs":["10.244.1.0/24","fd00::/64"]},"#
      + #""status":{"addresses":[{"type":"InternalIP","address":"192.0.2.1"},{"type":"Hostname","address":"node1"}]}}"#
    let read = try #require(try Self.decode(.v1, .resource(.node), text))
    #expect(read.key == .resource(.node, "node1"))
    #expect(try ResourceLabels.decode(read.bytes) == ["rack": "2", "zone": "z"])
    let network = try NodeNetwork(decoding: read.bytes)
    #expect(network.bgpV4 == CIDR("192.0.2.1/24"))
    #expect(network.vxlanTunnelAddressV4 == IPAddress("10.65.0.1"))
    #expect(network.podCIDRs == [try #require(CIDR("10.244.1.0/24")), try #require(CIDR("fd00::/64"))])
    #expect(network.addresses.map(\.type) == ["InternalIP"])
    #expect(network.violations.isEmpty)
    let document = try #require(try JSON(parsing: read.bytes).objectValue)
    #expect(document["spec"]?.objectValue?["bgp"]?.objectValue?["asNumber"] == 64512)
  }

  @Test("where addresses come from the nodes' ranges, tunnels have the first one of the range")
  func podRanges() throws {
    let text =
      #"{"metadata":{"name":"node1","annotations":{"projectcalico.org/IPv4IPIPTunnelAddr":"10.65.0.9"}},"#
      + #""spec":{"podCIDR":"10.244.1.0/24"}}"#
    let form = EntryForm(group: .v1, usesPodCIDR: true)
    let read = try #require(try form.decode(try KubernetesObject(Array(text.utf8)[...]), .resource(.node)))
    #expect(try NodeNetwork(decoding: read.bytes).ipipTunnelAddress == IPAddress("10.244.1.1"))
  }

  @Test("a pool keeps people's labels in the copy of its metadata, and Calico's on the object")
  func resources() throws {
    let etcd =
      #"{"kind":"IPPool","apiVersion":"projectcalico.org/v3","metadata":{"name":"p","uid":"u","#
      + #""creationTimestamp":"2026-08-22T13:00:00Z","labels":{"projectcalico.org/x":"1","team":"a"}},"#
      + #""spec":{"cidr":"10.65.0.0/16"}}"#
    let body = try Self.body(.v1, .resource(.ipPool, "p"), etcd)
    let metadata = try #require(try JSON(parsing: Array(body.utf8)).objectValue?["metadata"]?.objectValue)
    #expect(metadata["labels"] == ["projectcalico.org/x": "1"])
    let copy =
      #"{"creationTimestamp":"2026-08-22T13:00:00Z","labels":{"projectcalico.org/x":"1","team":"a"}}"#
    #expect(metadata["annotations"] == ["projectcalico.org/metadata": .string(copy)])
    // Who reads it sees all labels again.
    let read = try #require(try Self.decode(.v1, .resource(.ipPool), body))
    #expect(try ResourceLabels.decode(read.bytes) == ["projectcalico.org/x": "1", "team": "a"])
  }

  @Test("whoever initialises a cluster in Kubernetes says so in its information")
  func clusterType() throws {
    let text = #"{"metadata":{"name":"default"},"spec":{"clusterGUID":"g","datastoreReady":true}}"#
    let key = Key.resource(.clusterInformation, "default")
    #expect(try Self.body(.v1, key, text).contains(#""clusterType":"kdd""#))
    #expect(try !Self.body(.v1, key, text, base: Revision("7")).contains("kdd"))
    let typed = text.replacing(#""clusterGUID""#, with: #""clusterType":"k8s","clusterGUID""#)
    #expect(try Self.body(.v3, key, typed).contains(#""clusterType":"k8s,kdd""#))
  }
}
