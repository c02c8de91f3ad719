import CalicoModel
import Datastore
import IPAddressing
import Routing

/// A store, and short ways to put into it what nodes and people would.
struct Cluster: Sendable {
  let store: any Datastore

  init(_ store: any Datastore = InMemoryDatastore()) {
    self.store = store
  }

  func put(_ key: Key, _ value: Value?) async throws {
    let final = value.map { Change.Final.value($0) } ?? .delete
    let outcome = try await store.commit(
      Plan([Change(key, base: .any, final: final)]), deadline: .after(milliseconds: 20_000))
    guard case .applied = outcome else { throw DatastoreError(.unavailable, "\(outcome)") }
  }

  func put(_ key: Key, text: String) async throws { try await put(key, .resource(Array(text.utf8))) }

  func pool(_ name: String, _ specification: String) async throws {
    let text = #"{"kind":"IPPool","metadata":{"name":"\#(name)"},"spec":{\#(specification)}}"#
    try await put(.resource(.ipPool, name), text: text)
  }

  func node(_ name: String, _ specification: String, metadata: String = "") async throws {
    let text = #"{"kind":"Node","metadata":{"name":"\#(name)"\#(metadata)},"spec":{\#(specification)}}"#
    try await put(.resource(.node, name), text: text)
  }

  func affinity(_ node: String, _ block: CIDR, _ state: BlockAffinity.State? = .confirmed) async throws {
    try await put(.affinity(BlockOwner(.host, node), block), state.map { .affinity(BlockAffinity($0)) })
  }

  /// Writes a block of a node, nil for one of nobody; by ordinal there are the nodes that addresses are used at.
  func block(_ cidr: CIDR, of node: String?, _ addresses: [Int: String] = [:], handle: String = "h") async throws {
    try await put(.block(cidr), .block(Self.block(cidr, of: node, addresses, handle: handle)))
  }

  static func block(
    _ cidr: CIDR, of node: String?, _ addresses: [Int: String] = [:], handle: String = "h"
  ) -> IPAMBlock {
    let owner = BlockOwner(.host, node ?? "")
    var block = IPAMBlock(cidr: cidr, owner: owner, time: Timestamp(seconds: 1_787_405_580))
    if node == nil { block.affinity = nil }
    for (ordinal, user) in addresses.sorted(by: { $0.key < $1.key }) {
      let attributes = user.isEmpty ? [:] : ["node": user, "pod": "p"]
      _ = block.assign(
        ordinal: ordinal, attribute: AllocationAttribute(handleID: "\(handle)-\(ordinal)", owner: attributes))
    }
    return block
  }

  /// A block with its affinity, as a node has it that claimed it.
  func claim(_ cidr: CIDR, _ node: String, _ addresses: [Int: String] = [:]) async throws {
    try await block(cidr, of: node, addresses)
    try await affinity(node, cidr)
  }

  func strictAffinity(_ isStrict: Bool) async throws {
    var configuration = IPAMConfiguration()
    configuration.strictAffinity = isStrict
    try await put(.configuration, .configuration(configuration))
  }
}

extension CIDR {
  /// A network that a test writes down; a slip of the pen is 0.0.0.0/32.
  static func text(_ text: String) -> CIDR { CIDR(text) ?? CIDR(host: IPAddress(v4: 0)) }
}

extension Claim {
  /// Owners by destination, as tests write them down.
  init(_ owners: [String: String]) {
    self.init(owners: Dictionary(uniqueKeysWithValues: owners.map { (CIDR.text($0.key), $0.value) }))
  }
}

let blockA = CIDR.text("10.65.0.0/26")
let blockB = CIDR.text("10.65.0.64/26")
let blockC = CIDR.text("10.65.0.128/26")
