import JSON

/// What is read of any resource: its labels.
public enum ResourceLabels {
  /// The labels of a resource such as a Node.
  ///
  /// - Parameter document: the resource's text.
  /// - Returns: the labels, empty when there are none.
  /// - Throws: ``ModelError`` when the text is malformed.
  public static func decode(_ document: [UInt8]) throws(ModelError) -> [String: String] {
    try JSONReader.readEntry(document) { reader throws(JSONError) in
      var labels: [String: String] = [:]
      try reader.beginObject()
      while let key = try reader.nextKey() {
        guard key.is("metadata"), try !reader.readNull() else {
          if !key.is("metadata") { try reader.skipValue() }
          continue
        }
        try reader.beginObject()
        while let key = try reader.nextKey() {
          if key.is("labels") { labels = try reader.readStrings() } else { try reader.skipValue() }
        }
      }
      return labels
    }
  }
}
