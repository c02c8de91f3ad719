/// The sign of a cell, in a square of 20 units: the same in the SVG and on the page, and kin to the character that a
/// terminal shows. Each use has a shape of its own, so that colour is never all that tells them apart.
struct CellDrawing: Hashable, Sendable {
  /// What a part of a sign is drawn with.
  enum Ink: Hashable, Sendable {
    /// The colour of the use.
    case use(AddressUse)
    /// The colour of what lies behind, which makes a gap.
    case gap
  }

  /// Makes the attributes of a shape that is filled and outlined, or not.
  typealias Paint = (_ fill: Ink?, _ stroke: Ink?) -> String

  /// The number of steps in which a cell fills.
  static let steps = 8

  let use: AddressUse
  /// How much of the cell is filled; 0 for uses that do not fill.
  let level: Int

  /// The sign of an address.
  init(_ use: AddressUse) {
    self.use = use
    level = use.fillsCells ? Self.steps : 0
  }

  /// The sign of a network.
  init(_ counts: UseCounts) {
    use = counts.summary
    level = use.fillsCells ? counts.level(of: Self.steps) : 0
  }

  /// The identifier of the sign in a document: `used-3`, `free`.
  var identifier: String { use.fillsCells ? "\(use.className)-\(level)" : use.className }

  /// Every sign that there is.
  static var all: [CellDrawing] {
    AddressUse.allCases.flatMap { use in
      use.fillsCells ? (1...steps).map { CellDrawing(use: use, level: $0) } : [CellDrawing(use)]
    }
  }

  private init(use: AddressUse, level: Int) {
    self.use = use
    self.level = level
  }

  /// The elements of the sign.
  func elements(_ paint: Paint) -> String {
    let (fill, stroke) = (paint(.use(use), nil), paint(nil, .use(use)))
    switch use {
    case .free: return "<circle cx='10' cy='10' r='2' \(fill)/>"
    case .affine: return "<circle cx='10' cy='10' r='5.5' \(stroke) stroke-width='2.2'/>"
    case .used: return filling(fill, stroke)
    case .borrowed:
      return filling(fill, stroke)
        + "<path d='M10 3.4 16.6 10 10 16.6 3.4 10Z' \(paint(.use(use), .gap)) stroke-width='1.8'/>"
    case .cooling:
      let waves = "M3 8q3.5-4.5 7 0t7 0M3 14q3.5-4.5 7 0t7 0"
      return "<path d='\(waves)' \(stroke) stroke-width='2.2' stroke-linecap='round'/>"
    case .reserved:
      return "<path d='M5 5 15 15M15 5 5 15' \(stroke) stroke-width='2.6' stroke-linecap='round'/>"
    case .unreadable:
      let mark = "M6.5 7.5a3.5 3.5 0 1 1 5 3.2q-1.5.8-1.5 2.3M10 16.4v.2"
      return "<path d='\(mark)' \(stroke) stroke-width='2.4' stroke-linecap='round'/>"
    }
  }

  /// A vessel that is filled from below.
  private func filling(_ fill: String, _ stroke: String) -> String {
    let height = 2 * level
    return "<rect x='2.5' y='2.5' width='15' height='15' rx='2' \(stroke) stroke-width='1.4'/>"
      + "<rect x='2' y='\(18 - height)' width='16' height='\(height)' rx='1.5' \(fill)/>"
  }
}

extension AddressUse {
  /// Whether the sign of a network shows how much of it is in use.
  fileprivate var fillsCells: Bool { self == .used || self == .borrowed }
}
