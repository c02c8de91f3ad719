/// A table in a box, as calicoctl draws it (calicoctl specification, section 3.1).
struct BoxTable {
  private let rightAligned: Set<Int>
  private var rows: [[String]]

  /// A table.
  ///
  /// - Parameters:
  ///   - headings: the headings, always on the left.
  ///   - rightAligned: the columns whose data is on the right.
  init(_ headings: [String], rightAligned: Set<Int> = []) {
    rows = [headings]
    self.rightAligned = rightAligned
  }

  mutating func add(_ row: [String]) { rows.append(row) }

  /// The lines, the last one ended as well.
  var text: String {
    let widths = (rows.first ?? []).indices.map { column in
      rows.map { $0[column].unicodeScalars.count }.max() ?? 0
    }
    let border = "+" + widths.map { String(repeating: "-", count: $0 + 2) + "+" }.joined() + "\n"
    var text = border
    for (number, row) in rows.enumerated() {
      text += "|"
      for (column, cell) in row.enumerated() {
        let blanks = String(repeating: " ", count: widths[column] - cell.unicodeScalars.count)
        text += number > 0 && rightAligned.contains(column) ? " \(blanks)\(cell) |" : " \(cell)\(blanks) |"
      }
      text += "\n"
      if number == 0 { text += border }
    }
    return text + border
  }
}
