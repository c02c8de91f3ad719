import IPAddressing

/// Pools' maps as one SVG picture, one below the other; light or dark as the viewer's system is.
public struct SVGDrawing {
  /// A picture of more addresses than this is too large to be looked at.
  public static let addressLimit = 16_384

  private static let margin = 20
  private static let narrowest = 520

  private let pools: [(pool: MappedPool, detail: MapDetail)]

  /// A picture.
  ///
  /// - Parameters:
  ///   - pools: what is drawn.
  ///   - detail: what a cell of each stands for.
  public init(_ pools: [MappedPool], _ detail: (MappedPool) -> MapDetail) {
    self.pools = pools.map { ($0, detail($0)) }
  }

  /// The document.
  public var text: String {
    let grids = pools.map { SVGGrid($0.pool, $0.detail) }
    let width = max(Self.narrowest, (grids.map(\.width).max() ?? 0) + 2 * Self.margin)
    var content = ""
    var height = Self.margin
    for (grid, (pool, _)) in zip(grids, pools) { add(pool, grid, width: width, to: &content, at: &height) }
    // Below the last legend there is as much room as above the first name.
    height -= 8
    return """
      <svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 \(width) \(height)' width='\(width)' height='\(height)' \
      role='img' aria-labelledby='t d'>
      <title id='t'>\(MarkupText.of(names))</title>
      <desc id='d'>\(MarkupText.of(sums))</desc>
      <style>\(Self.style)</style>
      <defs>\(Self.signs)</defs>
      <rect width='100%' height='100%' rx='8' class='page'/>
      \(content)</svg>

      """
  }

  /// Adds a pool below what is there: its name, what is to be said of it, its cells, its legend.
  private func add(_ pool: MappedPool, _ grid: SVGGrid, width: Int, to content: inout String, at y: inout Int) {
    let name = MarkupText.of(MarkupText.shortened(pool.name, to: 48))
    content += "<text x='\(Self.margin)' y='\(y + 14)' class='ink title'>\(name)</text>\n"
    y += 34
    let sentences = [MapWording.size(pool), MapWording.holding(pool), MapWording.limits(pool)].compactMap { $0 }
    for line in sentences.flatMap({ Self.lines($0, width: width) }) {
      content += "<text x='\(Self.margin)' y='\(y)' class='soft'>\(MarkupText.of(line))</text>\n"
      y += 17
    }
    let legend = SVGLegend(pool, width: width - 2 * Self.margin)
    for (elements, height) in [(grid.elements, grid.height + 12), (legend.elements, legend.height + 13)] {
      content += "<g transform='translate(\(Self.margin) \(y + 7))'>\(elements)</g>\n"
      y += height
    }
    y += 14
  }

  /// What the picture is called where it cannot be seen.
  private var names: String { pools.map { "IP pool \($0.pool.name) (\($0.pool.cidr))" }.joined(separator: ", ") }

  /// What can be learnt from it.
  private var sums: String {
    let sums = pools.map { pool, _ in
      let uses = AddressUse.allCases.filter { pool.counts[$0] > 0 }
      return "\(pool.name): " + uses.map { "\(NumberText.count(pool.counts[$0])) \($0.name)" }.joined(separator: ", ")
    }
    return sums.joined(separator: "; ")
  }

  /// A sentence in lines that fit, at a little more than six units a character.
  private static func lines(_ text: String, width: Int) -> [String] {
    TextWrapping.lines(text, width: (width - 2 * margin) * 10 / 64)
  }

  /// The signs, to be referred to.
  private static var signs: String {
    CellDrawing.all.map { sign in
      let elements = sign.elements { fill, stroke in
        let fillName = fill.map { "f-\($0.className)" } ?? "f-none"
        return "class='\(fillName)\(stroke.map { " s-\($0.className)" } ?? "")'"
      }
      return "<g id='\(sign.identifier)'>\(elements)</g>"
    }.joined()
  }

  private static var style: String {
    func rules(_ palette: Palette) -> String {
      let uses = AddressUse.allCases.map { use in
        ".f-\(use.className){fill:\(palette[use].text)}.s-\(use.className){stroke:\(palette[use].text)}"
      }
      return ".page{fill:\(palette.card.text)}.s-gap{stroke:\(palette.card.text)}.ink{fill:\(palette.ink.text)}"
        + ".soft{fill:\(palette.soft.text)}" + uses.joined()
    }
    return "text{font:12px system-ui,-apple-system,'Segoe UI',Roboto,'DejaVu Sans',sans-serif}"
      + ".title{font-size:17px;font-weight:600}.name{font-weight:600}"
      + ".address{font:11px ui-monospace,'SFMono-Regular',Menlo,'DejaVu Sans Mono',monospace}"
      + ".f-none{fill:none}" + rules(.light) + "@media (prefers-color-scheme:dark){\(rules(.dark))}"
  }
}

extension CellDrawing.Ink {
  /// The name of the style.
  fileprivate var className: String {
    switch self {
    case .use(let use): use.className
    case .gap: "gap"
    }
  }
}
