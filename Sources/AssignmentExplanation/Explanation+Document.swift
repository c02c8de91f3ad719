import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
public import JSON

extension Explanation {
  /// The explanation for programs. Every member is always there; those that are not known are null.
  ///
  /// ```json
  /// {
  ///   "node": "node-a", "namespace": null, "pod": null, "network": "k8s-pod-network", "time": "2026-08-22T13:33:00Z",
  ///   "outcome": "assigned",
  ///   "addresses": [
  ///     {"address": "10.65.0.2/26", "block": "10.65.0.0/26", "pool": "default", "source": "own", "owner": null}
  ///   ],
  ///   "refusal": null,
  ///   "remedies": [],
  ///   "asked": {
  ///     "families": ["IPv4"], "familiesBy": "configuration",
  ///     "pools": {"IPv4": [], "IPv6": []}, "poolsBy": {"IPv4": "configuration", "IPv6": "configuration"},
  ///     "addresses": [], "namespaceLabels": {}
  ///   },
  ///   "pools": [{"pool": "default", "cidr": "10.65.0.0/16", "family": "IPv4", "usable": true, "reason": null}],
  ///   "blocks": [
  ///     {"block": "10.65.0.0/26", "owner": "host:node-a", "free": 61, "inUse": 3, "cooling": 0, "reserved": 0,
  ///      "nextFree": null, "verdicts": ["own"]}
  ///   ],
  ///   "limits": [],
  ///   "writes": [{"kind": "IPAMBlock", "name": "10.65.0.0/26", "owner": null}],
  ///   "notes": []
  /// }
  /// ```
  ///
  /// The kinds of `writes` are `IPAMBlock`, `BlockAffinity`, which has an `owner` as well, and `IPAMHandle`.
  ///
  /// `outcome` is `assigned` or `refused`; `refusal` has the plugin's `message` and `details`; a remedy has a `text`, and
  /// a `command` or null. `source` is `own`, `new`, `borrowed`, `reused` or null for a virtual machine's. `familiesBy`
  /// and `poolsBy` are `configuration`, `pod`, `namespace` or `call`. A pool's `reason` has a `code` (`otherFamily`,
  /// `disabled`, `beingDeleted`, `notAllocatable`, `blockSize`, `blocksTooSmall`, `notRequested`, `manual`,
  /// `nodeSelector`, `namespaceSelector`, `allowedUses`, `doesNotContain`), for selectors `selector` and `labels`, and a
  /// `text`. A block's `verdicts` are `own`, `ownIsFull`, `outsidePools`, `givenUp`, `deselected`, `claimedInVain`,
  /// `reserved`, `confirms`, `completesClaim`, `claims`, `adopts`, `others`, `reclaims`, `tooYoung`, `unreclaimable`, in
  /// the order in which they came to be. `limits` has objects with a `code`: `blockLimit` (`owned`, `limit`),
  /// `claimsAreOff`, `borrowingIsOff`, `remembersFullPools`, `requestedPoolMissing` (`cidr`), `everyBlockExists`
  /// (`pool`), `withholds`, `addressIsTaken` (`address`, `block`, `handle`, `owner`, `releasedAt`), `affinityForbids`
  /// (`block`, `owner`), `handleIsFull` (`handle`, `count`, `limit`).
  public var document: JSON {
    [
      "node": .string(question.node), "namespace": .text(question.namespace), "pod": .text(question.pod),
      "network": .string(network), "time": .string(time.description),
      "outcome": isAssigned ? "assigned" : "refused",
      "addresses": .array(addresses.map(\.document)), "refusal": refusal,
      "remedies": .array(
        remedies.map { ["text": .string($0.text), "command": .text($0.command)] }),
      "asked": wishes?.document ?? .null,
      "pools": .array(pools.map { $0.document(question) }),
      "blocks": .array(blocks.map(\.document)),
      "limits": .array(decisions.compactMap(\.limit)),
      "writes": .array(writes.map(\.document)),
      "notes": .array(notes.map { .string($0) }),
    ]
  }

  private var refusal: JSON {
    guard case .refused(let failure) = outcome else { return .null }
    return ["message": .string(failure.message.trimmingEnd), "details": .string(failure.details)]
  }
}

extension JSON {
  /// A string, or null for nothing.
  fileprivate static func text(_ text: String?) -> JSON { text.map { .string($0) } ?? .null }

  fileprivate static func integer(_ number: Int?) -> JSON { number.map { .number(JSONNumber($0)) } ?? .null }

  fileprivate static func texts(_ texts: [String: String]) -> JSON {
    .object(
      JSONObject(texts.sorted { $0.key < $1.key }.map { JSONObject.Member(key: $0.key, value: .string($0.value)) }))
  }
}

extension Key {
  fileprivate var document: JSON {
    let (kind, name, owner): (String, String, BlockOwner?) =
      switch self {
      case .block(let cidr): ("IPAMBlock", cidr.description, nil)
      case .affinity(let owner, let cidr): ("BlockAffinity", cidr.description, owner)
      case .handle(let identifier): ("IPAMHandle", identifier, nil)
      case .configuration: ("IPAMConfiguration", "default", nil)
      case .host(let name): ("Host", name, nil)
      case .resource(let kind, let name): (kind.rawValue, name, nil)
      }
    return ["kind": .string(kind), "name": .string(name), "owner": .text(owner?.description)]
  }
}

extension AddressFamily {
  fileprivate var name: String { "IPv\(rawValue)" }
}

extension Explanation.AddressFinding {
  fileprivate var document: JSON {
    var (kind, owner): (String?, String?) = (nil, nil)
    switch source {
    case .own: kind = "own"
    case .new: kind = "new"
    case .borrowed(let lender): (kind, owner) = ("borrowed", lender)
    case .reused: kind = "reused"
    case nil: break
    }
    return [
      "address": .string(address.description), "block": .text(block?.description), "pool": .text(pool),
      "source": .text(kind), "owner": .text(owner),
    ]
  }
}

extension Wishes {
  fileprivate var document: JSON {
    let families = (assignsV4 ? ["IPv4"] : []) + (assignsV6 ? ["IPv6"] : [])
    return [
      "families": .array(families.map { .string($0) }), "familiesBy": .string(familiesSource.code),
      "pools": [
        "IPv4": .array(poolsV4.map { .string($0) }), "IPv6": .array(poolsV6.map { .string($0) }),
      ],
      "poolsBy": ["IPv4": .string(poolsV4Source.code), "IPv6": .string(poolsV6Source.code)],
      "addresses": .array(addresses.map { .string($0.description) }),
      "namespaceLabels": .texts(namespaceLabels),
    ]
  }
}

extension Wishes.Source {
  fileprivate var code: String {
    switch self {
    case .configuration: "configuration"
    case .annotation(let bearer): bearer.rawValue
    case .call: "call"
    }
  }
}

extension Explanation.PoolFinding {
  fileprivate func document(_ question: AssignmentQuestion) -> JSON {
    var reason = JSON.null
    if let obstacle {
      var members: JSONObject = ["code": .string(obstacle.code)]
      switch obstacle {
      case .nodeSelector(let selector, let labels), .namespaceSelector(let selector, let labels):
        members["selector"] = .string(selector)
        members["labels"] = .texts(labels)
      default: break
      }
      members["text"] = .string(obstacle.phrase(question))
      reason = .object(members)
    }
    return [
      "pool": .string(pool.name), "cidr": .string(pool.cidr), "family": .string(pool.family.name),
      "usable": .bool(obstacle == nil), "reason": reason,
    ]
  }
}

extension PoolObstacle {
  fileprivate var code: String {
    switch self {
    case .otherFamily: "otherFamily"
    case .unusable(.disabled): "disabled"
    case .unusable(.beingDeleted): "beingDeleted"
    case .unusable(.notAllocatable): "notAllocatable"
    case .unusable(.blockSize): "blockSize"
    case .blocksTooSmall: "blocksTooSmall"
    case .notRequested: "notRequested"
    case .manual: "manual"
    case .nodeSelector: "nodeSelector"
    case .namespaceSelector: "namespaceSelector"
    case .use: "allowedUses"
    case .doesNotContain: "doesNotContain"
    }
  }
}

extension Explanation.BlockFinding {
  fileprivate var document: JSON {
    [
      "block": .string(block.description), "owner": .text(tally?.owner), "free": .integer(tally?.free),
      "inUse": .integer(tally?.inUse), "cooling": .integer(tally?.cooling), "reserved": .integer(tally?.reserved),
      "nextFree": .text(tally?.nextFree?.description), "verdicts": .array(fates.map { .string($0.code) }),
    ]
  }
}

extension BlockFate {
  fileprivate var code: String {
    switch self {
    case .own: "own"
    case .ownIsFull: "ownIsFull"
    case .outsidePools: "outsidePools"
    case .deselected(isGivenUp: true): "givenUp"
    case .deselected(isGivenUp: false): "deselected"
    case .claimedInVain: "claimedInVain"
    case .reserved: "reserved"
    case .confirms: "confirms"
    case .completesClaim: "completesClaim"
    case .claims: "claims"
    case .adopts: "adopts"
    case .others: "others"
    case .reclaims: "reclaims"
    case .tooYoung: "tooYoung"
    case .unreclaimable: "unreclaimable"
    }
  }
}

extension Decision {
  /// What is neither about a pool nor about a block alone, and gives nothing.
  fileprivate var limit: JSON? {
    switch self {
    case .pool, .block, .gives: nil
    case .requestedPoolMissing(let cidr): ["code": "requestedPoolMissing", "cidr": .string(cidr.description)]
    case .everyBlockExists(let pool): ["code": "everyBlockExists", "pool": .string(pool.name)]
    case .blockLimit(let limit):
      [
        "code": "blockLimit", "family": .string(limit.family.name), "owned": .integer(limit.owned),
        "limit": .integer(limit.limit), "reached": .bool(limit.isReached),
      ]
    case .claimsAreOff(let family): ["code": "claimsAreOff", "family": .string(family.name)]
    case .borrowingIsOff(let family): ["code": "borrowingIsOff", "family": .string(family.name)]
    case .remembersFullPools(let family): ["code": "remembersFullPools", "family": .string(family.name)]
    case .withholds(let family): ["code": "withholds", "family": .string(family.name)]
    case .addressIsTaken(let address, let holder):
      [
        "code": "addressIsTaken", "address": .string(address.description), "block": .string(holder.block.description),
        "handle": .text(holder.handleID), "owner": .texts(holder.attributes),
        "releasedAt": .text(holder.releasedAt?.description),
      ]
    case .affinityForbids(let block, let owner):
      ["code": "affinityForbids", "block": .string(block.description), "owner": .text(owner)]
    case .handleIsFull(let handle, let family, let count, let limit):
      [
        "code": "handleIsFull", "handle": .string(handle), "family": .string(family.name), "count": .integer(count),
        "limit": .integer(limit),
      ]
    }
  }
}
