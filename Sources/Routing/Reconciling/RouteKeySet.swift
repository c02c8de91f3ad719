import IPAddressing
import Netlink

/// Keys of routes, counted by family as they come and go.
///
/// Nearly always it is empty. Then it takes no memory, and to be asked or told of a key costs it nothing.
struct RouteKeySet: Sendable {
  private(set) var keys: Set<RouteKey> = []
  private var countV4 = 0

  var isEmpty: Bool { keys.isEmpty }

  func count(_ family: AddressFamily) -> Int { family == .v4 ? countV4 : keys.count - countV4 }

  func contains(_ key: RouteKey) -> Bool { keys.contains(key) }

  /// Makes room for so many more keys at once.
  mutating func reserve(_ count: Int) { keys.reserveCapacity(keys.count + count) }

  mutating func insert(_ key: RouteKey) {
    if keys.insert(key).inserted, key.family == .v4 { countV4 += 1 }
  }

  /// Returns whether the key was there.
  @discardableResult
  mutating func remove(_ key: RouteKey) -> Bool {
    guard keys.discard(key) else { return false }
    if key.family == .v4 { countV4 -= 1 }
    // A set keeps the room that it once needed: after a first sync that of every route.
    if keys.isEmpty { keys = [] }
    return true
  }
}

extension Set {
  /// Removes an element; where there are none, without a look at it. Returns whether it was there.
  @discardableResult
  mutating func discard(_ element: Element) -> Bool { !isEmpty && remove(element) != nil }
}

extension Dictionary {
  /// Removes a value; where there are none, without a look at its key.
  mutating func discard(_ key: Key) {
    if !isEmpty { self[key] = nil }
  }
}

extension Dictionary where Value == Int {
  /// Counts something; what comes to 0 is forgotten. Returns what it comes to.
  @discardableResult
  mutating func count(_ key: Key, by change: Int) -> Int {
    guard let index = index(forKey: key) else {
      self[key] = change
      return change
    }
    values[index] += change
    let count = values[index]
    if count == 0 { remove(at: index) }
    return count
  }
}
