public import CalicoModel
public import Datastore
public import IPAddressing

/// Looks whether blocks, handles, affinities, pools and those who use addresses fit together, and tells in calicoctl's
/// words and order (calicoctl specification, section 3.3).
///
/// Entries are read page by page, and of each a few bytes are kept. Nothing is changed. The datastore may be in use:
/// what does not fit at the first look is looked at again, one by one, and only what is the same at two looks counts.
///
/// Call ``loadEntries()``, then ``loadPools()`` and ``loadNodes()``; then tell who uses addresses, and
/// ``conclude(_:)``.
public struct IntegrityCheck {
  /// How a check is made.
  public struct Options: Sendable {
    /// Whether each address has a line, and what it belongs to.
    public var showsAll = false
    /// Whether each problem has a line.
    public var showsProblems = false
    /// How long to wait before what did not fit is looked at again.
    public var pause: Duration = .seconds(1)
    /// How often that is done with what changes all the time.
    public var looks = 5
    /// How long a page of entries may take, in milliseconds.
    public var millisecondsPerPage: UInt64 = 90_000

    public init() {}
  }

  /// Who uses an address.
  public struct User: Hashable, Sendable {
    /// As it is printed: `Workload(default/node--1-k8s-web--0-eth0)`.
    public var text: String
    /// The pod, as `namespace/name`; nil for what is none.
    public var pod: String?

    public init(_ text: String, pod: String? = nil) {
      self.text = text
      self.pod = pod
    }
  }

  let store: any Datastore
  let options: Options
  let now: () -> Timestamp
  private let print: (String) -> Void
  /// Takes every address that is given out, for a report.
  var record: ((AllocationEntry) -> Void)?

  var allocations = AllocationTable()
  var handles = HandleTable()
  var affinities = AffinityTable()
  var blockSuspects: [BlockSuspect] = []
  /// Blocks that nothing can be read of.
  var unreadableBlocks: Set<CIDR> = []
  /// Blocks that contradict themselves, and of which something can be read.
  var brokenBlocks: Set<CIDR> = []
  var nodeNames: Set<String> = []
  var oddities: [Fault] = []
  var remains: [Key: UInt64] = [:]
  var cooldown = 0
  var activePools: [IPPool] = []
  /// Who uses addresses that are not given out, or not in an active pool.
  var strays: [IPAddress: [User]] = [:]
  /// Pods, as `namespace/name`, that are there and have not said their addresses yet.
  var waitingPods: Set<String> = []
  /// Who uses what is given out, if that is to be recorded.
  var users: [Int: [String]] = [:]

  /// A check.
  ///
  /// - Parameters:
  ///   - store: the datastore.
  ///   - options: how it is made.
  ///   - now: tells the time.
  ///   - print: takes the lines of the report.
  public init(
    _ store: any Datastore, _ options: Options, now: @escaping () -> Timestamp, print: @escaping (String) -> Void
  ) {
    self.store = store
    self.options = options
    self.now = now
    self.print = print
  }

  /// An address that is given out, for a report.
  public struct AllocationEntry {
    /// Its number among all.
    public var index: Int
    public var address: IPAddress
    public var attribute: AllocationAttribute?
    public var sequenceNumber: UInt64
    public var node: String
    /// Whether the node is not that of the block.
    public var isBorrowed: Bool
  }

  /// Has every address that is given out handed over as it is read, and who uses it kept.
  public mutating func recordAllocations(_ record: @escaping (AllocationEntry) -> Void) { self.record = record }

  func line(_ text: String = "") { print(text) }

  func all(_ text: @autoclosure () -> String) {
    if options.showsAll { print(text()) }
  }

  func problem(_ text: @autoclosure () -> String) {
    if options.showsAll || options.showsProblems { print(text()) }
  }

  // MARK: Who uses addresses

  /// Takes in that somebody uses an address.
  public mutating func use(_ address: IPAddress, by user: User) {
    all("  \(address) belongs to \(user.text)")
    let index = allocations.index(of: address)
    if let index {
      allocations.traits[index].insert(allocations.traits[index].contains(.isUsed) ? .isUsedTwice : .isUsed)
      if record != nil { users[index, default: []].append(user.text) }
      if isInActivePool(address) { return }
    }
    strays[address, default: []].append(user)
  }

  /// Takes in that there is a pod that has not said its addresses yet: what is given out for it may be in use.
  public mutating func await(pod: String) { waitingPods.insert(pod) }

  /// Prints a line between the sections that the check prints itself.
  public func say(_ text: String = "") { print(text) }

  /// How many addresses somebody uses.
  public var usedCount: Int {
    allocations.traits.count { $0.contains(.isUsed) } + strays.keys.count { allocations.index(of: $0) == nil }
  }

  /// Whether an address is given out, whoever uses it.
  public func isGivenOut(_ address: IPAddress) -> Bool { allocations.index(of: address) != nil }

  /// Whether somebody is known to use an address.
  public func isUsed(_ address: IPAddress) -> Bool {
    if let index = allocations.index(of: address) { return allocations.traits[index].contains(.isUsed) }
    return strays[address] != nil
  }

  /// Hands over the addresses that some handles hold.
  public func addresses(ofHandles wanted: Set<String>) -> [String: [IPAddress]] {
    if wanted.isEmpty { return [:] }
    var found: [String: [IPAddress]] = [:]
    for block in allocations.blocks {
      for index in block.range {
        guard allocations.handles[index] >= 0, allocations.traits[index].isDisjoint(with: .cools) else { continue }
        let name = handles.names[allocations.handles[index]]
        if wanted.contains(name) { found[name, default: []].append(allocations.address(index, in: block)) }
      }
    }
    return found
  }

  /// Who uses an address, by its number among all.
  public func users(of index: Int) -> [String] { users[index] ?? [] }

  func isInActivePool(_ address: IPAddress) -> Bool { activePools.contains { $0.cidr?.contains(address) == true } }
}
