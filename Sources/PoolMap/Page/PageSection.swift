import IPAddressing

/// A pool's part of a page: its sums, and its cells as a grid for pointer and keyboard (WAI-ARIA Authoring Practices,
/// grid pattern).
struct PageSection {
  private let pool: MappedPool
  private let number: Int

  init(_ pool: MappedPool, number: Int) {
    self.pool = pool
    self.number = number
  }

  var text: String {
    let limits = MapWording.limits(pool).map { "<p class=\"note\">\(MarkupText.of($0))</p>\n" } ?? ""
    return """
      <section class="card" aria-labelledby="pool-\(number)">
      <h2 id="pool-\(number)">\(MarkupText.of(pool.name))</h2>
      <p class="soft">\(MarkupText.of("\(MapWording.size(pool)) · \(MapWording.holding(pool))"))</p>
      \(legend)\(limits)\(grid)</section>

      """
  }

  /// The uses with their signs and sums.
  private var legend: String {
    let total = pool.counts.total
    let uses = AddressUse.allCases.filter { $0.isExpected || pool.counts[$0] > 0 }
    var text = "<ul class=\"legend\" aria-label=\"Addresses by use\">\n"
    for use in uses {
      let count = pool.counts[use]
      let numbers = count == 0 ? "none" : "\(NumberText.count(count)) · \(NumberText.share(count, of: total))"
      text +=
        "<li><span class=\"c \(CellDrawing(use).identifier)\"></span><span><b>\(use.name)</b> "
        + "\(MarkupText.of(numbers))<br><span class=\"soft\">\(MarkupText.of(use.explanation))</span></span></li>\n"
    }
    return text + "</ul>\n"
  }

  private var grid: String {
    let columns = pool.columns(atMost: 64)
    let cells = pool.cells
    if cells.isEmpty { return "" }
    let noun = pool.scale.isAggregated ? "Networks" : "Blocks"
    // Room for the longest address before a row, in steps for which there are styles.
    let firsts = stride(from: 0, to: cells.count, by: columns).map { cells[$0].cidr.network.description }
    let label = firsts.map(\.utf8.count).max() ?? 0
    let width = max(16, (label + 8) / 8 * 8)
    var text =
      "<div class=\"grid map n\(columns) w\(width)\" role=\"grid\" aria-label=\"\(noun) of \(MarkupText.of(pool.name))\" "
      + "aria-describedby=\"keys\">\n"
    for start in stride(from: 0, to: cells.count, by: columns) {
      text += "<div role=\"row\"><span role=\"rowheader\">\(cells[start].cidr.network)</span>"
      for index in start..<min(start + columns, cells.count) {
        let cell = cells[index]
        // Only one cell of a grid is met by the Tab key; the arrow keys lead on from there.
        text +=
          "<span role=\"gridcell\" class=\"c \(CellDrawing(cell.counts).identifier)\" "
          + "tabindex=\"\(index == 0 ? 0 : -1)\" "
        if !cell.blocks.isEmpty { text += "data-b=\"\(number),\(cell.blocks.lowerBound),\(cell.blocks.upperBound)\" " }
        text += "aria-label=\"\(MarkupText.of(MapWording.label(cell, of: pool)))\"></span>"
      }
      text += "</div>\n"
    }
    return text + "</div>\n"
  }
}
