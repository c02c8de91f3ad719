import IPAddressing

/// Values by prefix, found by what contains a prefix or by what a prefix contains.
///
/// A binary tree of each family, without the branches that decide nothing:
///
///     10.0.0.0/8 ─┬─ 10.65.0.0/16 ─┬─ 10.65.1.0/26
///                 │                └─ 10.65.2.0/26
///                 └─ 10.96.0.0/12
///
/// Each step down decides a bit at least, so an operation costs no more steps than a prefix has bits, and about the
/// logarithm of the number of values in practice.
struct PrefixTree<Value: Sendable>: Sendable {
  /// A place in the tree. Without a value it has two branches; that is all it is there for. Values are kept apart, so that
  /// such places, nearly half of all, are small, and steps down touch little memory.
  private struct Place: Sendable {
    var prefix: CIDR
    /// Where the value is; -1 for none.
    var value: Int32 = -1
    /// Where the next bit is 0 and where it is 1; -1 for nowhere.
    var zero: Int32 = -1
    var one: Int32 = -1

    init(_ prefix: CIDR) { self.prefix = prefix }

    subscript(bit: Bool) -> Int32 {
      get { bit ? one : zero }
      set { if bit { one = newValue } else { zero = newValue } }
    }
  }

  private var places: [Place] = []
  private var unused: [Int32] = []
  private var values: [Value?] = []
  private var unusedValues: [Int32] = []
  private var rootV4: Int32 = -1
  private var rootV6: Int32 = -1

  /// How many values there are.
  var count: Int { values.count - unusedValues.count }

  /// The value of exactly this prefix; host bits are of no account.
  subscript(prefix: CIDR) -> Value? {
    get {
      let place = find(prefix)
      return place < 0 ? nil : value(at: place)
    }
    set {
      guard let newValue else { return remove(prefix) }
      set(newValue, at: place(of: prefix.canonical))
    }
  }

  /// Changes the value of a prefix where it is. Without one, the default is changed and set, if there is one.
  mutating func modify(_ prefix: CIDR, default: Value? = nil, _ change: (inout Value) -> Void) {
    let place = `default` == nil ? find(prefix) : place(of: prefix.canonical)
    guard place >= 0, var value = value(at: place) ?? `default` else { return }
    // Taken out, so that the change does not copy what the value holds.
    if places[Int(place)].value >= 0 { values[Int(places[Int(place)].value)] = nil }
    change(&value)
    set(value, at: place)
  }

  /// Makes room for so many values at once.
  mutating func reserve(_ count: Int) {
    // A value has a place, and seldom more than one branch above it.
    places.reserveCapacity(2 * count)
    values.reserveCapacity(count)
  }

  private func value(at place: Int32) -> Value? {
    let index = places[Int(place)].value
    return index < 0 ? nil : values[Int(index)]
  }

  private mutating func set(_ value: Value, at place: Int32) {
    let index = places[Int(place)].value
    if index >= 0 {
      values[Int(index)] = value
    } else if let index = unusedValues.popLast() {
      values[Int(index)] = value
      places[Int(place)].value = index
    } else {
      places[Int(place)].value = Int32(truncatingIfNeeded: values.count)
      values.makeRoom()
      values.append(value)
    }
  }
}

// MARK: - Looking

extension PrefixTree {
  /// What contains a prefix, the prefix itself included, shortest first.
  ///
  /// - Parameters:
  ///   - prefix: the prefix.
  ///   - visit: called for each value.
  func forEach(containing prefix: CIDR, _ visit: (CIDR, Value) -> Void) {
    var index = root(prefix.address.family)
    while index >= 0, places[Int(index)].prefix.contains(prefix) {
      if let value = value(at: index) { visit(places[Int(index)].prefix, value) }
      index = places[Int(index)].prefix.prefixLength < prefix.prefixLength ? next(index, towards: prefix) : -1
    }
  }

  /// The longest prefix that contains one, itself included.
  func longest(containing prefix: CIDR) -> (prefix: CIDR, value: Value)? {
    var longest: (CIDR, Value)?
    forEach(containing: prefix) { longest = ($0, $1) }
    return longest
  }

  /// What a prefix contains, itself included, in ascending order, shorter ones first.
  ///
  /// - Parameters:
  ///   - prefix: the prefix.
  ///   - visit: called for each value; returns whether to go on.
  func forEach(within prefix: CIDR, _ visit: (CIDR, Value) -> Bool) {
    var index = root(prefix.address.family)
    while index >= 0, places[Int(index)].prefix.prefixLength < prefix.prefixLength {
      guard places[Int(index)].prefix.contains(prefix) else { return }
      index = next(index, towards: prefix)
    }
    guard index >= 0, prefix.contains(places[Int(index)].prefix) else { return }
    guard places[Int(index)].zero >= 0 || places[Int(index)].one >= 0 else {
      if let value = value(at: index) { _ = visit(places[Int(index)].prefix, value) }
      return
    }
    walk(from: index, visit)
  }

  /// The first of what a prefix contains.
  func first(within prefix: CIDR) -> (prefix: CIDR, value: Value)? {
    var first: (CIDR, Value)?
    forEach(within: prefix) { found, value in
      first = (found, value)
      return false
    }
    return first
  }

  /// Everything, IPv4 first, in ascending order, shorter prefixes first.
  func forEach(_ visit: (CIDR, Value) -> Void) {
    for root in [rootV4, rootV6] where root >= 0 {
      walk(from: root) {
        visit($0, $1)
        return true
      }
    }
  }

  private func walk(from index: Int32, _ visit: (CIDR, Value) -> Bool) {
    var stack = [index]
    while let index = stack.popLast() {
      let place = places[Int(index)]
      if let value = value(at: index), !visit(place.prefix, value) { return }
      if place.one >= 0 { stack.append(place.one) }
      if place.zero >= 0 { stack.append(place.zero) }
    }
  }

  private func root(_ family: AddressFamily) -> Int32 { family == .v4 ? rootV4 : rootV6 }

  private func find(_ prefix: CIDR) -> Int32 {
    var index = root(prefix.address.family)
    while index >= 0, places[Int(index)].prefix.contains(prefix) {
      if places[Int(index)].prefix.prefixLength == prefix.prefixLength { return index }
      index = next(index, towards: prefix)
    }
    return -1
  }

  /// The branch of a place that a longer prefix is on.
  private func next(_ index: Int32, towards prefix: CIDR) -> Int32 {
    places[Int(index)][prefix.bit(at: places[Int(index)].prefix.prefixLength)]
  }
}

// MARK: - Changing

extension PrefixTree {
  /// The place of a prefix, which is made if it is not there.
  private mutating func place(of prefix: CIDR) -> Int32 {
    var parent: Int32 = -1
    var index = root(prefix.address.family)
    while index >= 0 {
      let other = places[Int(index)].prefix
      let shared = prefix.sharedBits(with: other)
      guard shared == other.prefixLength else {
        let leaf = add(Place(prefix))
        let above = put(leaf, prefix, on: index, other, shared)
        replace(index, by: above, below: parent, prefix.address.family)
        return leaf
      }
      if shared == prefix.prefixLength { return index }
      parent = index
      index = next(index, towards: prefix)
    }
    let leaf = add(Place(prefix))
    if parent < 0 {
      setRoot(leaf, prefix.address.family)
    } else {
      places[Int(parent)][prefix.bit(at: places[Int(parent)].prefix.prefixLength)] = leaf
    }
    return leaf
  }

  /// Puts a place beside or above another with which it shares fewer bits than that has; returns what is on top.
  private mutating func put(_ leaf: Int32, _ prefix: CIDR, on index: Int32, _ other: CIDR, _ shared: Int) -> Int32 {
    guard shared < prefix.prefixLength, let fork = CIDR(prefix.address, prefixLength: shared)?.canonical else {
      places[Int(leaf)][other.bit(at: prefix.prefixLength)] = index
      return leaf
    }
    let above = add(Place(fork))
    places[Int(above)][prefix.bit(at: shared)] = leaf
    places[Int(above)][other.bit(at: shared)] = index
    return above
  }

  private mutating func remove(_ prefix: CIDR) {
    let family = prefix.address.family
    var grandparent: Int32 = -1
    var parent: Int32 = -1
    var index = root(family)
    while index >= 0, places[Int(index)].prefix.contains(prefix),
      places[Int(index)].prefix.prefixLength < prefix.prefixLength
    {
      grandparent = parent
      parent = index
      index = next(index, towards: prefix)
    }
    guard index >= 0, places[Int(index)].prefix == prefix.canonical, places[Int(index)].value >= 0 else { return }
    values[Int(places[Int(index)].value)] = nil
    unusedValues.append(places[Int(index)].value)
    places[Int(index)].value = -1
    collapse(index, below: parent, family)
    // The place above may have been there for its two branches alone.
    if parent >= 0, places[Int(parent)].value < 0 { collapse(parent, below: grandparent, family) }
  }

  /// Takes a place out that decides nothing any more.
  private mutating func collapse(_ index: Int32, below parent: Int32, _ family: AddressFamily) {
    let place = places[Int(index)]
    guard place.zero < 0 || place.one < 0 else { return }
    replace(index, by: max(place.zero, place.one), below: parent, family)
    unused.append(index)
  }

  private mutating func replace(_ index: Int32, by other: Int32, below parent: Int32, _ family: AddressFamily) {
    guard parent >= 0 else { return setRoot(other, family) }
    if places[Int(parent)].zero == index { places[Int(parent)].zero = other } else { places[Int(parent)].one = other }
  }

  private mutating func setRoot(_ index: Int32, _ family: AddressFamily) {
    if family == .v4 { rootV4 = index } else { rootV6 = index }
  }

  private mutating func add(_ place: Place) -> Int32 {
    if let index = unused.popLast() {
      places[Int(index)] = place
      return index
    }
    places.makeRoom()
    places.append(place)
    return Int32(truncatingIfNeeded: places.count - 1)
  }
}

extension Array {
  /// Makes room for another element: more by a quarter, where an array would take twice the room. Trees last, and seldom
  /// grow once they are built.
  fileprivate mutating func makeRoom() {
    if count == capacity { reserveCapacity(count + count / 4 + 16) }
  }
}

extension CIDR {
  /// The bit behind so many leading ones of the address.
  fileprivate func bit(at position: Int) -> Bool {
    address.number >> UInt128(address.family.bitWidth - 1 - position) & 1 == 1
  }

  /// How many leading bits two prefixes of a family have in common, as far as both reach.
  fileprivate func sharedBits(with other: CIDR) -> Int {
    let width = address.family.bitWidth
    let equal = (address.number ^ other.address.number).leadingZeroBitCount - (128 - width)
    return min(equal, prefixLength, other.prefixLength)
  }
}
