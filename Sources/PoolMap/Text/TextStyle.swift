/// What a terminal, or whatever else reads text, can show.
public struct TextStyle: Hashable, Sendable {
  /// Whether characters other than ASCII can be shown.
  public var hasUnicode: Bool
  /// Whether the 256 colours of xterm can be shown.
  public var hasColours: Bool
  /// How many characters fit side by side.
  public var width: Int

  /// A style; a text without a terminal is 80 characters wide.
  public init(hasUnicode: Bool, hasColours: Bool, width: Int = 80) {
    self.hasUnicode = hasUnicode
    self.hasColours = hasColours
    self.width = width
  }

  /// The character of an address, or of a network that is full of the use.
  func symbol(_ use: AddressUse) -> Character {
    switch use {
    case .free: hasUnicode ? "·" : "."
    case .affine: hasUnicode ? "○" : "o"
    case .used: hasUnicode ? "■" : "#"
    case .borrowed: hasUnicode ? "◆" : "b"
    case .cooling: hasUnicode ? "≈" : "~"
    case .reserved: hasUnicode ? "×" : "x"
    case .unreadable: "?"
    }
  }

  /// The character of a network: how much of it is in use can be seen where there are characters for it.
  func symbol(_ counts: UseCounts) -> Character {
    let use = counts.summary
    guard use == .used else { return symbol(use) }
    guard hasUnicode else { return counts.inUse < counts.total ? "+" : symbol(.used) }
    let eighths: [Character] = ["▁", "▂", "▃", "▄", "▅", "▆", "▇", "█"]
    return eighths[max(1, counts.level(of: eighths.count)) - 1]
  }

  /// A text in the colour of a use.
  func painted(_ text: String, _ use: AddressUse) -> String {
    hasColours ? "\u{1b}[38;5;\(Palette.terminal(use))m\(text)\u{1b}[0m" : text
  }

  /// A text that stands out.
  func emphasized(_ text: String) -> String { hasColours ? "\u{1b}[1m\(text)\u{1b}[0m" : text }

  /// A sentence of ``MapWording``, without the characters that ASCII has not.
  func written(_ text: String) -> String {
    hasUnicode ? text : text.replacing(" · ", with: ", ").replacing("–", with: "-")
  }
}
