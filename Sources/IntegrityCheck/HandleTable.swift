import CalicoModel
import Datastore
import IPAddressing

/// What handles count and what blocks say that they hold, in columns.
struct HandleTable {
  /// Addresses of one block, by the numbers of a handle and of the block.
  private struct Count {
    var place: UInt64
    var count: Int

    init(_ handle: Int32, _ block: Int32, _ count: Int) {
      place = UInt64(UInt32(bitPattern: handle)) << 32 | UInt64(UInt32(bitPattern: block))
      self.count = count
    }

    var handle: Int32 { Int32(bitPattern: UInt32(place >> 32)) }
    var block: Int32 { Int32(bitPattern: UInt32(truncatingIfNeeded: place)) }
  }

  private(set) var names = NameTable()
  private var networks: [CIDR: Int32] = [:]
  private var cidrs: [CIDR] = []
  private var counted: [Count] = []
  private var held: [Count] = []
  /// For each handle's number the mark of the revision that is stored; nil when none is.
  private var marks: [UInt64?] = []
  /// How many are stored.
  private(set) var storedCount = 0

  /// A handle that was compared and did not fit.
  struct Suspect {
    var name: String
    /// The blocks that it names, or that name it, as far as they do not fit.
    var blocks: [CIDR]
    /// The mark of its revision; nil when it is missing.
    var mark: UInt64?
  }

  mutating func index(of name: String) -> Int32 {
    let index = names.index(of: name)
    if Int(index) == marks.count { marks.append(nil) }
    return index
  }

  private mutating func index(of cidr: CIDR) -> Int32 {
    if let index = networks[cidr] { return index }
    let index = Int32(cidrs.count)
    networks[cidr] = index
    cidrs.append(cidr)
    return index
  }

  /// Takes in a handle that is stored.
  mutating func add(_ name: String, _ counts: [CIDR: Int], _ revision: Revision) {
    let handle = index(of: name)
    if marks[Int(handle)] == nil { storedCount += 1 }
    marks[Int(handle)] = revision.mark
    for (cidr, count) in counts { counted.append(Count(handle, index(of: cidr), count)) }
  }

  /// Takes in how many addresses of a block carry a handle.
  mutating func hold(_ handle: Int32, _ cidr: CIDR, _ count: Int) {
    held.append(Count(handle, index(of: cidr), count))
  }

  /// The handles that do not count what they hold. Those that name blocks which cannot be read are left out: nobody
  /// knows what they hold.
  func suspects(unreadable: Set<CIDR>) -> [Suspect] {
    let counted = counted.sorted { $0.place < $1.place }
    let held = held.sorted { $0.place < $1.place }
    var blocks: [Int32: [CIDR]] = [:]
    var isNamed = [Bool](repeating: false, count: names.count)
    var (left, right) = (0, 0)
    while left < counted.count || right < held.count {
      let isCounted = left < counted.count && (right == held.count || counted[left].place <= held[right].place)
      let isHeld = right < held.count && (left == counted.count || held[right].place <= counted[left].place)
      let item = isCounted ? counted[left] : held[right]
      isNamed[Int(item.handle)] = true
      let fits = isCounted && isHeld && counted[left].count == held[right].count && marks[Int(item.handle)] != nil
      if !fits { blocks[item.handle, default: []].append(cidrs[Int(item.block)]) }
      if isCounted { left += 1 }
      if isHeld { right += 1 }
    }
    // A handle that is stored and counts nothing holds nothing.
    for index in isNamed.indices where !isNamed[index] && marks[index] != nil { blocks[Int32(index)] = [] }
    return blocks.compactMap { handle, blocks in
      guard unreadable.isDisjoint(with: blocks) else { return nil }
      return Suspect(name: names[handle], blocks: blocks, mark: marks[Int(handle)])
    }.sorted { $0.name < $1.name }
  }
}

extension Revision {
  /// Eight bytes that tell this revision from others, for comparing with a later one.
  var mark: UInt64 {
    var hasher = Hasher()
    hasher.combine(self)
    return UInt64(bitPattern: Int64(hasher.finalize()))
  }
}
