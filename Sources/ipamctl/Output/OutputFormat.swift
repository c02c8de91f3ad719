import ArgumentParser
import JSON

/// The forms in which a command answers.
enum OutputFormat: String, CaseIterable, ExpressibleByArgument {
  case table
  case json
}

extension JSON {
  /// The document as people and `jq` like it.
  var text: String { String(decoding: encoded(JSONFormat(indentation: 2)), as: UTF8.self) }

  /// A string, or null for nothing.
  init(_ text: String?) { self = text.map { .string($0) } ?? .null }

  /// An array of strings.
  init(_ texts: [String]) { self = .array(texts.map { .string($0) }) }
}
