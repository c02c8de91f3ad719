import CalicoBackend
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Synchronization
import Testing

@testable import DatastoreMigration

/// Datastores between which things move, and a clock that stands still.
struct MigrationWorld {
  static let surroundings = ResourceSurroundings(
    now: { Timestamp(seconds: 1_786_698_753) }, makeUUID: { "11111111-2222-4333-8444-555555555555" },
    pause: { _ in }, releasePoolAffinities: { _ in }, releaseAddresses: { _ in }, releaseHostAffinities: { _ in })

  let source: InMemoryDatastore

  /// A cluster of two nodes, one of which Kubernetes calls by another name: two pools, blocks of both families, borrowed
  /// and cooling addresses, tunnels of both families.
  init() throws {
    source = InMemoryDatastore()
    for (path, text) in Self.entries { source.put(Array(text.utf8), at: path) }
  }

  static let entries: [String: String] = {
    let resources = "/calico/resources/v3/projectcalico.org/"
    let ipam = "/calico/ipam/v2/"
    let meta = #""uid":"u","creationTimestamp":"2026-01-01T00:00:00Z""#
    let head = #""apiVersion":"projectcalico.org/v3""#
    return [
      resources + "ippools/four":
        #"{"kind":"IPPool",\#(head),"metadata":{"name":"four",\#(meta),"labels":{"a":"b"}},"spec":{"cidr":"10.0.0.0/16","blockSize":30}}"#,
      resources + "ippools/six":
        #"{"kind":"IPPool",\#(head),"metadata":{"name":"six",\#(meta)},"spec":{"cidr":"fd00::/64","blockSize":126}}"#,
      resources + "ipreservations/r":
        #"{"kind":"IPReservation",\#(head),"metadata":{"name":"r",\#(meta)},"spec":{"reservedCIDRs":["10.0.0.3"]}}"#,
      resources + "tiers/default":
        #"{"kind":"Tier",\#(head),"metadata":{"name":"default",\#(meta)},"spec":{"order":1000000,"defaultAction":"Deny"},"status":{}}"#,
      resources + "nodes/old-a":
        #"{"kind":"Node",\#(head),"metadata":{"name":"old-a",\#(meta)},"spec":{"ipv4VXLANTunnelAddr":"10.0.0.1","orchRefs":[{"nodeName":"kube-a","orchestrator":"k8s"}]},"status":{}}"#,
      resources + "nodes/node-b":
        #"{"kind":"Node",\#(head),"metadata":{"name":"node-b",\#(meta)},"spec":{"orchRefs":[{"nodeName":"node-b","orchestrator":"k8s"}]},"status":{}}"#,
      resources + "clusterinformations/default":
        #"{"kind":"ClusterInformation",\#(head),"metadata":{"name":"default",\#(meta)},"spec":{"clusterGUID":"0123","calicoVersion":"v3.30.0","datastoreReady":false}}"#,
      ipam + "assignment/ipv4/block/10.0.0.0-30": block(
        "10.0.0.0/30", "host:old-a", ["0", "1", "null", "2"], [2],
        [
          #"{"handle_id":"vxlan-tunnel-addr-old-a","secondary":{"node":"old-a","type":"vxlanTunnelAddress"}}"#,
          #"{"handle_id":"pod.1","secondary":{"node":"node-b","pod":"web"},"alternateOwnerAttrs":{"node":"old-a"}}"#,
          #"{"releasedAt":"2026-08-14T09:12:30Z"}"#,
        ], numbers: #""0":7,"1":8,"3":9"#),
      ipam + "assignment/ipv6/block/fd00::-126": block(
        "fd00::/126", "host:old-a", ["0", "null", "null", "null"], [1, 2, 3],
        [#"{"handle_id":"vxlan-v6-tunnel-addr-old-a","secondary":{"node":"old-a"}}"#], numbers: #""0":5"#),
      ipam + "host/old-a/ipv4/block/10.0.0.0-30": #"{"state":"confirmed","deleted":false}"#,
      ipam + "host/old-a/ipv6/block/fd00::-126": #"{"state":"confirmed","deleted":false}"#,
      ipam + "virtual/load-balancer/ipv4/block/10.0.1.0-30": #"{"state":"pending","deleted":false}"#,
      ipam + "handle/vxlan-tunnel-addr-old-a": #"{"block":{"10.0.0.0/30":1},"deleted":false}"#,
      ipam + "handle/vxlan-v6-tunnel-addr-old-a": #"{"block":{"fd00::/126":1},"deleted":false}"#,
      ipam + "handle/pod.1": #"{"block":{"10.0.0.0/30":1},"deleted":false}"#,
      ipam + "config": #"{"strict_affinity":true,"auto_allocate_blocks":true,"maxBlocksPerHost":4}"#,
    ]
  }()

  static func block(
    _ cidr: String, _ affinity: String, _ allocations: [String], _ free: [Int], _ attributes: [String], numbers: String
  ) -> String {
    """
    {"cidr":"\(cidr)","affinity":"\(affinity)","allocations":[\(allocations.joined(separator: ","))],\
    "unallocated":[\(free.map(String.init).joined(separator: ","))],"attributes":[\(attributes.joined(separator: ","))],\
    "sequenceNumber":100,"sequenceNumberForAllocation":{\(numbers)},"deleted":false}
    """
  }

  /// What the source holds, as `export` gives it.
  func export() async throws -> MigrationDocument {
    try await MigrationExport(source, lock: MigrationLock(source, surroundings: Self.surroundings)).document()
  }

  /// Imports a document as it is after it was written and read.
  @discardableResult
  static func run(
    _ document: MigrationDocument, into store: any Datastore, isKubernetes: Bool = false, events: Events = Events()
  ) async throws -> MigrationImport.Report {
    let read = try MigrationDocument(parsing: try document.text(), name: "file")
    return try await MigrationImport(
      read, into: store, isKubernetes: isKubernetes, surroundings: surroundings, tell: { events.add($0) }
    ).run()
  }
}

/// What an import has told.
final class Events: Sendable {
  private let list = Mutex<[MigrationImport.Event]>([])

  var warnings: [String] {
    list.withLock { events in
      events.compactMap { event in
        if case .warning(let text) = event { text } else { nil }
      }
    }
  }

  /// How far it was said to be, in the order in which that was said.
  var advances: [MigrationProgress] {
    list.withLock { events in
      events.compactMap { event in
        if case .advance(let progress) = event { progress } else { nil }
      }
    }
  }

  func add(_ event: MigrationImport.Event) { list.withLock { $0.append(event) } }
}

extension InMemoryDatastore {
  func text(_ path: String) -> String? { dump()[path].map { String(decoding: $0, as: UTF8.self) } }
}

/// Counts, across threads.
final class Counter: Sendable {
  private let number = Mutex(0)
  private let limit: Int

  init(_ limit: Int) { self.limit = limit }

  /// The count so far, and one more.
  func next() -> Int {
    number.withLock { number in
      number += 1
      return number
    }
  }

  /// Whether the limit is not passed yet.
  func count() -> Bool { next() <= limit }
}
