import CalicoModel
import JSON

/// Puts real times, identifiers and sequence numbers in place of the recordings' marks, and the marks back in place of
/// exactly those: a time or identifier that nobody has given stays, and is a difference.
struct Normalization: Sendable {
  /// When all recorded times are taken to have been: young enough for a block not to be idle yet, and past.
  static let recorded = Timestamp(seconds: -10)
  static let recordedUID = "11111111-1111-4111-8111-111111111111"
  /// What new resources get.
  static let newUID = "22222222-2222-4222-8222-222222222222"
  private static let recordedGUID = recordedUID.filter { $0 != "-" }
  private static let newGUID = newUID.filter { $0 != "-" }

  private var times: Set<String> = []
  /// What has to be added to a block's sequence numbers, by path: several blocks that one operation creates begin with
  /// the same number, recorded ones with a number each.
  private var offsets: [String: Int64] = [:]

  init() { allow(Self.recorded) }

  /// Takes a time for given.
  mutating func allow(_ time: Timestamp) {
    times.insert(time.description)
    times.insert(time.attributeText)
  }

  /// Takes in that a block was created with a number, where another one was recorded.
  mutating func rebase(_ path: String, from number: Int64, to recorded: Int64) {
    offsets[path] = recorded == number ? nil : recorded - number
  }

  /// Forgets the offsets: all blocks are as recorded.
  mutating func forgetOffsets() { offsets = [:] }

  /// A recorded state as a store can hold it.
  static func loadable(_ state: RecordedState) -> RecordedState {
    state.mapValues { text in
      replacing(text) { string, previous in
        switch string {
        case "<TIME>": previous == "timestamp" ? recorded.attributeText : recorded.description
        case "<UID>": recordedUID
        case "<GUID>": recordedGUID
        default: nil
        }
      }
    }
  }

  /// Replaces strings of a JSON text.
  ///
  /// - Parameters:
  ///   - text: the text.
  ///   - replacement: the string that takes the place of one, given the string before it as well; nil to keep it.
  /// - Returns: the text with the replacements.
  private static func replacing(
    _ text: String, _ replacement: (_ string: Substring, _ previous: Substring) -> String?
  ) -> String {
    // A quotation mark inside a string only makes more pieces, which are put together again.
    let pieces = text.split(separator: "\"", omittingEmptySubsequences: false)
    var previous: Substring = ""
    var result: [Substring] = []
    for (index, piece) in pieces.enumerated() {
      result.append(replacement(piece, previous).map { Substring($0) } ?? piece)
      if index % 2 == 1 { previous = piece }
    }
    return result.joined(separator: "\"")
  }

  /// A store's state with the recordings' marks.
  func marked(_ state: RecordedState) -> RecordedState {
    var marked: RecordedState = [:]
    for (path, text) in state { marked[path] = self.marked(rebased(text, path)) }
    return marked
  }

  /// What a program printed, with the recordings' marks.
  func marked(_ output: JSON) throws -> JSON {
    if case .string(let text) = output {
      return .string(times.reduce(text) { $0.replacing($1, with: "<TIME>") })
    }
    return try JSON(parsing: Array(marked(String(decoding: output.encoded(), as: UTF8.self)).utf8))
  }

  private func marked(_ text: String) -> String {
    Self.replacing(text) { string, _ in
      switch string {
      case Self.recordedUID, Self.newUID: "<UID>"
      case Self.recordedGUID, Self.newGUID: "<GUID>"
      default: times.contains(String(string)) ? "<TIME>" : nil
      }
    }
  }

  private func rebased(_ text: String, _ path: String) -> String {
    guard let offset = offsets[path] else { return text }
    guard var block = (try? JSON(parsing: Array(text.utf8)))?.objectValue else { return text }
    if let number = block["sequenceNumber"]?.numberValue?.int64 {
      block["sequenceNumber"] = .number(JSONNumber(number + offset))
    }
    var numbers = block["sequenceNumberForAllocation"]?.objectValue ?? JSONObject()
    for index in numbers.members.indices {
      guard let number = numbers.members[index].value.numberValue?.int64 else { continue }
      numbers.members[index].value = .number(JSONNumber(number + offset))
    }
    block["sequenceNumberForAllocation"] = .object(numbers)
    return String(decoding: JSON.object(block).encoded(), as: UTF8.self)
  }
}
