import JSON

/// The rows of a `meta.k8s.io/v1` Table.
enum TableRows {
  /// The names in a table; nil when the answer is something else, from a server that knows no tables.
  ///
  /// - Throws: ``ObjectError`` when it is malformed.
  static func names(in document: [UInt8]) throws(ObjectError) -> [String]? {
    let members = try JSONMembers(document[...])
    guard try members.string("kind") == "Table" else { return nil }
    var column = 0
    for (index, text) in try members.elements("columnDefinitions").enumerated() {
      // The format says which column is the name; its title is for people.
      if try JSONMembers(text, at: "columnDefinitions").string("format") == "name" {
        column = index
        break
      }
    }
    guard let rows = members["rows"] else { return [] }
    do throws(JSONError) {
      return try names(in: Array(rows), column: column)
    } catch {
      throw ObjectError(field: "rows", reason: error.description)
    }
  }

  /// Goes through all rows once: there may be many thousands.
  private static func names(in rows: [UInt8], column: Int) throws(JSONError) -> [String] {
    try JSONReader.read(rows) { reader throws(JSONError) in
      var names: [String] = []
      try reader.beginArray()
      while try reader.nextElement() {
        try reader.beginObject()
        while let key = try reader.nextKey() {
          guard key.is("cells") else {
            try reader.skipValue()
            continue
          }
          var index = 0
          try reader.beginArray()
          while try reader.nextElement() {
            if index == column { names.append(try reader.readString()) } else { try reader.skipValue() }
            index += 1
          }
        }
      }
      return names
    }
  }
}
