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
  var statements = Statements.none
  var route: DesiredRoute?
  var issues: [ConditionLedger.Issue] = []
  /// The address whose lookup in the kernel matters here.
  var lookup: IPAddress?
  /// How many blocks or ranges have exactly this prefix, whether a node has them or not.
  var blocks: Int32 = 0

  var isEmpty: Bool { statements.isEmpty && blocks == 0 }
}

/// The destinations, by prefix and by the nodes that are named for them.
struct DestinationIndex: Sendable {
  private(set) var tree = PrefixTree<Destination>()
  /// The destinations that a node is named for, by whatever and whether it has them or not.
  private var byNode: [String: Set<CIDR>] = [:]

  /// The destinations that change when a node does.
  func destinations(of node: String) -> Set<CIDR> { byNode[node] ?? [] }

  /// Adds what is said of a destination, and counts a block that says so of itself.
  ///
  /// - Parameters:
  ///   - statement: what is said.
  ///   - destination: the destination.
  ///   - blocks: how many more blocks have exactly this prefix now.
  /// - Returns: whether it is said of a block.
  mutating func add(_ statement: Statement, to destination: CIDR, blocks: Int32 = 0) -> Bool {
    var isBlock = false
    tree.modify(destination, default: Destination()) {
      $0.statements.append(statement)
      $0.blocks += blocks
      isBlock = $0.blocks > 0
    }
    byNode[statement.owner, default: []].insert(destination)
    return isBlock
  }

  /// Returns whether it was said of a block.
  mutating func remove(_ statement: Statement, from destination: CIDR) -> Bool {
    var (isStillNamed, isBlock) = (false, false)
    tree.modify(destination) { entry in
      isBlock = entry.blocks > 0
      entry.statements.remove(statement)
      entry.statements.forEach { if $0.owner == statement.owner { isStillNamed = true } }
    }
    guard !isStillNamed else { return isBlock }
    byNode[statement.owner]?.remove(destination)
    if byNode[statement.owner]?.isEmpty == true { byNode[statement.owner] = nil }
    return isBlock
  }

  /// Makes room for so many destinations at once.
  mutating func reserve(_ count: Int) { tree.reserve(count) }

  /// Counts blocks of exactly this prefix.
  mutating func countBlock(_ block: CIDR, _ difference: Int32) {
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
  ///
  /// - Parameters:
  ///   - destination: the destination.
  ///   - entry: what there is of it so far.
  ///   - route: the route to it.
  ///   - lookup: the address whose lookup matters.
  ///   - issues: what is to be reported.
  mutating func settle(
    _ destination: CIDR, _ entry: Destination, _ route: DesiredRoute?, lookup: IPAddress?,
    issues: [ConditionLedger.Issue]
  ) {
    if entry.isEmpty {
      tree[destination] = nil
    } else if entry.route != route || entry.lookup != lookup || entry.issues != issues {
      tree.modify(destination) {
        $0.route = route
        $0.lookup = lookup
        $0.issues = issues
      }
    }
  }
}
