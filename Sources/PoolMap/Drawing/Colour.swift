/// A colour of a screen.
struct Colour: Hashable, Sendable {
  /// 0 to 255 each.
  let red: UInt8
  let green: UInt8
  let blue: UInt8

  /// A colour by its number, `0x0072B2`.
  init(_ number: UInt32) {
    red = UInt8(truncatingIfNeeded: number >> 16)
    green = UInt8(truncatingIfNeeded: number >> 8)
    blue = UInt8(truncatingIfNeeded: number)
  }

  /// `#0072b2`
  var text: String {
    let digits = [red, green, blue].map { part in
      let text = String(part, radix: 16)
      return text.utf8.count < 2 ? "0" + text : text
    }
    return "#" + digits.joined()
  }
}
