#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Numbers of addresses as calicoctl prints them: five significant digits, and halves of a percent to the even number
/// (calicoctl specification, section 3.2).
enum AddressCount {
  /// `65536`, `1.3107e+05`; see `%g` in printf(3).
  static func text(_ count: Int) -> String { formatted("%.5g", Double(count)) }

  /// `5 (8%)`.
  static func text(_ count: Int, of capacity: Int) -> String {
    let share = capacity == 0 ? 0 : 100 * Double(count) / Double(capacity)
    return "\(text(count)) (\(formatted("%.0f", share))%)"
  }

  private static func formatted(_ format: String, _ number: Double) -> String {
    var buffer = [UInt8](repeating: 0, count: 64)
    let length = buffer.withUnsafeMutableBytes { bytes in
      withVaList([number]) {
        vsnprintf(bytes.baseAddress?.assumingMemoryBound(to: CChar.self), bytes.count, format, $0)
      }
    }
    // The number has as many bytes as any double has in these formats, which is less than the buffer.
    return String(decoding: buffer.prefix(Int(length)), as: UTF8.self)
  }
}
