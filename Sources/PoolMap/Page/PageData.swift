import IPAddressing
import JSON
import Terminal

/// What a page's script knows of blocks and their addresses, as JSON.
///
/// ```json
/// {"uses": {"u": ["used-8", "used"]},
///  "nodes": ["node-1"], "stems": ["default/web-7d9f8b6c5-"],
///  "blocks": [[["0a410000", 26, 0, "10.65.0.0/26, node-1: 2 of 64 in use", "u2f62", ["0:x2x4z", "0@1:abcde"]]]]}
/// ```
///
/// A block has its first address in hexadecimal digits, its prefix length, its owner's index or -1, what it is called, the
/// uses of its addresses as letters with run lengths, and for each address in use its holder: the index of how the name
/// begins in base 36, the node's behind `@` where it is not the block's owner, and the rest of the name behind a colon.
/// Names of pods differ in their last part only, so a pool of 65,536 pods has them in less than a megabyte.
struct PageData {
  /// The document, fit for a `script` element.
  private(set) var text = ""
  /// How many addresses have a holder that is left out.
  private(set) var omitted = 0

  private var nodes = NameIndex()
  private var stems = NameIndex()
  private var room: Int

  /// Collects.
  ///
  /// - Parameters:
  ///   - pools: the pools.
  ///   - room: how many bytes there may be; holders are left out as soon as they are more.
  init(_ pools: [MappedPool], room: Int) {
    self.room = room
    let blocks = pools.map { pool in pool.blocks.map { block in record(block) } }
    // Nodes and what blocks are called are always there; the rest is for holders.
    self.room -= blocks.joined().reduce(0) { $0 + $1.utf8.count + 2 } + nodes.size
    let lists = zip(pools, blocks).map { pool, records in
      "[" + zip(pool.blocks, records).map { "[\($1),\(holders($0))]" }.joined(separator: ",") + "]"
    }
    let uses = AddressUse.allCases.map { "\"\($0.letter)\":[\"\(CellDrawing($0).identifier)\",\"\($0.name)\"]" }
    let document =
      "{\"uses\":{\(uses.joined(separator: ","))},\"nodes\":\(nodes.text),\"stems\":\(stems.text),"
      + "\"blocks\":[\(lists.joined(separator: ","))]}"
    text = Self.withoutMarkup(document)
  }

  /// All of a block but its holders.
  private mutating func record(_ block: MappedBlock) -> String {
    let number = String(block.cidr.network.number, radix: 16)
    let width = block.cidr.address.family.bitWidth / 4
    let digits = String(repeating: "0", count: width - number.utf8.count) + number
    let owner = block.owner.map { nodes.index(of: PrintableText.of($0)) } ?? -1
    let label = Self.quoted(PrintableText.of(MapWording.label(block)))
    return "\"\(digits)\",\(block.cidr.prefixLength),\(owner),\(label),\"\(Self.runs(block.uses))\""
  }

  /// The holders of a block's addresses in use; nothing when there is no room for them.
  private mutating func holders(_ block: MappedBlock) -> String {
    let ordinals = block.uses.indices.filter { block.uses[$0] == .used || block.uses[$0] == .borrowed }
    guard room > 0 else {
      omitted += ordinals.count { block.holder(at: $0)?.name != nil }
      return "[]"
    }
    let before = nodes.size + stems.size
    let list = "[" + ordinals.map { Self.quoted(entry(block.holder(at: $0), of: block)) }.joined(separator: ",") + "]"
    room -= list.utf8.count + nodes.size + stems.size - before
    return list
  }

  private mutating func entry(_ holder: AddressHolder?, of block: MappedBlock) -> String {
    guard let holder else { return "" }
    var text = ""
    var name = PrintableText.of(holder.name ?? "")[...]
    if let dash = name.lastIndex(of: "-") {
      let start = name.index(after: dash)
      text = String(stems.index(of: String(name[..<start])), radix: 36)
      name = name[start...]
    }
    if holder.node != block.owner {
      text += "@" + (holder.node.map { String(nodes.index(of: PrintableText.of($0)), radix: 36) } ?? "")
    }
    return text + ":" + name
  }

  /// Letters with run lengths: `u25f39`.
  private static func runs(_ uses: [AddressUse]) -> String {
    var text = ""
    var start = 0
    for index in uses.indices where index + 1 == uses.count || uses[index + 1] != uses[index] {
      text += "\(uses[index].letter)\(index + 1 - start)"
      start = index + 1
    }
    return text
  }

  fileprivate static func quoted(_ text: String) -> String {
    var writer = JSONWriter(reservingCapacity: text.utf8.count + 2)
    writer.string(text)
    return String(decoding: writer.bytes, as: UTF8.self)
  }

  /// The document without what would end the element that it stands in, or begin a comment there: such characters are
  /// inside strings only, where an escape sequence means the same.
  private static func withoutMarkup(_ document: String) -> String {
    guard document.utf8.contains(UInt8(ascii: "<")) else { return document }
    var bytes: [UInt8] = []
    bytes.reserveCapacity(document.utf8.count + 64)
    for byte in document.utf8 {
      if byte == UInt8(ascii: "<") { bytes += "\\u003c".utf8 } else { bytes.append(byte) }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}

/// Names that are referred to by number.
private struct NameIndex {
  private var indices: [String: Int] = [:]
  private var names: [String] = []
  /// About how many bytes the names take.
  private(set) var size = 0

  mutating func index(of name: String) -> Int {
    if let index = indices[name] { return index }
    indices[name] = names.count
    names.append(name)
    size += name.utf8.count + 3
    return names.count - 1
  }

  var text: String { "[" + names.map(PageData.quoted).joined(separator: ",") + "]" }
}

extension AddressUse {
  /// The letter that stands for the use in a page's data.
  fileprivate var letter: Character {
    switch self {
    case .free: "f"
    case .affine: "a"
    case .used: "u"
    case .borrowed: "b"
    case .cooling: "c"
    case .reserved: "r"
    case .unreadable: "x"
    }
  }
}
