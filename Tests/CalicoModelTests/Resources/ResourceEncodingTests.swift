import CalicoModel
import JSON
import Testing

@Suite("Resources as they are stored")
struct ResourceEncodingTests {
  private static let head = #""apiVersion":"projectcalico.org/v3","metadata":{"name":"#

  @Test("members come in the order of the originals, and what says nothing is left out")
  func order() throws {
    let pool = try Documents.pool(
      "10.0.0.0/24",
      [
        "assignmentMode": "Manual", "allowedUses": ["Workload"], "namespaceSelector": "has(a)", "nodeSelector": "",
        "blockSize": 0, "disableBGPExport": true, "disabled": false, "natOutgoing": true, "ipipMode": "Always",
        "vxlanMode": nil,
      ])
    #expect(
      pool.text == #"{"kind":"IPPool",\#(Self.head)"pool1"},"spec":{"cidr":"10.0.0.0/24","ipipMode":"Always","#
        + #""natOutgoing":true,"disableBGPExport":true,"namespaceSelector":"has(a)","allowedUses":["Workload"],"#
        + #""assignmentMode":"Manual"}}"#)
  }

  @Test("metadata: name, uid, time of creation, labels and annotations by key; no resource version")
  func metadata() throws {
    let node = try Documents.resource(
      "Node", "node1", [:],
      metadata: [
        "annotations": ["z": "1", "a": "2"], "labels": ["rack": "2", "a/b": "<"],
        "creationTimestamp": "2026-08-22T15:33:00.5+02:00", "resourceVersion": "12", "uid": "u",
      ])
    #expect(
      node.text == #"{"kind":"Node",\#(Self.head)"node1","uid":"u","creationTimestamp":"2026-08-22T13:33:00Z","#
        + #""labels":{"a/b":"\u003c","rack":"2"},"annotations":{"a":"2","z":"1"}},"spec":{},"status":{}}"#)
  }

  @Test("a node's members, with the number of its autonomous system from either form")
  func node() throws {
    let node = try Documents.resource(
      "Node", "node1",
      [
        "interfaces": [["addresses": ["10.0.0.1"], "name": "eth0"]],
        "addresses": [["type": "InternalIP", "address": "10.0.0.1"]],
        "wireguard": ["interfaceIPv6Address": "fd00::3", "interfaceIPv4Address": "10.0.0.3"],
        "orchRefs": [["orchestrator": "k8s", "nodeName": "n"]], "ipv6VXLANTunnelAddr": "fd00::2",
        "vxlanTunnelMACAddr": "66:aa", "ipv4VXLANTunnelAddr": "10.0.0.2",
        "bgp": ["ipv4IPIPTunnelAddr": "10.0.0.4", "ipv4Address": "10.0.0.1/24", "asNumber": "1.10"],
      ])
    #expect(
      node.text == #"{"kind":"Node",\#(Self.head)"node1"},"spec":{"bgp":{"asNumber":65546,"ipv4Address":"10.0.0.1/24","#
        + #""ipv4IPIPTunnelAddr":"10.0.0.4"},"ipv4VXLANTunnelAddr":"10.0.0.2","vxlanTunnelMACAddr":"66:aa","#
        + #""ipv6VXLANTunnelAddr":"fd00::2","orchRefs":[{"nodeName":"n","orchestrator":"k8s"}],"#
        + #""wireguard":{"interfaceIPv4Address":"10.0.0.3","interfaceIPv6Address":"fd00::3"},"#
        + #""addresses":[{"address":"10.0.0.1","type":"InternalIP"}],"#
        + #""interfaces":[{"name":"eth0","addresses":["10.0.0.1"]}]},"status":{}}"#)
  }

  @Test("a configuration that does not mention the switches stores false")
  func configuration() throws {
    let configuration = try Documents.resource("IPAMConfiguration", "default", ["maxBlocksPerHost": 4])
    #expect(
      configuration.text == #"{"kind":"IPAMConfiguration",\#(Self.head)"default"},"#
        + #""spec":{"strictAffinity":false,"autoAllocateBlocks":false,"maxBlocksPerHost":4}}"#)
  }

  @Test("cluster information and tiers")
  func initial() throws {
    let texts = InitialResources.all(clusterGUID: "abc").map(\.text)
    #expect(
      texts == [
        #"{"kind":"ClusterInformation",\#(Self.head)"default"},"spec":{"clusterGUID":"abc","datastoreReady":true}}"#,
        #"{"kind":"Tier",\#(Self.head)"default"},"spec":{"order":1000000,"defaultAction":"Deny"},"status":{}}"#,
        #"{"kind":"Tier",\#(Self.head)"kube-admin"},"spec":{"order":1000,"defaultAction":"Pass"},"status":{}}"#,
        #"{"kind":"Tier",\#(Self.head)"kube-baseline"},"spec":{"order":10000000,"defaultAction":"Pass"},"status":{}}"#,
      ])
  }

  @Test("a stored text comes back byte for byte, members that are not known behind the known ones of their object")
  func roundTrip() throws {
    let text =
      #"{"kind":"IPPool",\#(Self.head)"p","uid":"u","new":{"b":1,"a":1e3}},"#
      + #""spec":{"cidr":"10.0.0.0/24","natOutgoing":true,"future":[{"z":null}]},"#
      + #""status":{"conditions":[{"type":"Allocatable","status":"True","lastTransitionTime":"2026-08-22T13:33:00Z","#
      + #""reason":"OK","message":""}]},"extra":null}"#
    let pool = try Resource(stored: Array(text.utf8), kind: .ipPool, name: "p", version: "7")
    #expect(pool.text == text)
    #expect(pool.resourceVersion == "7")
  }

  @Test("a false datastoreReady is said, an absent one is not")
  func readiness() throws {
    for specification in [#"{"datastoreReady":false}"#, "{}"] {
      let text = #"{"kind":"ClusterInformation",\#(Self.head)"default"},"spec":\#(specification)}"#
      let information = try Resource(stored: Array(text.utf8), kind: .clusterInformation, name: "default")
      #expect(information.text == text)
    }
  }

  @Test("old texts may lack nearly everything; null is nothing")
  func oldText() throws {
    let text = #"{"metadata":{"creationTimestamp":null,"labels":null},"spec":{"cidr":"10.0.0.1/24"}}"#
    let pool = try Resource(stored: Array(text.utf8), kind: .ipPool, name: "p")
    #expect(pool.text == #"{"metadata":{"name":"p"},"spec":{"cidr":"10.0.0.1/24"}}"#)
    #expect(pool.uid == nil)
  }

  @Test("what is no object cannot be read", arguments: ["[]", "{", ""])
  func unreadable(text: String) throws {
    let path = "/calico/resources/v3/projectcalico.org/ippools/p"
    let failure = Documents.failure { _ = try Resource(stored: Array(text.utf8), kind: .ipPool, name: "p") }
    #expect(failure?.hasPrefix("failed to parse datastore entry key=\(path); value=\(text): ") == true)
  }
}
