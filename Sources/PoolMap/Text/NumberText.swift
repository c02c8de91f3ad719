/// Numbers of addresses as people read them.
enum NumberText {
  /// With separators: `65,536`. A number of 16 digits and more is written as the power of two that it is, or is nearly.
  static func count(_ number: UInt128) -> String {
    if number < 1_000_000_000_000_000 { return grouped(number) }
    if number == .max { return "2^128" }
    let bits = 127 - number.leadingZeroBitCount
    if number == 1 << UInt128(bits) { return "2^\(bits)" }
    // Nearer to the next power than to this one.
    let isNearNext = number >> UInt128(bits - 1) == 3
    return "about 2^\(isNearNext ? bits + 1 : bits)"
  }

  /// With its noun: `1 block`, `1,024 blocks`.
  static func count(_ number: UInt128, _ noun: String, _ plural: String? = nil) -> String {
    "\(count(number)) \(number == 1 ? noun : plural ?? noun + "s")"
  }

  /// The share in percent with one digit behind the point; `<0.1 %` and `>99.9 %` where rounding would deny that there
  /// are some, or that some are left.
  static func share(_ part: UInt128, of whole: UInt128) -> String {
    if part == 0 || whole == 0 { return "0 %" }
    if part >= whole { return "100 %" }
    // A thousand times a number of addresses fits for all but the largest pools of IPv6.
    let tenths = Int((Double(part) / Double(whole) * 1000).rounded())
    if tenths == 0 { return "<0.1 %" }
    if tenths >= 1000 { return ">99.9 %" }
    return "\(tenths / 10).\(tenths % 10) %"
  }

  private static func grouped(_ number: UInt128) -> String {
    let digits = String(number)
    var text = ""
    for (index, digit) in digits.enumerated() {
      if index > 0, (digits.utf8.count - index) % 3 == 0 { text += "," }
      text.append(digit)
    }
    return text
  }
}
