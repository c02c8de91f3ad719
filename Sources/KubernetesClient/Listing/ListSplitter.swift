/// Takes a list of objects apart while it comes, so that only what is not whole yet is kept.
///
/// It looks for where objects begin and end, and for nothing else: whoever reads an object finds out whether it is well
/// formed.
struct ListSplitter {
  /// What has come and is not handed over yet.
  private var bytes: [UInt8] = []
  private var cursor = Cursor()

  /// The metadata of the list; empty when there is none, or none yet.
  private(set) var metadata: [UInt8] = []

  /// How many bytes are kept because they are not whole.
  var pendingCount: Int { bytes.count }

  /// Whether the document has come to its end.
  var isComplete: Bool { cursor.isComplete }

  /// Takes in what has come.
  ///
  /// - Parameters:
  ///   - piece: what follows what came before.
  ///   - body: takes each object that is whole now.
  /// - Throws: what `body` throws.
  mutating func take(_ piece: [UInt8], _ body: (ArraySlice<UInt8>) throws -> Void) rethrows {
    bytes.append(contentsOf: piece)
    var cursor = cursor
    while let (part, range) = bytes.withUnsafeBufferPointer({ cursor.advance(over: $0) }) {
      switch part {
      case .object: try body(bytes[range])
      case .metadata: metadata = Array(bytes[range])
      }
    }
    bytes.removeSubrange(..<cursor.dropBehind())
    self.cursor = cursor
  }
}

/// Where in a list one is.
private struct Cursor {
  enum Part {
    case object
    case metadata
  }

  /// The member of the document that is being gone through.
  private enum Member {
    case items
    case metadata
    case other
  }

  private var position = 0
  /// In how many objects and arrays that is.
  private var depth = 0
  private var isInText = false
  private var isEscaped = false
  private var member = Member.other
  /// Where the name, the metadata or the object begins that has to be kept until it is whole.
  private var start: Int?
  private(set) var isComplete = false

  /// Goes on until a part of the list is whole.
  ///
  /// - Returns: the part, and where it is; nil when more has to come.
  mutating func advance(over bytes: UnsafeBufferPointer<UInt8>) -> (Part, Range<Int>)? {
    while position < bytes.count {
      let byte = bytes[position]
      position += 1
      if isInText {
        if isEscaped {
          isEscaped = false
        } else if byte == UInt8(ascii: "\\") {
          isEscaped = true
        } else if byte == UInt8(ascii: "\"") {
          isInText = false
          if depth == 1 { endText(bytes) }
        }
        continue
      }
      switch byte {
      case UInt8(ascii: "\""):
        isInText = true
        if depth == 1 { start = position }
      case UInt8(ascii: "{"), UInt8(ascii: "["):
        depth += 1
        if member == .items ? depth == 3 : member == .metadata && depth == 2 { start = position - 1 }
      case UInt8(ascii: "}"), UInt8(ascii: "]"):
        depth -= 1
        if let part = endValue() { return part }
      default: break
      }
    }
    return nil
  }

  /// Takes in a text of the document itself: the name of a member, or a value that is none of interest.
  private mutating func endText(_ bytes: UnsafeBufferPointer<UInt8>) {
    let text = bytes[(start ?? 0)..<position - 1]
    start = nil
    if text.elementsEqual("items".utf8) {
      member = .items
    } else {
      member = text.elementsEqual("metadata".utf8) ? .metadata : .other
    }
  }

  /// Takes in the end of an object or an array.
  private mutating func endValue() -> (Part, Range<Int>)? {
    if depth == 0 { isComplete = true }
    guard member == .items ? depth <= 2 : depth <= 1 else { return nil }
    let whole = start.map { $0..<position }
    start = nil
    if depth == 2 { return whole.map { (.object, $0) } }
    defer { member = .other }
    return member == .metadata ? whole.map { (.metadata, $0) } : nil
  }

  /// Forgets what was gone through and is not needed any more.
  ///
  /// - Returns: how many bytes that are.
  mutating func dropBehind() -> Int {
    let count = start ?? position
    position -= count
    start = start.map { $0 - count }
    return count
  }
}
