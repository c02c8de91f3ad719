/// What somebody may have meant who wrote a name that there is none of.
public enum NearestName {
  /// The most mistakes in a name that is still taken for another.
  private static let mostMistakes = 3

  /// The candidate that a text is most likely a misspelling of; nil when it is like none of them.
  ///
  /// A mistake is a letter too much, too few, or another one, or two neighbours exchanged; a third of the text may be
  /// wrong, and letters of the other case are not counted. Of candidates that are equally near the first is taken.
  ///
  /// - Parameters:
  ///   - text: what was written.
  ///   - candidates: what there is.
  /// - Returns: the candidate.
  public static func of(_ text: String, among candidates: some Sequence<String>) -> String? {
    let written = Array(text.lowercased().unicodeScalars)
    let limit = min(mostMistakes, max(1, written.count / 3))
    var nearest: (name: String, mistakes: Int)?
    for candidate in candidates {
      let meant = Array(candidate.lowercased().unicodeScalars)
      // What is so much longer or shorter has more mistakes than are forgiven.
      guard !written.isEmpty, !meant.isEmpty, abs(meant.count - written.count) <= limit else { continue }
      let mistakes = distance(written, meant)
      // A name of which no letter is right is no misspelling.
      guard mistakes <= limit, mistakes < max(written.count, meant.count) else { continue }
      if mistakes < nearest?.mistakes ?? .max { nearest = (candidate, mistakes) }
    }
    return nearest?.name
  }

  /// The number of mistakes between two texts: Damerau's distance in which no part is changed twice.
  private static func distance(_ left: [Unicode.Scalar], _ right: [Unicode.Scalar]) -> Int {
    var beforeLast: [Int] = []
    var last = Array(0...right.count)
    for row in 1...left.count {
      var current = [row]
      for column in 1...right.count {
        let isSame = left[row - 1] == right[column - 1]
        var least = min(last[column] + 1, current[column - 1] + 1, last[column - 1] + (isSame ? 0 : 1))
        if row > 1, column > 1, left[row - 1] == right[column - 2], left[row - 2] == right[column - 1] {
          least = min(least, beforeLast[column - 2] + 1)
        }
        current.append(least)
      }
      (beforeLast, last) = (last, current)
    }
    return last[right.count]
  }
}
