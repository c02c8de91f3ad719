import IPAddressing
import Terminal

/// A pool's map as text: rows of characters, each with the first of its addresses, and a legend with the sums.
public struct TextDrawing {
  private let pool: MappedPool
  private let style: TextStyle
  private let detail: MapDetail

  /// A drawing.
  ///
  /// - Parameters:
  ///   - pool: what is drawn.
  ///   - style: what can be shown.
  ///   - detail: what a cell stands for.
  public init(_ pool: MappedPool, _ style: TextStyle, _ detail: MapDetail) {
    self.pool = pool
    self.style = style
    self.detail = detail
  }

  /// The lines, the last one ended as well.
  public var text: String {
    var lines = [
      style.emphasized("IP pool \(PrintableText.of(pool.name))"), style.written(MapWording.size(pool)),
      style.written(MapWording.holding(pool)), "",
    ]
    switch detail {
    case .blocks:
      if let limits = MapWording.limits(pool) {
        lines += TextWrapping.lines(style.written(limits), width: max(40, style.width)) + [""]
      }
      lines += blockRows
      if !pool.cells.isEmpty { lines.append("") }
    case .addresses:
      lines += addressRows
    }
    return (lines + legend).map { $0 + "\n" }.joined()
  }

  // MARK: Rows

  private var blockRows: [String] {
    let cells = pool.cells.map { Cell(symbol: style.symbol($0.counts), use: $0.use) }
    let columns = pool.columns(atMost: room(for: pool.cells.map(\.cidr.network)))
    return rows(cells, columns: columns) { pool.cells[$0].cidr.network }
  }

  private var addressRows: [String] {
    let sections = pool.sections
    let label = sections.map { $0.rowLabel.utf8.count }.max() ?? 0
    var lines: [String] = []
    for section in sections {
      switch section {
      case .gap(let range, let counts): lines += [style.written(MapWording.label(range, counts)), ""]
      case .block(let block):
        let cells = block.uses.map { Cell(symbol: style.symbol($0), use: $0) }
        if MapWording.isRow(block) {
          let blanks = String(repeating: " ", count: label - section.rowLabel.utf8.count)
          let remark = style.written(PrintableText.of(MapWording.remark(block)))
          lines.append("  \(section.rowLabel)\(blanks)  \(line(cells[...]))  \(remark)")
        } else {
          let columns = MappedPool.columns(for: cells.count, atMost: room(for: [block.cidr.last]))
          lines.append(style.written(PrintableText.of(MapWording.label(block))))
          lines += rows(cells, columns: columns) { block.address(at: $0) } + [""]
        }
      }
    }
    return lines.last == "" ? lines : lines + [""]
  }

  private struct Cell {
    var symbol: Character
    var use: AddressUse
  }

  private func rows(_ cells: [Cell], columns: Int, first: (Int) -> IPAddress) -> [String] {
    let starts = stride(from: 0, to: cells.count, by: columns)
    let labels = starts.map { first($0).description }
    let width = labels.map(\.utf8.count).max() ?? 0
    return zip(starts, labels).map { start, label in
      let blanks = String(repeating: " ", count: width - label.utf8.count)
      return "  \(label)\(blanks)  " + line(cells[start..<min(start + columns, cells.count)])
    }
  }

  /// Cells with a blank between them; neighbours of one colour share its escape sequence.
  private func line(_ cells: ArraySlice<Cell>) -> String {
    var line = ""
    var run = ""
    var use = cells.first?.use ?? .free
    for (offset, cell) in cells.enumerated() {
      if cell.use != use {
        line += style.painted(run, use)
        (run, use) = ("", cell.use)
      }
      run.append(cell.symbol)
      if offset < cells.count - 1 { run.append(" ") }
    }
    return line + style.painted(run, use)
  }

  /// How many cells fit behind the longest of some labels: a power of two.
  private func room(for labels: [IPAddress]) -> Int {
    let label = labels.map(\.description.utf8.count).max() ?? 0
    var columns = 8
    while columns < 64, label + 4 + 4 * columns - 1 <= style.width { columns *= 2 }
    return columns
  }

  // MARK: Words

  /// The uses with their characters and sums.
  private var legend: [String] {
    let total = pool.counts.total
    let cells = pool.cellCounts
    let uses = AddressUse.allCases.filter { $0.isExpected || pool.counts[$0] > 0 }
    let noun = MapWording.cellNoun(pool)
    var rows = [["", "USE", "ADDRESSES", "SHARE", noun == "block" ? "BLOCKS" : noun.uppercased() + "s"]]
    for use in uses {
      rows.append([
        legendSymbol(use), use.name, NumberText.count(pool.counts[use]), NumberText.share(pool.counts[use], of: total),
        NumberText.count(cells[use]),
      ])
    }
    rows.append(["", "all", NumberText.count(total), "", NumberText.count(cells.total)])
    if detail == .addresses { rows = rows.map { Array($0.dropLast()) } }
    let widths = rows[0].indices.map { column in rows.map { $0[column].unicodeScalars.count }.max() ?? 0 }
    return rows.enumerated().map { number, row in
      let parts = row.enumerated().map { column, text in
        let blanks = String(repeating: " ", count: widths[column] - text.unicodeScalars.count)
        let isUse = number > 0 && number <= uses.count
        if column == 0 { return (isUse ? style.painted(text, uses[number - 1]) : text) + blanks }
        return column == 1 ? text + blanks : blanks + text
      }
      let line = "  " + parts.joined(separator: "  ")
      return String(line.reversed().drop { $0 == " " }.reversed())
    }
  }

  /// The character of a use, and before it that of a network that is in use in part.
  private func legendSymbol(_ use: AddressUse) -> String {
    let symbol = String(style.symbol(use))
    guard use == .used, detail == .blocks else { return symbol }
    return style.hasUnicode ? "▁▄█" : "+ #"
  }
}

extension AddressSection {
  /// The name of a block whose cells make one row; empty for all else.
  var rowLabel: String {
    guard case .block(let block) = self, MapWording.isRow(block) else { return "" }
    return block.cidr.description
  }
}
