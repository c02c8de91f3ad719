import CYAML

extension YAMLDocument {
  /// The line on which something stands.
  ///
  /// JSON is YAML, so that its lines are found as well.
  ///
  /// - Parameters:
  ///   - path: the way there from the top: keys of mappings, and indices of sequences as decimal numbers.
  ///   - text: the text, of which the first document is looked at.
  /// - Returns: the line from 1, of the key where the last step is one; that of the deepest value on the way when the way
  ///   ends before; nil when the text is no YAML, or holds nothing.
  public static func line(of path: [String], in text: String) -> Int? {
    var parser = yaml_parser_t()
    guard yaml_parser_initialize(&parser) == 1 else { return nil }
    defer { yaml_parser_delete(&parser) }
    // The parser reads the text where it lies, so it is used only as long as it lies there.
    return Array(text.utf8).withUnsafeBufferPointer { bytes -> Int? in
      yaml_parser_set_input_string(&parser, bytes.baseAddress, bytes.count)
      var document = yaml_document_t()
      guard yaml_parser_load(&parser, &document) == 1 else { return nil }
      defer { yaml_document_delete(&document) }
      guard var node = yaml_document_get_root_node(&document)?.pointee else { return nil }
      var line = node.start_mark.line
      for step in path {
        guard let next = Self.next(step, of: node, in: &document) else { break }
        line = next.line
        node = next.value
      }
      return line + 1
    }
  }

  /// One step into a mapping or a sequence; nil when there is no such thing.
  private static func next(
    _ step: String, of node: yaml_node_t, in document: inout yaml_document_t
  ) -> (line: Int, value: yaml_node_t)? {
    switch node.type {
    case YAML_MAPPING_NODE:
      let pairs = node.data.mapping.pairs
      for index in 0..<(pairs.top - pairs.start) {
        let pair = pairs.start[index]
        guard let key = yaml_document_get_node(&document, pair.key)?.pointee, key.type == YAML_SCALAR_NODE,
          key.scalarText == step, let value = yaml_document_get_node(&document, pair.value)?.pointee
        else { continue }
        return (key.start_mark.line, value)
      }
      return nil
    case YAML_SEQUENCE_NODE:
      let items = node.data.sequence.items
      guard let index = Int(step), index >= 0, index < items.top - items.start,
        let value = yaml_document_get_node(&document, items.start[index])?.pointee
      else { return nil }
      return (value.start_mark.line, value)
    default: return nil
    }
  }
}

extension yaml_node_t {
  /// The text of a scalar.
  fileprivate var scalarText: String {
    String(decoding: UnsafeBufferPointer(start: data.scalar.value, count: data.scalar.length), as: UTF8.self)
  }
}
