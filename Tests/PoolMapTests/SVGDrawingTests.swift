import CalicoModel
import Foundation
import IPAddressing
import Testing

@testable import PoolMap

@Suite("A map as a picture")
struct SVGDrawingTests {
  /// Where the picture of the documentation is.
  private static let picture = URL(filePath: #filePath).deletingLastPathComponent()
    .appending(path: "../../Sources/PoolMap/PoolMap.docc/Resources/pool-map.svg")

  @Test("is well-formed, and has a sign and a title for each block that is not free")
  func wellFormed() throws {
    for (map, detail) in [(try Example.picture(), MapDetail.blocks), (try Example.small(), .addresses)] {
      let text = SVGDrawing([map]) { _ in detail }.text
      let parser = XMLReading(text)
      #expect(parser.isWellFormed)
      let free = Int(truncatingIfNeeded: detail == .blocks ? map.cellCounts[.free] : map.counts[.free])
      let cells = detail == .blocks ? map.cells.count : Int(truncatingIfNeeded: map.counts.total)
      let legend = AddressUse.allCases.count { $0.isExpected }
      #expect(parser.counts["use"] == cells + legend)
      #expect(parser.counts["title"] == cells - free + 1)
    }
  }

  @Test("describes itself to who cannot see it")
  func description() throws {
    let text = SVGDrawing([try Example.small()]) { _ in .addresses }.text
    #expect(text.contains("role='img' aria-labelledby='t d'"))
    #expect(text.contains("<title id='t'>IP pool lan (10.65.0.0/26)</title>"))
    #expect(text.contains("<desc id='d'>lan: 35 free, 8 affine, empty, 13 used, 2 borrowed"))
  }

  @Test("refers to no sign that it has not")
  func references() throws {
    let text = SVGDrawing([try Example.picture()]) { _ in .blocks }.text
    let signs = Set(CellDrawing.all.map(\.identifier))
    let references = text.matches(of: /href='#([a-z0-9-]+)'/).map { String($0.output.1) }
    #expect(Set(references).isSubset(of: signs))
    #expect(Set(references).count > 8)
    for sign in signs { #expect(text.contains("<g id='\(sign)'>")) }
  }

  @Test("has pools one below the other")
  func several() throws {
    let one = SVGDrawing([try Example.small()]) { _ in .blocks }.text
    let two = SVGDrawing([try Example.small(), try Example.picture()]) { _ in .blocks }.text
    #expect(XMLReading(two).isWellFormed)
    #expect(two.contains("default-ipv4-ippool</text>"))
    #expect(two.utf8.count > one.utf8.count)
  }

  @Test("of the documentation is what is drawn today; WRITE_PICTURES=1 draws it again")
  func documentation() throws {
    let text = SVGDrawing([try Example.picture()]) { _ in .blocks }.text
    if ProcessInfo.processInfo.environment["WRITE_PICTURES"] == "1" {
      try Data(text.utf8).write(to: Self.picture)
    }
    #expect(try String(contentsOf: Self.picture, encoding: .utf8) == text)
    #expect(text.utf8.count < 20_000)
  }

  @Test("has a shape of its own for each use, whatever the colours are")
  func shapes() {
    let shapes = AddressUse.allCases.map { use in
      CellDrawing(use).elements { fill, stroke in
        "\(fill == nil ? "" : "fill") \(stroke == nil ? "" : "stroke")"
      }
    }
    #expect(Set(shapes).count == AddressUse.allCases.count)
    #expect(Set(CellDrawing.all.map(\.identifier)).count == CellDrawing.all.count)
  }
}

/// Whether a text is a well-formed document of one root, and how many elements of each name it has.
private struct XMLReading {
  var isWellFormed = true
  var counts: [String: Int] = [:]

  /// Reads tags; enough for documents without processing instructions, comments and CDATA sections.
  init(_ text: String) {
    var open: [Substring] = []
    var rest = text[...]
    while let start = rest.firstIndex(of: "<") {
      guard let end = rest[start...].firstIndex(of: ">") else {
        isWellFormed = false
        return
      }
      let tag = rest[rest.index(after: start)..<end]
      rest = rest[rest.index(after: end)...]
      if tag.hasPrefix("/") {
        if open.popLast() != tag.dropFirst() { isWellFormed = false }
        continue
      }
      guard let name = tag.prefixMatch(of: /[a-z]+/)?.output,
        tag.wholeMatch(of: /[a-zA-Z]+(\s+[a-zA-Z-]+='[^'<&]*(&[a-z#0-9]+;[^'<&]*)*')*\s*\/?/) != nil
      else {
        isWellFormed = false
        return
      }
      counts[String(name), default: 0] += 1
      if !tag.hasSuffix("/") { open.append(name) }
    }
    if !open.isEmpty { isWellFormed = false }
  }
}
