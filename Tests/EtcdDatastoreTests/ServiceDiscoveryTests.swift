import Datastore
import Glibc
import TestSupport
import Testing

@testable import EtcdDatastore

/// A name server in a network of its own, to which the host's own addresses of name servers lead there.
private struct NameServer {
  /// The name servers that the host asks.
  static let addresses: [String] = {
    let text = (try? Command.output(["cat", "/etc/resolv.conf"])) ?? ""
    let lines = text.split(separator: "\n").map { $0.split { $0 == " " || $0 == "\t" } }
    let named = lines.filter { $0.first == "nameserver" && $0.count > 1 }.prefix(3).map { String($0[1]) }
    return named.isEmpty ? ["127.0.0.1"] : Array(named)
  }()

  static var isPossible: Bool { NetworkNamespace.isPossible && !addresses.contains { $0.contains(":") } }

  private static let program = #"""
    use Socket;
    socket S, AF_INET, SOCK_DGRAM, 0; bind S, sockaddr_in(53, INADDR_ANY); $| = 1; print "ready\n";
    while ($from = recv S, $asked, 512, 0) {
      $question = substr $asked, 12; ($first, $second) = unpack "C/a C/a", $question; print "$first.$second\n";
      next if $ARGV[0] eq "silent";
      $end = index $question, "\0"; $question = substr $question, 0, $end + 5;
      $isKnown = $first eq "_etcd-client";
      $target = pack "C/a C/a x", "m1", "example"; $data = pack("n3", 10, 5, 2379) . $target;
      $answer = substr($asked, 0, 2) . pack("n5", $isKnown ? 0x8180 : 0x8183, 1, $isKnown, 0, 0) . $question;
      $answer .= pack("n3 N n/a", 0xC00C, 33, 1, 60, $data) if $isKnown;
      send S, $answer, 0, $from;
    }
    """#

  private let log: String
  private let process: GuardedProcess

  /// Starts a server; in a network namespace.
  init(_ mode: String) throws {
    try NetworkNamespace.execute("ip link set lo up")
    for address in Set(Self.addresses) where !address.hasPrefix("127.") {
      try NetworkNamespace.execute("ip address add \(address)/32 dev lo")
    }
    log = "/tmp/names-\(mode)-\(getpid()).log"
    process = try GuardedProcess(["perl", "-e", Self.program, mode], log: log)
    while lines().isEmpty { usleep(20_000) }
  }

  /// What it has written; nothing before it has begun.
  private func lines() -> [Substring] { ((try? Command.output(["cat", log])) ?? "").split(separator: "\n") }

  /// What the server was asked for, up to now; it ends.
  func asked() -> [String] {
    defer { unlink(log) }
    process.end()
    return lines().dropFirst().map(String.init)
  }
}

@Suite(
  "The members of a cluster are found by a domain", .serialized,
  .enabled(if: NameServer.isPossible, "needs root, and no name server by IPv6"))
struct ServiceDiscoveryTests {
  @Test("both services are asked for, and what there is counts")
  func found() throws {
    try NetworkNamespace.run {
      let server = try NameServer("answering")
      let endpoints = try ServiceDiscovery.endpoints(of: "example")
      #expect(endpoints == [EtcdEndpoint(host: "m1.example", port: 2379, usesTLS: false)])
      #expect(server.asked() == ["_etcd-client-ssl._tcp", "_etcd-client._tcp"])
    }
  }

  @Test("servers that are silent are asked for one service once, or twice when there is one server")
  func silent() throws {
    try NetworkNamespace.run {
      let server = try NameServer("silent")
      let error = try #require(throws: DatastoreError.self) { try ServiceDiscovery.endpoints(of: "example") }
      #expect(error.code == .unavailable)
      #expect(error.description == "cannot look up the etcd members of example: no name server answers")
      let asked = server.asked()
      #expect(asked.count == max(2, NameServer.addresses.count))
      #expect(Set(asked) == ["_etcd-client-ssl._tcp"])
    }
  }

  @Test("where nobody listens it is told as well")
  func refused() throws {
    try NetworkNamespace.run {
      let error = try #require(throws: DatastoreError.self) { try ServiceDiscovery.endpoints(of: "example") }
      #expect(error.code == .unavailable)
      #expect(error.advice == "see /etc/resolv.conf, or name the endpoints with ETCD_ENDPOINTS")
    }
  }
}
