import IPAddressing
import JSON
import Routing

/// An object of a list of nodes, and where it stands in it.
struct StaticObject {
  let place: String
  private let members: JSONObject

  /// Takes an object that has no other members than these.
  init(_ value: JSON, _ place: String, keys: [String]) throws(StaticNodeListError) {
    guard let members = value.objectValue else {
      throw StaticNodeListError("\(place) is a \(value.kindName), not an object with \(keys.joined(separator: ", "))")
    }
    var seen: Set<String> = []
    for key in members.members.map(\.key) {
      guard keys.contains(key) else {
        let near = keys.filter { Self.distance(key, $0) <= 3 }.min { Self.distance(key, $0) < Self.distance(key, $1) }
        let advice = near.map { "did you mean \"\($0)\"?" } ?? "known are \(keys.joined(separator: ", "))"
        throw StaticNodeListError("\(place) has an unknown key \"\(key)\"; \(advice)")
      }
      guard seen.insert(key).inserted else { throw StaticNodeListError("\(place) has the key \"\(key)\" twice") }
    }
    self.place = place
    self.members = members
  }

  /// How many characters have to be put in, taken out or replaced to make one text of another (Levenshtein).
  private static func distance(_ left: String, _ right: String) -> Int {
    let (left, right) = (Array(left.lowercased()), Array(right.lowercased()))
    var row = Array(0...right.count)
    for (index, character) in left.enumerated() {
      var diagonal = row[0]
      row[0] = index + 1
      for (column, other) in right.enumerated() {
        let replaced = diagonal + (character == other ? 0 : 1)
        diagonal = row[column + 1]
        row[column + 1] = min(replaced, row[column] + 1, diagonal + 1)
      }
    }
    return row[right.count]
  }

  /// The elements of a list; none when it is absent or null.
  func array(_ key: String) throws(StaticNodeListError) -> [JSON] {
    guard let value = members[key] else { return [] }
    if case .null = value { return [] }
    guard let array = value.arrayValue else {
      throw StaticNodeListError("\(place): \(key) is a \(value.kindName), not a list")
    }
    return array
  }

  func texts(_ key: String) throws(StaticNodeListError) -> [String] {
    var texts: [String] = []
    for (index, element) in try array(key).enumerated() {
      guard let text = element.stringValue else {
        throw StaticNodeListError("\(place).\(key)[\(index)] is a \(element.kindName), not a text")
      }
      texts.append(text)
    }
    return texts
  }

  /// The value that a text stands for; nil when it is absent or null.
  func value<Value>(
    _ key: String, _ expectation: String, _ parse: (String) -> Value?
  ) throws(StaticNodeListError) -> Value? {
    guard let value = members[key] else { return nil }
    if case .null = value { return nil }
    guard let text = value.stringValue else {
      throw StaticNodeListError("\(place).\(key) is a \(value.kindName), not a text")
    }
    guard let parsed = parse(text) else {
      throw StaticNodeListError("\(place).\(key) is \"\(text)\", not \(expectation)")
    }
    return parsed
  }

  func name() throws(StaticNodeListError) -> String {
    guard let name = try value("name", "a name", { $0.isEmpty ? nil : $0 }) else {
      throw StaticNodeListError("\(place).name is missing")
    }
    return name
  }

  func address(_ key: String, _ family: AddressFamily) throws(StaticNodeListError) -> IPAddress? {
    try value(key, "an IPv\(family.rawValue) address") { text in
      IPAddress(text).flatMap { $0.family == family ? $0 : nil }
    }
  }

  func mode(_ key: String) throws(StaticNodeListError) -> RoutingPool.Encapsulation {
    try value(key, "one of Never, Always, CrossSubnet") { RoutingPool.Encapsulation(rawValue: $0) } ?? .never
  }
}
