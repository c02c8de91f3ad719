import IPAddressing

/// What says that packets for a destination go to a node.
struct Statement: Hashable, Sendable {
  enum Source: Hashable, Sendable {
    /// A block, or whatever else has claims.
    case claim(CIDR)
    /// The node: it is a range of its own.
    case range
    /// The node: it is its address on a tunnel. Counts only where no block's route leads there anyway.
    case tunnel(Tunnel)
  }

  enum Tunnel: Hashable, Sendable {
    case ipip
    case vxlan
  }

  var source: Source
  var owner: String

  /// Whose word goes first when several name different nodes: a node knows its own addresses best, and the smaller
  /// block what is in it.
  var rank: Int {
    switch source {
    case .tunnel: 0
    case .range: 1
    case .claim(let claim): 1000 - claim.prefixLength
    }
  }
}

/// What is said of one destination, and what came of it.
struct Destination: Sendable {
  var statements: [Statement] = []
  /// How many blocks or ranges have exactly this prefix, whether a node has them or not.
  var blocks = 0
  /// The address whose lookup in the kernel matters here.
  var lookup: IPAddress?
  var issues: [ConditionLedger.Issue] = []

  var isEmpty: Bool { statements.isEmpty && blocks == 0 }
}

/// The destinations, by prefix and by the nodes that are named for them.
struct DestinationIndex: Sendable {
  private(set) var tree = PrefixTree<Destination>()
  /// The destinations that a node is named for, by whatever and whether it has them or not.
  private var byNode: [String: Set<CIDR>] = [:]

  /// The destinations that change when a node does.
  func destinations(of node: String) -> Set<CIDR> { byNode[node] ?? [] }

  mutating func add(_ statement: Statement, to destination: CIDR) {
    tree.modify(destination, default: Destination()) { $0.statements.append(statement) }
    byNode[statement.owner, default: []].insert(destination)
  }

  mutating func remove(_ statement: Statement, from destination: CIDR) {
    var isStillNamed = false
    tree.modify(destination) { entry in
      if let index = entry.statements.firstIndex(of: statement) { entry.statements.remove(at: index) }
      isStillNamed = entry.statements.contains { $0.owner == statement.owner }
    }
    guard !isStillNamed else { return }
    byNode[statement.owner]?.remove(destination)
    if byNode[statement.owner]?.isEmpty == true { byNode[statement.owner] = nil }
  }

  /// Counts blocks of exactly this prefix.
  mutating func countBlock(_ block: CIDR, _ difference: Int) {
    tree.modify(block, default: Destination()) { $0.blocks += difference }
  }

  /// The smallest block or range that an address is in.
  func block(containing address: IPAddress) -> (prefix: CIDR, entry: Destination)? {
    var found: (CIDR, Destination)?
    tree.forEach(containing: CIDR(host: address)) { if $1.blocks > 0 { found = ($0, $1) } }
    return found
  }

  /// The blocks and ranges that a block lies in, without itself.
  func blocks(around block: CIDR) -> [(prefix: CIDR, entry: Destination)] {
    var found: [(CIDR, Destination)] = []
    tree.forEach(containing: block) {
      if $1.blocks > 0, $0.prefixLength < block.prefixLength { found.append(($0, $1)) }
    }
    return found
  }

  /// Keeps what came of a destination; one of which nothing is said is forgotten.
  mutating func settle(_ destination: CIDR, lookup: IPAddress?, issues: [ConditionLedger.Issue]) {
    guard let entry = tree[destination] else { return }
    if entry.isEmpty {
      tree[destination] = nil
    } else if entry.lookup != lookup || entry.issues != issues {
      tree.modify(destination) {
        $0.lookup = lookup
        $0.issues = issues
      }
    }
  }
}
