import IPAddressing

/// The pools, and which of them a destination is in.
struct PoolIndex: Sendable {
  private(set) var pools: [String: RoutingPool] = [:]
  /// The names of the pools that have a prefix; more than one is a mistake, and the first by name counts.
  private var names = PrefixTree<[String]>()

  /// Sets a pool, or removes it with nil; returns the prefixes in which other pools may count now.
  mutating func update(_ name: String, _ pool: RoutingPool?) -> [CIDR] {
    let old = pools[name]
    guard old != pool else { return [] }
    if let old { setNames(old.cidr) { $0.filter { $0 != name } } }
    if let pool { setNames(pool.cidr) { ($0 + [name]).sorted() } }
    pools[name] = pool
    return [old?.cidr.canonical, pool?.cidr.canonical].compactMap { $0 }
  }

  private mutating func setNames(_ cidr: CIDR, _ change: ([String]) -> [String]) {
    let changed = change(names[cidr] ?? [])
    names[cidr] = changed.isEmpty ? nil : changed
  }

  /// The pool that a destination is in, the smallest when pools overlap.
  func pool(containing destination: CIDR) -> (name: String, pool: RoutingPool)? {
    guard let name = names.longest(containing: destination)?.value.first, let pool = pools[name] else { return nil }
    return (name, pool)
  }

  /// The prefixes of the pools that an address is in.
  func prefixes(containing address: IPAddress) -> [CIDR] {
    var prefixes: [CIDR] = []
    names.forEach(containing: CIDR(host: address)) { prefix, _ in prefixes.append(prefix) }
    return prefixes
  }

  /// The pool that has exactly this prefix.
  func pool(of prefix: CIDR) -> RoutingPool? {
    names[prefix]?.first.flatMap { pools[$0] }
  }

  /// What is wrong with the pools among each other, and with each.
  var issues: [ConditionLedger.Issue] {
    var issues: [ConditionLedger.Issue] = []
    for (name, pool) in pools {
      let prefix = pool.cidr.canonical
      func report(_ what: String) {
        issues.append(.init(.malformed, "pool \(name)", "pool \(name) (\(prefix)) \(what)"))
      }
      if pool.classification == .ipipOverIPv6 {
        report("wants IPIP, which carries IPv4 only: it has no routes; set ipipMode to Never, or use VXLAN")
      }
      names.forEach(containing: prefix) { other, names in
        guard let counting = names.first, counting != name else { return }
        let what = other == prefix ? "has the prefix of pool \(counting), which counts" : "lies in pool \(counting)"
        report("\(what): pools must not overlap; change one of them")
      }
    }
    return issues
  }
}
