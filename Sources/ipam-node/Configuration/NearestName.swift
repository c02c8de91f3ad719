/// Finds what somebody may have meant.
enum NearestName {
  /// The name that is most like a text; nil when none is.
  static func of(_ text: String, in names: [String]) -> String? {
    let wanted = Array(text.lowercased().utf8)
    let candidates = names.map { (name: $0, distance: distance(wanted, Array($0.lowercased().utf8))) }
    guard let best = candidates.min(by: { $0.distance < $1.distance }), best.distance <= max(2, wanted.count / 3) else {
      return nil
    }
    return best.name
  }

  /// How many bytes have to be put in, left out, replaced or swapped with the next to make one text of the other.
  private static func distance(_ left: [UInt8], _ right: [UInt8]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for (row, byte) in left.enumerated() {
      var current = [row + 1]
      for (column, other) in right.enumerated() {
        var cost = min(last[column] + (byte == other ? 0 : 1), last[column + 1] + 1, current[column] + 1)
        if row > 0, column > 0, byte == right[column - 1], left[row - 1] == other {
          cost = min(cost, beforeLast[column - 1] + 1)
        }
        current.append(cost)
      }
      beforeLast = last
      last = current
    }
    return last[right.count]
  }
}
