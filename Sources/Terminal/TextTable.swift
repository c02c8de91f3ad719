/// Rows in aligned columns, two blanks apart.
public struct TextTable {
  private var rows: [[String]]

  /// A table with nothing but headings.
  public init(_ headings: [String]) { rows = [headings] }

  /// Adds a row of as many cells as there are headings.
  public mutating func add(_ row: [String]) { rows.append(row) }

  /// The lines; the last column is not padded.
  public var text: String {
    var widths: [Int] = []
    for row in rows {
      for (column, cell) in row.enumerated() {
        if column == widths.count { widths.append(0) }
        widths[column] = max(widths[column], cell.unicodeScalars.count)
      }
    }
    return rows.map { Self.line($0, widths) }.joined(separator: "\n")
  }

  private static func line(_ row: [String], _ widths: [Int]) -> String {
    var line = ""
    for (column, cell) in row.enumerated() {
      line += cell
      guard column < row.count - 1 else { break }
      line += String(repeating: " ", count: widths[column] - cell.unicodeScalars.count + 2)
    }
    return line
  }
}
