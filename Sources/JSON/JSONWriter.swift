/// Writes a document piece by piece, compactly: for values that know their own members.
///
/// Strings are escaped as ``JSON/encoded(_:)`` escapes them. Brackets, keys and commas are the caller's to place.
public struct JSONWriter {
  private var printer = JSONPrinter(format: .compact)

  public init(reservingCapacity capacity: Int = 0) {
    printer.output.reserveCapacity(capacity)
  }

  /// What was written so far.
  public var bytes: [UInt8] { printer.output }

  /// Writes text that is JSON already, such as `{"state":`.
  public mutating func literal(_ text: StaticString) {
    printer.output.append(contentsOf: UnsafeBufferPointer(start: text.utf8Start, count: text.utf8CodeUnitCount))
  }

  /// Writes bytes that are JSON already.
  public mutating func raw(_ bytes: ArraySlice<UInt8>) {
    printer.output.append(contentsOf: bytes)
  }

  /// Writes a string with its quotes.
  public mutating func string(_ text: String) {
    printer.write(text)
  }

  /// Writes `true` or `false`.
  public mutating func bool(_ value: Bool) {
    if value { literal("true") } else { literal("false") }
  }

  /// Writes an integer in decimal.
  public mutating func integer(_ value: some FixedWidthInteger) {
    if value < 0 { literal("-") }
    decimal(UInt64(value.magnitude))
  }

  private mutating func decimal(_ value: UInt64) {
    if value >= 10 { decimal(value / 10) }
    printer.output.append(UInt8(ascii: "0") + UInt8(truncatingIfNeeded: value % 10))
  }
}
