/// What the signs of an SVG picture mean, with the sums.
struct SVGLegend {
  private(set) var elements = ""
  private(set) var height = 0

  private static let itemWidth = 160
  private static let itemHeight = 40

  init(_ pool: MappedPool, width: Int) {
    let uses = AddressUse.allCases.filter { $0.isExpected || pool.counts[$0] > 0 }
    // Rows of equal length rather than a full one and a rest.
    let room = max(1, width / Self.itemWidth)
    let rows = (uses.count + room - 1) / room
    let columns = (uses.count + rows - 1) / rows
    let total = pool.counts.total
    for (index, use) in uses.enumerated() {
      let x = index % columns * (width / columns)
      let y = index / columns * Self.itemHeight
      let count = pool.counts[use]
      let numbers = count == 0 ? "none" : "\(NumberText.count(count)) · \(NumberText.share(count, of: total))"
      elements +=
        "<use href='#\(CellDrawing(use).identifier)' transform='translate(\(x) \(y))'/>"
        + "<text x='\(x + 27)' y='\(y + 14)' class='ink name'>\(use.name)</text>"
        + "<text x='\(x + 27)' y='\(y + 29)' class='soft'>\(MarkupText.of(numbers))</text>\n"
    }
    height = rows * Self.itemHeight
  }
}
