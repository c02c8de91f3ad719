/// A point in time with the precision of a nanosecond, on the Unix time scale.
///
/// Stored times are RFC 3339, UTC, whole seconds: `2026-08-22T13:33:00Z` (Calico IPAM specification, section 1.5).
public struct Timestamp: Hashable, Comparable, Sendable {
  /// Nanoseconds since 1970-01-01T00:00:00Z.
  public var nanoseconds: Int64

  public init(nanoseconds: Int64) {
    self.nanoseconds = nanoseconds
  }

  /// A whole second since 1970-01-01T00:00:00Z; beyond the years 1678 to 2261 the nearest time that there is.
  public init(seconds: Int64) {
    self.nanoseconds = Int64(clamping: Int128(seconds) * 1_000_000_000)
  }

  /// Whole seconds, rounded down.
  public var seconds: Int64 { nanoseconds / 1_000_000_000 - (nanoseconds % 1_000_000_000 < 0 ? 1 : 0) }

  /// The time without its fraction of a second, as it is stored.
  public var truncated: Timestamp { Timestamp(seconds: seconds) }

  private var fraction: Int64 {
    let remainder = nanoseconds % 1_000_000_000
    return remainder < 0 ? remainder + 1_000_000_000 : remainder
  }

  /// The time some seconds later, or earlier when negative; the nearest time that there is.
  public func advanced(bySeconds seconds: Int64) -> Timestamp {
    Timestamp(nanoseconds: Int64(clamping: Int128(nanoseconds) + Int128(seconds) * 1_000_000_000))
  }

  public static func < (left: Timestamp, right: Timestamp) -> Bool { left.nanoseconds < right.nanoseconds }
}

// MARK: - Text

extension Timestamp: CustomStringConvertible {
  /// RFC 3339 in UTC, the fraction dropped: `2026-08-22T13:33:00Z`.
  public var description: String { dateAndTime(separator: "T") + "Z" }

  /// The form of the `timestamp` attribute: `2026-08-22 13:33:01.512345678 +0000 UTC`, the fraction without trailing
  /// zeros and absent when it is zero.
  public var attributeText: String {
    var text = dateAndTime(separator: " ")
    var digits = fraction
    if digits > 0 {
      var width = 9
      while digits % 10 == 0 {
        digits /= 10
        width -= 1
      }
      text += "."
      text += Self.padded(digits, width: width)
    }
    return text + " +0000 UTC"
  }

  /// The form of log lines: `2026-08-22 13:33:01.512`, in UTC.
  public var logText: String {
    dateAndTime(separator: " ") + "." + Self.padded(fraction / 1_000_000, width: 3)
  }

  private func dateAndTime(separator: String) -> String {
    let date = CivilDate(daysSinceEpoch: (seconds - secondOfDay) / 86_400)
    var text = Self.padded(date.year, width: 4)
    text += "-"
    text += Self.padded(date.month, width: 2)
    text += "-"
    text += Self.padded(date.day, width: 2)
    text += separator
    text += Self.padded(secondOfDay / 3600, width: 2)
    text += ":"
    text += Self.padded(secondOfDay / 60 % 60, width: 2)
    text += ":"
    text += Self.padded(secondOfDay % 60, width: 2)
    return text
  }

  private var secondOfDay: Int64 {
    let remainder = seconds % 86_400
    return remainder < 0 ? remainder + 86_400 : remainder
  }

  private static func padded(_ value: Int64, width: Int) -> String {
    let digits = String(value)
    return String(repeating: "0", count: max(0, width - digits.utf8.count)) + digits
  }

  /// Parses RFC 3339, with any offset and any fraction; nil when the text is none (RFC 3339 section 5.6).
  public init?(_ text: String) {
    var text = text
    let parsed = text.withUTF8 { bytes -> Int64? in
      var parser = TimestampParser(bytes: bytes)
      return parser.parse()
    }
    guard let parsed else { return nil }
    self.nanoseconds = parsed
  }
}

/// A date of the proleptic Gregorian calendar.
struct CivilDate {
  var year: Int64
  var month: Int64
  var day: Int64

  init(year: Int64, month: Int64, day: Int64) {
    self.year = year
    self.month = month
    self.day = day
  }

  /// The date some days after 1970-01-01. Years are counted from March, so that the leap day is the last of its year.
  init(daysSinceEpoch days: Int64) {
    let shifted = days + 719_468
    let era = (shifted >= 0 ? shifted : shifted - 146_096) / 146_097
    let dayOfEra = shifted - era * 146_097
    let yearOfEra = (dayOfEra - dayOfEra / 1460 + dayOfEra / 36_524 - dayOfEra / 146_096) / 365
    let dayOfYear = dayOfEra - (365 * yearOfEra + yearOfEra / 4 - yearOfEra / 100)
    let monthFromMarch = (5 * dayOfYear + 2) / 153
    day = dayOfYear - (153 * monthFromMarch + 2) / 5 + 1
    month = monthFromMarch < 10 ? monthFromMarch + 3 : monthFromMarch - 9
    year = yearOfEra + era * 400 + (month <= 2 ? 1 : 0)
  }

  /// Days since 1970-01-01.
  var daysSinceEpoch: Int64 {
    let shiftedYear = month <= 2 ? year - 1 : year
    let era = (shiftedYear >= 0 ? shiftedYear : shiftedYear - 399) / 400
    let yearOfEra = shiftedYear - era * 400
    let dayOfYear = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1
    let dayOfEra = yearOfEra * 365 + yearOfEra / 4 - yearOfEra / 100 + dayOfYear
    return era * 146_097 + dayOfEra - 719_468
  }
}

/// Parses `2026-08-22T13:33:00.25+02:00`.
private struct TimestampParser {
  let bytes: UnsafeBufferPointer<UInt8>
  var position = 0

  mutating func parse() -> Int64? {
    guard let year = number(digits: 4), take("-"), let month = number(digits: 2), take("-"),
      let day = number(digits: 2), take("T") || take("t") || take(" "),
      let hour = number(digits: 2), take(":"), let minute = number(digits: 2), take(":"),
      let second = number(digits: 2), let fraction = fraction(), let offset = offset(),
      (1...12).contains(month), day >= 1, hour < 24, minute < 60, second <= 60, position == bytes.count
    else { return nil }
    let days = CivilDate(year: year, month: month, day: day).daysSinceEpoch
    // A day that its month does not have, such as 31 April, would be counted into the next.
    guard CivilDate(daysSinceEpoch: days).month == month else { return nil }
    let seconds = days * 86_400 + hour * 3600 + minute * 60 + second - offset
    let (product, overflow) = seconds.multipliedReportingOverflow(by: 1_000_000_000)
    let (sum, carry) = product.addingReportingOverflow(fraction)
    return overflow || carry ? nil : sum
  }

  private mutating func take(_ character: Unicode.Scalar) -> Bool {
    guard position < bytes.count, bytes[position] == UInt8(ascii: character) else { return false }
    position += 1
    return true
  }

  private mutating func digit() -> Int64? {
    guard position < bytes.count, case let value = bytes[position] &- UInt8(ascii: "0"), value <= 9 else { return nil }
    position += 1
    return Int64(value)
  }

  private mutating func number(digits: Int) -> Int64? {
    var value: Int64 = 0
    for _ in 0..<digits {
      guard let digit = digit() else { return nil }
      value = value * 10 + digit
    }
    return value
  }

  /// The fraction in nanoseconds, 0 when there is none; digits beyond the ninth are dropped.
  private mutating func fraction() -> Int64? {
    guard take(".") else { return 0 }
    guard var value = digit() else { return nil }
    var width = 1
    while let digit = digit() {
      if width < 9 {
        value = value * 10 + digit
        width += 1
      }
    }
    for _ in width..<9 {
      value *= 10
    }
    return value
  }

  /// The offset from UTC in seconds.
  private mutating func offset() -> Int64? {
    if take("Z") || take("z") { return 0 }
    let isWest = take("-")
    guard isWest || take("+"), let hours = number(digits: 2), take(":"), let minutes = number(digits: 2),
      hours < 24, minutes < 60
    else { return nil }
    return (hours * 3600 + minutes * 60) * (isWest ? -1 : 1)
  }
}
