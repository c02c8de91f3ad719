/// Names that many things share, each kept once and known by a number.
struct NameTable {
  private var indices: [String: Int32] = [:]
  private(set) var names: [String] = []

  /// The number of a name, which is new if need be.
  mutating func index(of name: String) -> Int32 {
    if let index = indices[name] { return index }
    let index = Int32(names.count)
    indices[name] = index
    names.append(name)
    return index
  }

  subscript(_ index: Int32) -> String { names[Int(index)] }

  var count: Int { names.count }
}
