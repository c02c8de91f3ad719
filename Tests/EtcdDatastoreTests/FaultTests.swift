import CalicoModel
import Datastore
import DatastoreSettings
import EtcdDatastore
import Glibc
import IPAddressing
import NIOCore
import TestSupport
import Testing

@Suite(
  "What befalls an etcd cluster is found out, and told", .serialized,
  .enabled(if: EtcdServer.isPossible, "needs etcd-server"))
struct FaultTests {
  private func store(at ports: Int...) throws -> EtcdDatastore {
    var settings = EtcdSettings()
    settings.endpoints = ports.map { "http://127.0.0.1:\($0)" }
    return try EtcdDatastore(settings)
  }

  // MARK: Members

  @Test("a connection is begun before anything is asked", .timeLimit(.minutes(1)))
  func early() async throws {
    let listener = try await FaultyProxy(to: LoopbackPort.free())
    let store = try store(at: listener.port)
    while listener.control.connections == 0 { try await Task.sleep(for: .milliseconds(5)) }
    #expect(store.statistics.requests == 0)
  }

  @Test("a member that is down is passed over, and the one that works is kept")
  func failover() async throws {
    let server = try EtcdServer()
    let store = try store(at: LoopbackPort.free(), server.port)
    #expect(try await store.put("a").isApplied)
    #expect(try await store.count("a") == 1)
    #expect(store.statistics.connections == 1)
  }

  @Test("when the member in use goes down, the next is asked")
  func memberLost() async throws {
    let servers = [try EtcdServer(), try EtcdServer()]
    for (index, server) in servers.enumerated() {
      _ = try await self.store(at: server.port).put("a", holding: index + 1)
    }
    let store = try store(at: servers[0].port, servers[1].port)
    #expect(try await store.count("a") == 1)
    servers[0].stop()
    #expect(try await store.count("a") == 2)
  }

  @Test("members that cannot be reached are named, each with what was found")
  func unreachable() async throws {
    let ports = [try LoopbackPort.free(), try LoopbackPort.free()]
    let store = try store(at: ports[0], ports[1])
    let error = try await failure { _ = try await store.count("a") }
    #expect(error.code == .unavailable)
    #expect(
      error.description == "cannot connect to etcd at http://127.0.0.1:\(ports[0]): connection refused; "
        + "http://127.0.0.1:\(ports[1]): connection refused")
    #expect(error.advice.contains("see that the member runs and listens at http://127.0.0.1:\(ports[0])"))
    let commit = try await failure { _ = try await store.put("a") }
    #expect(commit == error)
  }

  @Test("a member that takes connections and says nothing is given up before the caller's time is over")
  func silentMember() async throws {
    let server = try EtcdServer()
    server.signal(SIGSTOP)
    let store = try store(at: server.port)
    let error = try await failure {
      _ = try await store.read([.entry(.configuration)], deadline: .after(milliseconds: 60_000))
    }
    #expect(error.description == "cannot connect to etcd at http://127.0.0.1:\(server.port): no answer")
    server.signal(SIGCONT)
    #expect(try await store.put("a").isApplied)
  }

  @Test("what takes a connection and is no etcd is told from what is not there")
  func foreignServer() async throws {
    let port = try LoopbackPort.free()
    let log = "/tmp/foreign-\(port).log"
    defer { unlink(log) }
    // The port of a web server, which hears its callers out: a close before that would take its answer with it.
    let server = try GuardedProcess(
      [
        "perl", "-MIO::Socket::INET", "-e",
        "$l = IO::Socket::INET->new(LocalAddr => '127.0.0.1', LocalPort => \(port), Listen => 9, ReuseAddr => 1);"
          + "$SIG{PIPE} = 'IGNORE'; while ($c = $l->accept) { sysread $c, $b, 9; "
          + "syswrite $c, \"HTTP/1.1 400 Bad Request\\r\\n\\r\\n\"; shutdown $c, 1; 1 while sysread $c, $b, 999; close $c }",
      ], log: log)
    while !LoopbackPort.isOpen(port) { try await Task.sleep(for: .milliseconds(20)) }
    let store = try store(at: port)
    let error = try await failure { _ = try await store.count("a") }
    #expect(error.code == .unavailable)
    #expect(
      error.description.contains("http://127.0.0.1:\(port): what answers there does not speak HTTP/2"), "\(error)")
    server.end()
  }

  @Test("a server that was started again is found again")
  func restart() async throws {
    let server = try EtcdServer()
    let store = try store(at: server.port)
    #expect(try await store.put("a").isApplied)
    server.stop()
    let error = try await failure { _ = try await store.count("a") }
    #expect(error.description.hasSuffix("connection refused"))
    try server.start()
    #expect(try await store.count("a") == 1)
  }

  // MARK: Deadlines

  @Test("when the time is over the text is the original's, and a plan that was sent is in doubt")
  func deadlines() async throws {
    let server = try EtcdServer()
    let store = try store(at: server.port)
    #expect(try await store.put("a").isApplied)
    server.signal(SIGSTOP)
    let error = try await failure {
      _ = try await store.read([.entry(.configuration)], deadline: .after(milliseconds: 300))
    }
    #expect(error.description == "context deadline exceeded")
    #expect(error.advice.contains("http://127.0.0.1:\(server.port)"))
    let plan = Plan([try .handle("b", holding: 1)])
    let outcome = try await store.commit(plan, deadline: .after(milliseconds: 300))
    #expect(outcome == .unknown(Write(.handle("b"), .final, revision: nil), applied: []))
    server.signal(SIGCONT)
    let late = try await failure { _ = try await store.commit(plan, deadline: .after(milliseconds: 0)) }
    #expect(late.description == "context deadline exceeded")
  }

  @Test("a connection that died without a word is found dead, and what was sent on it is in doubt")
  func halfOpen() async throws {
    let server = try EtcdServer()
    let proxy = try await FaultyProxy(to: server.port)
    let store = try store(at: proxy.port)
    #expect(try await store.put("a").isApplied)
    proxy.control.set(.silence)
    let outcome = try await store.commit(
      Plan([try .handle("a", holding: 2)]), deadline: .after(milliseconds: 60_000))
    #expect(outcome.isUnknown)
    proxy.control.cut()
    #expect(try await store.count("a") == 1)
  }

  // MARK: Cuts

  @Test("a plan that was cut off before the server saw it is in doubt, and can be made again")
  func cutBefore() async throws {
    let server = try EtcdServer()
    let proxy = try await FaultyProxy(to: server.port)
    let store = try store(at: proxy.port)
    #expect(try await store.count("a") == nil)
    proxy.control.set(.cutBeforeServer)
    let plan = Plan([try .handle("a", base: .absent, holding: 1)])
    let outcome = try await store.commit(plan, deadline: .after(milliseconds: 10_000))
    #expect(outcome == .unknown(Write(.handle("a"), .final, revision: nil), applied: []))
    #expect(try await store.count("a") == nil)
    #expect(try await store.commit(plan, deadline: .after(milliseconds: 10_000)).isApplied)
  }

  @Test("a plan whose answer was cut off is in doubt, and the same comparison then tells that it was made")
  func cutAfter() async throws {
    let server = try EtcdServer()
    let proxy = try await FaultyProxy(to: server.port)
    let store = try store(at: proxy.port)
    #expect(try await store.count("a") == nil)
    proxy.control.set(.cutAfterServer)
    let plan = Plan([try .handle("a", base: .absent, holding: 1)])
    #expect(try await store.commit(plan, deadline: .after(milliseconds: 10_000)).isUnknown)
    #expect(
      try await store.commit(plan, deadline: .after(milliseconds: 10_000)) == .conflict(.handle("a"), applied: []))
    #expect(try await store.count("a") == 1)
  }

  @Test("a reading that was cut off is made again, and nobody notices")
  func readingCut() async throws {
    let server = try EtcdServer()
    let proxy = try await FaultyProxy(to: server.port)
    let store = try store(at: proxy.port)
    #expect(try await store.put("a").isApplied)
    for fault in [FaultyProxy.Fault.cutBeforeServer, .cutAfterServer] {
      proxy.control.set(fault)
      #expect(try await store.count("a") == 1)
    }
    #expect(store.statistics.connections == 3)
  }

  @Test("on a slow network a batch still takes one round trip")
  func latency() async throws {
    let server = try EtcdServer()
    let proxy = try await FaultyProxy(to: server.port)
    proxy.control.set(.milliseconds(40))
    let store = try store(at: proxy.port)
    #expect(try await store.put("a").isApplied)
    store.resetStatistics()
    let owner = BlockOwner(.host, "node1")
    let reads: [Read] = [
      .entry(.configuration), .entry(.handle("a")), .list(Listing(.affinities(owner, .v4))),
      .list(Listing(.resources(.ipPool))), .list(Listing(.blocks(nil), .keys, limit: 5)),
    ]
    let results = try await store.read(reads, deadline: .after(milliseconds: 10_000))
    #expect(results.count == reads.count)
    #expect(store.statistics.requests == 1)
    #expect(store.statistics.roundTrips == 1)
    #expect(store.statistics.bytesSent > 0)
    #expect(store.statistics.bytesReceived > 0)
    #expect(try await store.put("a", holding: 2).isApplied)
    #expect(store.statistics.roundTrips == 2)
  }

  // MARK: Limits

  @Test("a cluster that is full says so, with what to do, and can still be read")
  func full() async throws {
    let server = try EtcdServer(arguments: ["--quota-backend-bytes", "400000"])
    let store = try store(at: server.port)
    let text = Array(repeating: UInt8(ascii: "x"), count: 60_000)
    var error: DatastoreError?
    // A server looks at its size only where it has written to its file, ten times a second.
    for number in 0..<1000 where error == nil {
      let change = Change(.resource(.ipPool, "p\(number)"), base: .any, final: .value(.resource(text)))
      do {
        _ = try await store.commit(Plan([change]), deadline: .after(milliseconds: 10_000))
      } catch let refusal {
        error = refusal
      }
    }
    let found = try #require(error)
    #expect(found.code == .unusable)
    #expect(found.description.contains("its database is full (etcdserver: mvcc: database space exceeded)"))
    #expect(found.advice.contains("etcdctl alarm disarm"))
    let listing = Listing(.resources(.ipPool), .keys)
    let results = try await store.read([.list(listing)], deadline: .after(milliseconds: 10_000))
    guard case .list(let list) = results[0] else { return }
    #expect(!list.items.isEmpty)
  }

  @Test("a value that is too large for the cluster is refused, and nothing is written")
  func tooLarge() async throws {
    let server = try EtcdServer()
    let store = try store(at: server.port)
    let text = Array(repeating: UInt8(ascii: "x"), count: 2_000_000)
    let change = Change(.resource(.ipPool, "p"), base: .absent, final: .value(.resource(text)))
    let error = try await failure {
      _ = try await store.commit(Plan([change]), deadline: .after(milliseconds: 10_000))
    }
    #expect(error.code == .unusable)
    #expect(error.description.contains("cannot write /calico/resources/v3/projectcalico.org/ippools/p"), "\(error)")
  }

  @Test("an entry that somebody wrote wrongly is passed on as it is, for its reader to name")
  func malformed() async throws {
    let server = try EtcdServer()
    let store = try store(at: server.port)
    try server.control("put", "/calico/ipam/v2/handle/a", "{nonsense")
    try server.control("put", "/calico/ipam/v2/assignment/ipv4/block/10.65.0.0-99", "{}")
    await #expect(throws: ModelError.self) { _ = try await store.count("a") }
    let results = try await store.read([.list(Listing(.blocks(nil)))], deadline: .after(milliseconds: 10_000))
    guard case .list(let list) = results[0] else { return }
    #expect(list.items.isEmpty)
  }
}
