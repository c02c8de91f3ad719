import CNI
import FileSystem
import Glibc
import IPAM
import IPAddressing
import JSON
import Synchronization
import Testing

@testable import HostLocal

@Suite("usePodCidr: the node's own networks")
struct PodRangeTests {
  private let directory: TemporaryDirectory
  /// Seconds since the boot.
  private let clock = Clock()

  final class Clock: Sendable {
    let seconds = Mutex<Int64>(1000)
  }

  init() throws {
    directory = try TemporaryDirectory()
    try directory.write("kubeconfig", "server a")
  }

  /// Puts a program in the sibling's place that answers, and counts how often it was asked.
  private func answer(_ text: String, status: Int = 0, diagnostics: String = "") throws {
    let script = """
      #!/bin/sh
      [ "$1" = pod-cidrs ] || exit 9
      cat >'\(directory.path)/asked'
      echo x >>'\(directory.path)/count'
      printf '%s' '\(diagnostics)' >&2
      printf '%s' '\(text)'
      exit \(status)
      """
    try directory.write("bin/\(PodRangeSource.sibling)", script)
    try #require(chmod("\(directory.path)/bin/\(PodRangeSource.sibling)", 0o755) == 0)
  }

  private func answer(_ ranges: [String], uid: String = "u1") throws {
    let list = ranges.map { "\"\($0)\"" }.joined(separator: ",")
    try answer(#"{"node":"n1","uid":"\#(uid)","server":"https://a:6443","podCIDRs":[\#(list)]}"# + "\n")
  }

  /// How often the sibling was asked.
  private var count: Int { (try? File.contents(at: directory.path + "/count").count / 2) ?? 0 }

  private func invocation(
    _ verb: CNIVerb, _ ipam: String, node: String = "n1", access: String? = nil
  ) throws -> CNIInvocation {
    let access = access ?? #""kubernetes":{"kubeconfig":"\#(directory.path)/kubeconfig"},"#
    let text = """
      {"cniVersion":"1.1.0","name":"pods","nodename":"\(node)",\(access)
       "ipam":{"type":"host-local","dataDir":"\(directory.path)/networks",\(ipam)}}
      """
    return CNIInvocation(
      verb: verb, version: CNIVersion("1.1.0"),
      attachment: Attachment(containerID: "c1", interfaceName: InterfaceName(bytes: Array("eth0".utf8))),
      arguments: CNIArguments([]), configuration: try NetworkConfiguration(parsing: Array(text.utf8)),
      streams: CNIStreams(input: 0, output: 2, diagnostics: 2))
  }

  private func configuration(
    _ verb: CNIVerb = .add, _ ipam: String = #""subnet":"usePodCidr""#, node: String = "n1", access: String? = nil
  ) throws -> HostLocalConfiguration {
    let (directory, clock) = (directory.path, clock)
    return try HostLocalConfiguration(try invocation(verb, ipam, node: node, access: access)) { dataDirectory in
      PodRangeSource(
        cache: PodRangeCache(
          dataDirectory: dataDirectory,
          identity: BootIdentity.Source(machinePath: directory + "/machine-id", bootPath: directory + "/boot_id"),
          now: { clock.seconds.withLock { $0 } }),
        findSibling: { SiblingPlugin(PodRangeSource.sibling, in: directory + "/bin") }, log: { _ in })
    }
  }

  private func sets(_ verb: CNIVerb = .add, _ ipam: String) throws -> [String] {
    try configuration(verb, ipam).rangeSets.map(\.description)
  }

  /// What went wrong.
  private func problem(_ body: () throws -> Void) throws -> HostLocalError {
    do {
      try body()
    } catch let error as HostLocalError {
      return error
    }
    Issue.record("nothing was thrown")
    return HostLocalError(.notFound, "")
  }

  // MARK: - Substitution

  @Test(
    "The words stand in both places, in any case, beside other ranges",
    arguments: [
      (#""subnet":"usePodCidr""#, ["10.99.1.1-10.99.1.254"]),
      (#""subnet":"USEPODCIDR""#, ["10.99.1.1-10.99.1.254"]),
      (
        #""ranges":[[{"subnet":"usePodCidr"}],[{"subnet":"UsePodCIDRIPv6"}]]"#,
        ["10.99.1.1-10.99.1.254", "fd00:99::1-fd00:99::ffff"]
      ),
      (
        #""ranges":[[{"subnet":"usePodCidr"}],[{"subnet":"10.100.0.0/24"}]]"#,
        ["10.99.1.1-10.99.1.254", "10.100.0.1-10.100.0.254"]
      ),
      (
        #""subnet":"usePodCidrIPv6","ranges":[[{"subnet":"usePodCidr","rangeStart":"10.99.1.9"}]]"#,
        ["fd00:99::1-fd00:99::ffff", "10.99.1.9-10.99.1.254"]
      ),
    ])
  func substitution(ipam: String, expected: [String]) throws {
    try answer(["10.99.1.0/24", "fd00:99::/112"])
    #expect(try sets(.add, ipam) == expected)
    #expect(count == 1)
  }

  @Test("A configuration without the words asks nobody")
  func noWord() throws {
    try answer(["10.99.1.0/24"])
    #expect(try sets(.add, #""subnet":"10.1.0.0/24""#) == ["10.1.0.1-10.1.0.254"])
    #expect(count == 0)
  }

  @Test("The sibling gets the configuration as it is")
  func input() throws {
    try answer(["10.99.1.0/24"])
    _ = try configuration()
    let asked = try JSON(parsing: try File.contents(at: directory.path + "/asked"))
    #expect(asked.objectValue?["ipam"]?.objectValue?["subnet"]?.stringValue == "usePodCidr")
    #expect(asked.objectValue?["nodename"]?.stringValue == "n1")
  }

  @Test(
    "Of each family the last network counts; a family that is missing is told in upstream's words",
    arguments: [
      (["10.1.0.0/24"], "usePodCidr", "10.1.0.1-10.1.0.254"),
      (["fd00::/112", "10.1.0.0/24", "10.2.0.0/24"], "usePodCidr", "10.2.0.1-10.2.0.254"),
      (["10.1.0.0/24"], "usePodCidrIPv6", "usePodCidrIPv6 found but there is no IPv6 CIDR configured"),
      (["fd00::/112"], "usePodCidr", "usePodCidr found but there is no IPv4 CIDR configured"),
      (["10.1.0.0/24", "10.2.0.0/24"], "usePodCidr", "ClusterCIDR contains two ranges of the same type"),
      ([], "usePodCidr", "no podCidr for node n1"),
    ])
  func families(ranges: [String], word: String, expected: String) throws {
    try answer(ranges)
    let ipam = #""subnet":"\#(word)""#
    if expected.contains(" ") {
      #expect(try problem { _ = try sets(.add, ipam) }.message == expected)
    } else {
      #expect(try sets(.add, ipam) == [expected])
    }
  }

  @Test(
    "Malformed ranges beside a word are told in upstream's words",
    arguments: [
      (
        #""subnet":"usePodCidr","ranges":{"a":1}"#,
        #"failed to parse host-local IPAM ranges section; was expecting a list, not: {"a":1}"#
      ),
      (
        #""subnet":"usePodCidr","ranges":["x"]"#,
        #"failed to parse host-local IPAM range set; was expecting a list, not: "x""#
      ),
    ])
  func malformed(ipam: String, expected: String) throws {
    try answer(["10.99.1.0/24"])
    #expect(try problem { _ = try sets(.add, ipam) }.message == expected)
  }

  @Test(
    "DEL, CHECK, GC and STATUS ask nobody, whatever stands beside the words",
    arguments: [CNIVerb.del, .check, .gc, .status],
    [
      #""subnet":"usePodCidr","rangeStart":"10.99.1.9""#,
      #""ranges":[[{"subnet":"usePodCidr","gateway":"10.99.1.1"}],[{"subnet":"10.100.0.0/24"}],[{"subnet":"usePodCidrIPv6"}]]"#,
    ])
  func independence(verb: CNIVerb, ipam: String) throws {
    _ = try configuration(verb, ipam)
    _ = try configuration(verb, ipam, access: "")
    #expect(count == 0)
  }

  @Test("STATUS knows the ranges that are at hand")
  func status() throws {
    try answer(["10.99.1.0/24"])
    let ipam = #""subnet":"usePodCidr""#
    let unknown = try sets(.status, ipam)
    #expect(unknown == ["240.0.0.1-240.0.0.254"])
    _ = try configuration()
    #expect(try sets(.status, ipam) == ["10.99.1.1-10.99.1.254"])
    #expect(count == 1)
  }

  // MARK: - Access

  @Test("Without access to Kubernetes in the configuration the words are refused")
  func refusal() throws {
    try answer(["10.99.1.0/24"])
    let error = try problem { _ = try configuration(access: #""policy":{"type":"k8s"},"#) }
    #expect(error.message == "usePodCidr needs access to Kubernetes, and the configuration gives none")
    #expect(error.details.contains("kubernetes.kubeconfig"))
    #expect(count == 0)
  }

  @Test("A sibling that is missing, fails or talks nonsense is named, with its reason and its advice")
  func failures() throws {
    #expect(
      try problem { _ = try configuration() }.message
        == "cannot find out the pod CIDRs of node n1: there is no calico-ipam-kubernetes beside host-local")
    try answer("", status: 1, diagnostics: "a warning\nnodes \"n1\" not found\ncreate it\n")
    let failed = try problem { _ = try configuration() }
    #expect(failed.message == "cannot find out the pod CIDRs of node n1: nodes \"n1\" not found")
    #expect(failed.details == "create it")
    for text in ["", "{}", "[]", #"{"node":"n1","uid":"u","server":"s","podCIDRs":["x"]}"#] {
      try answer(text)
      #expect(try problem { _ = try configuration() }.message.hasSuffix("an answer that cannot be understood"))
    }
  }

  // MARK: - The answer at hand

  @Test("An answer is good for ten minutes, and after that an unreachable server is an error, not the old range")
  func lifetime() throws {
    try answer(["10.99.1.0/24"])
    _ = try configuration()
    clock.seconds.withLock { $0 += 600 }
    _ = try configuration()
    #expect(count == 1)
    clock.seconds.withLock { $0 += 1 }
    try answer("", status: 1, diagnostics: "connection refused\nstart it\n")
    #expect(try problem { _ = try configuration() }.message.contains("connection refused"))
    try answer(["10.99.7.0/24"], uid: "u2")
    #expect(try sets(.add, #""subnet":"usePodCidr""#) == ["10.99.7.1-10.99.7.254"])
  }

  @Test("An answer of another boot, another node, another access, or from the future is not taken")
  func keys() throws {
    try answer(["10.99.1.0/24"])
    _ = try configuration()
    _ = try configuration(node: "n2")
    #expect(count == 2)
    _ = try configuration(node: "n2", access: #""kubernetes":{"k8s_api_root":"https://b"},"#)
    #expect(count == 3)
    _ = try configuration()
    try directory.boot("22222222-2222-2222-2222-222222222222")
    _ = try configuration()
    #expect(count == 5)
    try directory.write("kubeconfig", "another server")
    _ = try configuration()
    #expect(count == 6)
    clock.seconds.withLock { $0 -= 1 }
    _ = try configuration()
    #expect(count == 7)
  }

  @Test("A damaged answer, or one that others may write, is not taken")
  func damage() throws {
    try answer(["10.99.1.0/24"])
    _ = try configuration()
    let path = "networks/.swift-ipam/pod-cidrs"
    let good = try File.contents(at: directory.path + "/" + path)
    try directory.write(path, Array(good.dropLast(3)))
    _ = try configuration()
    #expect(count == 2)
    try #require(chmod(directory.path + "/" + path, 0o666) == 0)
    _ = try configuration()
    #expect(count == 3)
  }
}
