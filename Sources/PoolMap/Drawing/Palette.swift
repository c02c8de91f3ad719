/// The colours of a drawing.
///
/// Those of uses are told apart also by people who do not see red and green, or blue and yellow, as most do (after Okabe
/// and Ito, Color Universal Design, 2008); they stand out from the page by 3:1 and text by 4.5:1, as WCAG 2.2 asks
/// (success criteria 1.4.3 and 1.4.11). Tests compute both.
struct Palette: Hashable, Sendable {
  /// The page, and what lies on it as a card.
  let page: Colour
  let card: Colour
  /// Text, and text of less weight.
  let ink: Colour
  let soft: Colour
  /// Lines that only separate, and the border of what can be operated.
  let line: Colour
  let control: Colour
  /// The ring around what the keyboard is at, links, and what a search found.
  let focus: Colour
  let uses: [AddressUse: Colour]

  static let light = Palette(
    page: Colour(0xF6F8FA), card: Colour(0xFFFFFF), ink: Colour(0x1B1F24), soft: Colour(0x57606A),
    line: Colour(0xD8DEE4), control: Colour(0x7A828B), focus: Colour(0x0A0C10),
    uses: [
      .free: Colour(0x828B95), .affine: Colour(0x1A7F37), .used: Colour(0x0072B2), .borrowed: Colour(0xC24A00),
      .cooling: Colour(0xA83279), .reserved: Colour(0x4C545E), .unreadable: Colour(0xB00020),
    ])

  static let dark = Palette(
    page: Colour(0x0D1117), card: Colour(0x161B22), ink: Colour(0xE6EDF3), soft: Colour(0xA3ADB8),
    line: Colour(0x30363D), control: Colour(0x7D8590), focus: Colour(0xFFFFFF),
    uses: [
      .free: Colour(0x6E7681), .affine: Colour(0x6FDC8C), .used: Colour(0x4AA8E8), .borrowed: Colour(0xFF9447),
      .cooling: Colour(0xF0A8C8), .reserved: Colour(0xB6C0CA), .unreadable: Colour(0xFF7B85),
    ])

  /// The colour of a use.
  subscript(_ use: AddressUse) -> Colour { uses[use] ?? ink }

  /// The number of a colour among the 256 of xterm: of those that can be read on black and on white.
  static func terminal(_ use: AddressUse) -> UInt8 {
    switch use {
    case .free: 245
    case .affine: 29
    case .used: 32
    case .borrowed: 166
    case .cooling: 133
    case .reserved: 244
    case .unreadable: 160
    }
  }

  /// Declarations of custom properties for style sheets, by the names that drawings use.
  var declarations: String {
    let parts = [
      ("page", page), ("card", card), ("ink", ink), ("soft", soft), ("line", line), ("control", control),
      ("focus", focus),
    ]
    let uses = AddressUse.allCases.map { ($0.className, self[$0]) }
    return (parts + uses).map { "--\($0.0):\($0.1.text)" }.joined(separator: ";")
  }
}

extension AddressUse {
  /// The name in style sheets, and of custom properties.
  var className: String {
    switch self {
    case .free: "free"
    case .affine: "affine"
    case .used: "used"
    case .borrowed: "borrowed"
    case .cooling: "cooling"
    case .reserved: "reserved"
    case .unreadable: "unreadable"
    }
  }
}
