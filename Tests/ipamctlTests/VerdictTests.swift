import Testing

@testable import ipamctl

@Suite("The verdict on a reservation")
struct VerdictTests {
  /// Facts with what they must lead to.
  struct Case: CustomTestStringConvertible, Sendable {
    let testDescription: String
    let liveness: Liveness
    let codes: [String]
    let facts: @Sendable (inout Facts) -> Void

    init(
      _ name: String,
      _ liveness: Liveness,
      _ codes: [String],
      _ facts: @escaping @Sendable (inout Facts) -> Void
    ) {
      testDescription = name
      self.liveness = liveness
      self.codes = codes
      self.facts = facts
    }
  }

  static let gone = Facts.CachedNamespace(path: "/run/netns/a", file: "/var/lib/cni/results/a", isGone: true)
  static let there = Facts.CachedNamespace(path: "/run/netns/b", file: "/var/lib/cni/results/b", isGone: false)

  static let cases = [
    Case("a configured address is alive", .alive, ["addressConfigured"]) { $0.holder = "network namespace a" },
    Case("a configured address is alive, whatever else says", .alive, ["addressConfigured"]) {
      $0.holder = "network namespace a"
      $0.isFromEarlierBoot = true
      $0.cachedNamespaces = [gone]
      $0.isLookComplete = false
    },
    Case("a known container is alive", .alive, ["containerKnown"]) { $0.runtimeDirectory = "/run/runc/c1" },
    Case("a known container is alive although recorded before", .alive, ["containerKnown"]) {
      $0.runtimeDirectory = "/run/runc/c1"
      $0.isFromEarlierBoot = true
      $0.cachedNamespaces = [gone]
    },
    Case("a known container is alive in an incomplete look", .alive, ["containerKnown"]) {
      $0.runtimeDirectory = "/run/runc/c1"
      $0.isLookComplete = false
    },
    Case("an earlier boot is death", .dead, ["earlierBoot", "addressConfiguredNowhere"]) {
      $0.isFromEarlierBoot = true
      $0.runtimePlaces = 0
    },
    Case("a namespace that is gone is death", .dead, ["namespaceGone", "containerUnknown", "addressConfiguredNowhere"])
    {
      $0.cachedNamespaces = [gone]
    },
    Case("a namespace that is gone is death without a runtime", .dead, ["namespaceGone", "addressConfiguredNowhere"]) {
      $0.cachedNamespaces = [gone]
      $0.runtimePlaces = 0
    },
    Case("a namespace that remains is a doubt", .unknown, ["namespaceRemains"]) { $0.cachedNamespaces = [there] },
    Case("one namespace of two that remains is a doubt", .unknown, ["namespaceRemains"]) {
      $0.cachedNamespaces = [gone, there]
    },
    Case("an unknown container is dead", .dead, ["containerUnknown", "addressConfiguredNowhere"]) { _ in },
    Case("without runtimes nothing is known", .unknown, ["noRuntimeState"]) { $0.runtimePlaces = 0 },
    Case("content that names no container is a doubt", .unknown, ["namesNoContainer"]) { $0.namesContainer = false },
    Case("an empty entry is damaged", .damaged, ["entryEmpty"]) { $0.isDamaged = true },
    Case("an empty entry is damaged, and its address in use", .damaged, ["entryEmpty", "addressConfigured"]) {
      $0.isDamaged = true
      $0.holder = "network namespace a"
    },
  ]

  @Test("is", arguments: cases)
  func judges(_ item: Case) {
    var facts = Facts()
    facts.namespaceCount = 3
    facts.runtimePlaces = 2
    item.facts(&facts)
    let verdict = Verdict.judge(facts)
    #expect(verdict.liveness == item.liveness)
    #expect(verdict.findings.map(\.code) == item.codes)
  }

  @Test("never death while the look is incomplete, whatever speaks for it")
  func doubtIsNotDeath() {
    for isFromEarlierBoot in [false, true] {
      for cached in [[], [Self.gone], [Self.there]] {
        for places in 0...2 {
          var facts = Facts()
          facts.isLookComplete = false
          facts.isFromEarlierBoot = isFromEarlierBoot
          facts.cachedNamespaces = cached
          facts.runtimePlaces = places
          #expect(Verdict.judge(facts) == Verdict(.unknown, [.lookIncomplete]))
        }
      }
    }
  }

  @Test("says why in one line")
  func reason() {
    var facts = Facts()
    facts.namespaceCount = 1
    facts.runtimePlaces = 1
    facts.cachedNamespaces = [Self.gone]
    #expect(
      Verdict.judge(facts).reason
        == "its network namespace /run/netns/a is gone (named in /var/lib/cni/results/a); no runtime knows the container "
        + "(1 place searched); the one network namespace of this host does not have the address"
    )
  }
}
