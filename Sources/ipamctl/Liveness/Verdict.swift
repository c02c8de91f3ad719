import IPAddressing

/// How a reservation looks.
enum Liveness: String, CaseIterable {
  case alive
  case dead
  case unknown
  case damaged
}

/// What is known about one reservation and its host when it is judged.
struct Facts: Hashable {
  /// Whether the entry is empty.
  var isDamaged = false
  /// Whether the content is something that a plugin could have written.
  var namesContainer = true
  /// A namespace that has the address.
  var holder: String?
  /// Where a runtime keeps the container's state.
  var runtimeDirectory: String?
  /// Whether the reservation is proven to stem from an earlier boot.
  var isFromEarlierBoot = false
  /// The namespaces that the result cache names for the attachment.
  var cachedNamespaces: [CachedNamespace] = []
  /// How many network namespaces were looked at.
  var namespaceCount = 0
  /// How many runtime state directories were searched.
  var runtimePlaces = 0
  /// Whether every namespace, cache and runtime directory could be read.
  var isLookComplete = true

  /// A namespace by the path that the runtime gave it.
  struct CachedNamespace: Hashable {
    let path: String
    /// The file that names it.
    let file: String
    /// Whether it is known that nothing, or no namespace, is at the path.
    let isGone: Bool
  }
}

/// How a reservation looks, and why.
struct Verdict: Hashable {
  let liveness: Liveness
  let findings: [Finding]

  init(_ liveness: Liveness, _ findings: [Finding]) {
    self.liveness = liveness
    self.findings = findings
  }

  /// Why, in one line.
  var reason: String { findings.map(\.text).joined(separator: "; ") }

  /// Judges a reservation. Whatever speaks for life outweighs everything else, and doubt is never death.
  static func judge(_ facts: Facts) -> Verdict {
    let configured = facts.holder.map { [Finding.configured(in: $0)] } ?? []
    if facts.isDamaged { return Verdict(.damaged, [.empty] + configured) }
    if !configured.isEmpty { return Verdict(.alive, configured) }
    if let directory = facts.runtimeDirectory { return Verdict(.alive, [.knownToRuntime(directory: directory)]) }
    guard facts.isLookComplete else { return Verdict(.unknown, [.lookIncomplete]) }
    let absence = Finding.configuredNowhere(namespaces: facts.namespaceCount)
    if facts.isFromEarlierBoot { return Verdict(.dead, [.fromEarlierBoot, absence]) }
    guard facts.namesContainer else { return Verdict(.unknown, [.namesNoContainer]) }
    // A namespace may live without its address being configured in it: a virtual machine inside may have it.
    let remaining = facts.cachedNamespaces.filter { !$0.isGone }
    guard remaining.isEmpty else {
      return Verdict(.unknown, remaining.map { .namespaceRemains(path: $0.path, file: $0.file) })
    }
    let gone = facts.cachedNamespaces.map { Finding.namespaceGone(path: $0.path, file: $0.file) }
    let unknownToRuntimes = Finding.unknownToRuntimes(places: facts.runtimePlaces)
    if facts.runtimePlaces > 0 { return Verdict(.dead, gone + [unknownToRuntimes, absence]) }
    return gone.isEmpty ? Verdict(.unknown, [.noRuntime]) : Verdict(.dead, gone + [absence])
  }
}
