import IPAddressing

/// The cells of a pool in an SVG picture, with the first address of each row before it.
struct SVGGrid {
  private(set) var elements = ""
  private(set) var width = 0
  private(set) var height = 0

  /// About the width of a character of an address.
  private static let characterWidth = 6.8
  /// Between the end of one address and the beginning of the next.
  private let pitch: Int
  /// Where cells begin.
  private let left: Int

  init(_ pool: MappedPool, _ detail: MapDetail) {
    let sections = detail == .addresses ? pool.sections : []
    let labels = sections.map(\.longestLabel) + (detail == .blocks ? pool.cells.map(\.cidr.network.description) : [])
    let label = labels.map(\.utf8.count).max() ?? 0
    left = Int(Double(label) * Self.characterWidth) + 12
    switch detail {
    case .blocks:
      let columns = pool.columns(atMost: 64)
      pitch = columns > 32 ? 14 : columns > 16 ? 18 : 24
      addBlocks(pool, columns: columns)
    case .addresses:
      pitch = 20
      add(sections)
    }
  }

  private mutating func addBlocks(_ pool: MappedPool, columns: Int) {
    for (index, cell) in pool.cells.enumerated() {
      let (row, column) = (index / columns, index % columns)
      if column == 0 { add(label: cell.cidr.network.description, y: row * pitch) }
      let title = cell.use == .free ? "" : MarkupText.of(MapWording.label(cell, of: pool))
      add(CellDrawing(cell.counts), column: column, y: row * pitch, title: title)
    }
    height = (pool.cells.count + columns - 1) / columns * pitch
    width = max(width, left + min(columns, pool.cells.count) * pitch)
  }

  private mutating func add(_ sections: [AddressSection]) {
    for section in sections {
      switch section {
      case .gap(let range, let counts): add(heading: MapWording.label(range, counts), isBlock: false)
      case .block(let block) where MapWording.isRow(block):
        add(label: block.cidr.description, y: height)
        for ordinal in block.uses.indices { add(block, ordinal, column: ordinal, y: height) }
        let remark = MapWording.remark(block)
        let x = left + block.uses.count * pitch + 10
        elements += "<text x='\(x)' y='\(height + 14)' class='ink'>\(MarkupText.of(remark))</text>\n"
        width = max(width, x + Int(Double(remark.count) * 6.4))
        height += pitch + 4
      case .block(let block):
        add(heading: MapWording.label(block), isBlock: true)
        let columns = MappedPool.columns(for: block.uses.count, atMost: 32)
        for ordinal in block.uses.indices {
          let (row, column) = (ordinal / columns, ordinal % columns)
          if column == 0 { add(label: block.address(at: ordinal).description, y: height + row * pitch) }
          add(block, ordinal, column: column, y: height + row * pitch)
        }
        width = max(width, left + min(columns, block.uses.count) * pitch)
        height += (block.uses.count + columns - 1) / columns * pitch + 14
      }
    }
  }

  private mutating func add(_ block: MappedBlock, _ ordinal: Int, column: Int, y: Int) {
    let use = block.uses[ordinal]
    let title = use == .free ? "" : MarkupText.of(MapWording.label(block, ordinal))
    add(CellDrawing(use), column: column, y: y, title: title)
  }

  private mutating func add(heading: String, isBlock: Bool) {
    elements += "<text x='0' y='\(height + 11)' class='\(isBlock ? "ink" : "soft")'>\(MarkupText.of(heading))</text>\n"
    width = max(width, Int(Double(heading.count) * 6.4))
    height += isBlock ? 20 : 28
  }

  private mutating func add(label: String, y: Int) {
    elements += "<text x='0' y='\(y + pitch / 2 + 4)' class='soft address'>\(label)</text>\n"
  }

  private mutating func add(_ sign: CellDrawing, column: Int, y: Int, title: String) {
    // A sign has 20 units; between two of them there is room for what is beside the outline.
    let factor = Double(pitch) / 20
    let scale = factor == 1 ? "" : " scale(\(factor))"
    let place = "transform='translate(\(left + column * pitch) \(y))\(scale)'"
    elements +=
      title.isEmpty
      ? "<use href='#\(sign.identifier)' \(place)/>\n"
      : "<use href='#\(sign.identifier)' \(place)><title>\(title)</title></use>\n"
  }
}

extension AddressSection {
  /// The longest text that stands before a row.
  fileprivate var longestLabel: String {
    guard case .block(let block) = self else { return "" }
    return MapWording.isRow(block) ? block.cidr.description : block.cidr.last.description
  }
}
