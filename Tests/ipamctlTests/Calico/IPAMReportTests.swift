import ArgumentParser
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Testing

@testable import ipamctl

@Suite("Reports of ipam check -o, and ipam release --from-report")
final class IPAMReportTests {
  private let fixture: CalicoFixture
  private var report: String { fixture.host.root + "/report.json" }

  init() throws { fixture = try CalicoFixture() }

  private func populate(ready: Bool? = false) async throws {
    try await fixture.pool("p", "10.0.0.0/24", blockSize: 29)
    try fixture.host.write("", to: "/run/netns/alive")
    try await fixture.evidence("alive", namespace: fixture.namespace("/run/netns/alive"))
    try await fixture.block(
      "10.0.0.8/29", "host:n",
      [
        .pod(0, "pods.alive", node: "n"), .cooling(1),
        .init(2, #"{"handle_id":"old<1>","secondary":{"node":"m","timestamp":"2026-01-01 00:00:00 +0000 UTC"}}"#),
      ])
    try await fixture.put(
      .affinity(BlockOwner(.host, "n"), try #require(CIDR("10.0.0.8/29"))), #"{"state":"confirmed"}"#)
    try await fixture.handle("pods.alive", ["10.0.0.8/29": 1])
    try await fixture.handle("old<1>", ["10.0.0.8/29": 1])
    try await fixture.handle("leaked", ["10.0.0.8/29": 1])
    let state = ready.map { #","datastoreReady":\#($0)"# } ?? ""
    try await fixture.put(
      .resource(.clusterInformation, "default"),
      #"{"metadata":{"name":"default"},"spec":{"clusterGUID":"abc","clusterType":"k8s"\#(state)}}"#)
  }

  private func release(_ arguments: String...) async throws -> Transcript {
    try await IPAMReleaseCommand.asyncParse(arguments).execute(fixture.session)
  }

  @Test("a report has every address in the order of texts, and the handles that hold none")
  func contents() async throws {
    try await populate()
    _ = try await fixture.check(["-o", report])
    let revisions = [
      try await fixture.session.entry(.resource(.clusterInformation, "default"))?.revision.token,
      try await fixture.session.entry(.handle("leaked"))?.revision.token,
    ].map { $0 ?? "" }
    #expect(
      String(decoding: try HostFiles.contents(of: report), as: UTF8.self) == """
        {
          "version": "0.1.0",
          "clusterGUID": "abc",
          "datastoreLocked": true,
          "clusterInformationRevision": "\(revisions[0])",
          "clusterType": "k8s",
          "allocations": {
            "10.0.0.10": [
              {
                "ip": "10.0.0.10",
                "handle": "old\\u003c1\\u003e",
                "sequenceNumber": 102,
                "node": "m",
                "creationTimestamp": "2026-01-01 00:00:00 +0000 UTC",
                "inUse": false,
                "borrowed": true,
                "owners": null
              }
            ],
            "10.0.0.8": [
              {
                "ip": "10.0.0.8",
                "handle": "pods.alive",
                "sequenceNumber": 100,
                "pod": "web",
                "namespace": "default",
                "node": "n",
                "inUse": true,
                "owners": [
                  "Workload(pods/alive)"
                ]
              }
            ],
            "10.0.0.9": [
              {
                "ip": "10.0.0.9",
                "sequenceNumber": 101,
                "node": "n",
                "inUse": false,
                "coolingDown": true,
                "owners": null
              }
            ]
          },
          "leakedHandles": [
            {
              "ID": "leaked",
              "UID": null,
              "Revision": "\(revisions[1])"
            }
          ]
        }
        """)
  }

  @Test("what nobody uses is released, once")
  func releases() async throws {
    try await populate()
    _ = try await fixture.check(["-o", report])
    #expect(
      try await release("--from-report", report)
        == Transcript(
          output: """
            Releasing 1 old IPs...
            Released 1 IPs successfully
            Deleting 1 handles...
            Key: '.' = Deleted OK; 'x' = skip, handle missing/changed.
            .
            Released 1 handles; 0 skipped; 0 errors.
            You may now unlock the data store.

            """))
    #expect(try await fixture.text(.handle("leaked")) == nil)
    #expect(try await fixture.text(.handle("old<1>")) == nil)
    let again = try await release("--from-report", report)
    #expect(again.output.contains("An error occurred while releasing some IPs: update conflict: 10.0.0.10"))
    #expect(!again.output.contains("Released 1 IPs"))
    #expect(again.output.contains("x\nReleased 0 handles; 1 skipped; 0 errors.\n"))
    #expect(again.status == 1)
  }

  @Test("the datastore must be locked, unless it is forced")
  func lock() async throws {
    try await populate(ready: nil)
    _ = try await fixture.check(["-o", report])
    let refusal = try await release("--from-report", report)
    #expect(refusal == .failed("data store is not locked. Either lock the data store, or re-run with --force"))
    let forced = try await release("--from-report", report, "--force")
    #expect(forced.output.hasPrefix("WARNING: Data store is not locked. Ignoring due to --force option\nReleasing 1"))
    #expect(forced.status == 0)
  }

  @Test("a report of another cluster, of another version, or of another time is refused")
  func refusals() async throws {
    try await populate()
    _ = try await fixture.check(["-o", report])
    let text = String(decoding: try HostFiles.contents(of: report), as: UTF8.self)
    func refused(_ old: String, _ new: String, _ more: String...) async throws -> String {
      let path = try fixture.manifest(text.replacing(old, with: new), "/changed.json")
      return try await IPAMReleaseCommand.asyncParse(["--from-report", path] + more).execute(fixture.session).errors
    }
    #expect(try await refused("abc", "abd", "--force").contains("mismatched cluster GUID. Refusing to release\n"))
    let other = try await refused("0.1.0", "9.9.9")
    #expect(other.contains("was produced using a different version (9.9.9) of calicoctl. Refusing to release\n"))
    let stale = try await refused("InformationRevision\": \"", "InformationRevision\": \"x", "--force")
    #expect(stale.hasPrefix("the provided reports are all stale"))
    #expect(try await refused("{\n", "[").contains("cannot be read"))
    #expect(try await release("--from-report", "/nonexistent").errors.hasPrefix("open /nonexistent: "))
  }

  @Test("of several reports only what all agree on is released")
  func intersection() async throws {
    try await populate()
    _ = try await fixture.check(["-o", report])
    let second = fixture.host.root + "/second.json"
    try await fixture.handle("leaked", ["10.0.0.8/29": 2])
    try fixture.host.addProcess("7", addresses: ["10.0.0.10"])
    _ = try await fixture.check(["-o", second])
    let done = try await release("--from-report", report, "--from-report", second)
    #expect(
      done.output == """
        Report didn't contain any leaked IPs to clean up.
        Report didn't contain any handles to clean up.
        You may now unlock the data store.

        """)
  }
}
