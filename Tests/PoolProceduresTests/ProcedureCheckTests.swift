import CalicoModel
import Datastore
import IPAddressing
import JSON
import Testing

@testable import PoolProcedures

@Suite("What stands in the way of procedures")
struct ProcedureCheckTests {
  /// A world, what is wanted in it, and a part of every reason against it.
  struct Refusal: Sendable, CustomTestStringConvertible {
    var name: String
    var request: ProcedureRequest
    var reasons: [String]
    var prepare: @Sendable (ProcedureWorld) async throws -> Void

    init(
      _ name: String, _ request: ProcedureRequest, _ reasons: [String],
      _ prepare: @escaping @Sendable (ProcedureWorld) async throws -> Void = { _ in }
    ) {
      self.name = name
      self.request = request
      self.reasons = reasons
      self.prepare = prepare
    }

    var testDescription: String { name }
  }

  private static func migration(_ cidr: String?, to name: String = "new", blockSize: Int? = nil) -> ProcedureRequest {
    .migration(from: "old", to: name, cidr: cidr.flatMap { CIDR($0) }, blockSize: blockSize)
  }

  private static func resizing(_ size: Int, _ cidr: CIDR?, name: String? = nil) -> ProcedureRequest {
    .resizing("old", blockSize: size, temporaryName: name, temporaryCIDR: cidr ?? CIDR(host: unspecified))
  }

  /// For a range that is none; the tests would say so.
  private static let unspecified = IPAddress(v4: 0)

  private static func old(_ world: ProcedureWorld, _ more: String, metadata: String = "") {
    world.pool("old", "10.65.0.0/24", #""blockSize":26,"# + more, metadata: metadata)
  }

  static let refusals = [
    Refusal("no new pool", migration(nil), ["there is no IPPool new; give --cidr for it to be created"]),
    Refusal("the same pool", migration(nil, to: "old"), ["IPPool old cannot be migrated to itself"]),
    Refusal("nested in the old pool", migration("10.65.0.0/25"), ["CIDR overlaps with IPPool(old) CIDR 10.65.0.0/24"]),
    Refusal("around the old pool", migration("10.0.0.0/8"), ["CIDR overlaps with IPPool(old) CIDR 10.65.0.0/24"]),
    Refusal("another IP version", migration("fd00::/112"), ["fd00::/112 is of another IP version than IPPool old"]),
    Refusal("host bits", migration("10.66.0.1/24"), ["IPPool CIDR is not strictly masked"]),
    Refusal(
      "a block size out of bounds", migration("10.66.0.0/24", blockSize: 33),
      ["blockSize must be between 20 and 32 for IPv4 pools"]),
    Refusal("too few addresses", migration("10.66.0.0/32"), ["has 1 free addresses; 2 of IPPool old are in use"]),
    Refusal("a name that is none", migration("10.66.0.0/24", to: "New_Pool"), ["name must consist of lower case"]),
    Refusal(
      "another range than the existing pool's", migration("10.67.0.0/24"), ["IPPool new exists, and has 10.66.0.0/24"]
    ) {
      $0.pool("new", "10.66.0.0/24")
    },
    Refusal(
      "another block size than the existing pool's", migration(nil, blockSize: 27),
      ["IPPool new exists, and has blocks of /26, which cannot be changed"]
    ) { $0.pool("new", "10.66.0.0/24") },
    Refusal("a new pool that is disabled", migration(nil), ["IPPool new is disabled; enable it first"]) {
      $0.pool("new", "10.66.0.0/24", #""disabled":true"#)
    },
    Refusal("an existing pool of another IP version", migration(nil), ["is of another IP version than IPPool old"]) {
      $0.pool("new", "fd00::/112")
    },
    Refusal(
      "an existing pool that overlaps with a third", migration(nil), ["overlaps with IPPool third (10.66.0.0/16)"]
    ) {
      $0.pool("new", "10.66.0.0/24")
      $0.pool("third", "10.66.0.0/16")
    },
    Refusal(
      "an existing pool around the old one", migration(nil), ["IPPool old (10.65.0.0/24) overlaps with IPPool new"]
    ) {
      $0.pool("new", "10.0.0.0/8")
    },
    Refusal(
      "an existing pool for others", migration(nil),
      [
        "assignmentMode Manual", "does not allow the use Workload", "selects other namespaces",
        "node node-a uses IPPool old, and IPPool new does not select it (rack == 'b')",
      ]
    ) {
      $0.pool(
        "new", "10.66.0.0/24",
        #""assignmentMode":"Manual","allowedUses":["Tunnel"],"namespaceSelector":"a == 'b'","nodeSelector":"rack == 'b'""#
      )
    },
    Refusal("an old pool that is disabled", migration("10.66.0.0/24"), ["IPPool old is disabled; enable it first"]) {
      old($0, #""disabled":true"#)
    },
    Refusal("an old pool that is being deleted", migration("10.66.0.0/24"), ["IPPool old is being deleted"]) {
      old($0, #""natOutgoing":true"#, metadata: #","deletionTimestamp":"2026-08-14T09:12:33Z""#)
    },
    Refusal("an old pool for Services", migration("10.66.0.0/24"), ["IPPool old is for load balancers"]) {
      old($0, #""allowedUses":["LoadBalancer"]"#)
    },
    Refusal("a pool of the operator's", migration("10.66.0.0/24"), ["IPPool old belongs to the Tigera operator"]) {
      old(
        $0, #""natOutgoing":true"#, metadata: #","labels":{"app.kubernetes.io/managed-by":"tigera-operator"}"#)
    },
    Refusal(
      "blocks of another size in the old pool", migration("10.66.0.0/24"),
      ["overlaps with IPPool old and is none of its blocks of /27"]
    ) { $0.pool("old", "10.65.0.0/24", #""blockSize":27"#) },
    Refusal(
      "addresses outside every pool", migration("10.66.0.0/24"),
      ["with 1 address in use lies in 10.66.0.0/24 and is of no pool"]
    ) { world in
      world.pool("gone", "10.66.0.0/24")
      try await world.addPod("stray", "node-a", pools: [try #require(CIDR("10.66.0.0/24"))])
      world.memory.put(nil, at: KeyPath.path(of: .resource(.ipPool, "gone")))
    },
    Refusal("more nodes than blocks", migration("10.66.0.0/26"), ["who may not borrow (strict affinity)"]) {
      $0.put(.configuration, #"{"strict_affinity":true,"auto_allocate_blocks":true}"#)
    },
    Refusal("everything reserved", migration("10.66.0.0/24"), ["has 0 free addresses"]) {
      $0.put(
        .resource(.ipReservation, "all"),
        #"{"kind":"IPReservation","metadata":{"name":"all"},"spec":{"reservedCIDRs":["10.66.0.0/16"]}}"#)
    },
    Refusal("a store that is locked", migration("10.66.0.0/24"), ["the datastore is locked"]) {
      $0.put(
        .resource(.clusterInformation, "default"),
        #"{"kind":"ClusterInformation","metadata":{"name":"default"},"spec":{"datastoreReady":false}}"#)
    },
    Refusal("a pool that cannot be read", migration("10.66.0.0/24"), ["IPPool broken cannot be read"]) {
      $0.put(.resource(.ipPool, "broken"), "{")
    },
    Refusal("a damaged record", migration(nil), ["the record of a procedure in annotation"]) {
      $0.pool("new", "10.66.0.0/24", metadata: #","annotations":{"swift-ipam/pool-procedure":"{"}"#)
    },
    Refusal("the size that it has", resizing(26, CIDR("10.99.0.0/24")), ["IPPool old has blocks of /26 already"]),
    Refusal("a size out of bounds", resizing(19, CIDR("10.99.0.0/24")), ["blockSize must be between 20 and 32"]),
    Refusal("blocks larger than the pool", resizing(23, CIDR("10.99.0.0/24")), ["IP pool size is too small"]),
    Refusal(
      "a temporary pool in the old one", resizing(28, CIDR("10.65.0.128/25")), ["CIDR overlaps with IPPool(old)"]),
    Refusal("a temporary pool that exists", resizing(28, CIDR("10.99.0.0/24"), name: "there"), ["IPPool there exists"])
    {
      $0.pool("there", "10.98.0.0/24")
    },
    Refusal("several things at once", migration("fd00::/112"), ["is disabled", "another IP version"]) {
      old($0, #""disabled":true"#)
    },
  ]

  @Test("refused with the reason, and nothing is written", arguments: refusals)
  func refused(_ refusal: Refusal) async throws {
    let world = try await ProcedureWorld.inhabited()
    try await refusal.prepare(world)
    let before = world.memory.dump()
    let error = await ending { try await world.begin(refusal.request) }
    #expect(error?.code == .refused)
    for reason in refusal.reasons {
      #expect(error?.description.contains(reason) == true, "\(error?.description ?? "begun")")
    }
    #expect(world.memory.dump() == before)
  }

  @Test("a pool that is not there is named, with those that are")
  func missing() async throws {
    let world = try await ProcedureWorld.inhabited()
    let error = await ending {
      try await world.begin(.migration(from: "odl", to: "new", cidr: CIDR("10.66.0.0/24"), blockSize: nil))
    }
    #expect(error == ProcedureError(.notFound, "there is no IPPool odl; there is: old"))
  }

  @Test("the plan notes what does not stand in the way and should be known")
  func notes() async throws {
    let world = try await ProcedureWorld.inhabited()
    world.pool("new", "10.66.0.0/26", #""vxlanMode":"Always""#)
    let notes = try await world.runner.propose(Self.migration(nil)).notes.joined(separator: "\n")
    for text in ["by name", "wraps packets between nodes in another way", "some will borrow", "pod network"] {
      #expect(notes.contains(text))
    }
  }

  @Test("IPv6 pools as well")
  func v6() async throws {
    let world = ProcedureWorld()
    world.pool("old", "fd00:65::/112")
    try await world.begin(.migration(from: "old", to: "new", cidr: CIDR("fd00:66::/64"), blockSize: nil))
    #expect(world.ippool("new")?.blockSize == 122)
    #expect(world.ippool("old") == nil)
  }
}
