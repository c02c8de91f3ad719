import CalicoModel
import JSON
import YAML

/// One document of a file, in YAML or JSON.
struct ManifestDocument {
  /// The file that it is of; `-` for stdin.
  let file: String
  /// How many lines of the file are before it.
  let precedingLines: Int
  let text: ArraySlice<UInt8>

  /// The documents of a file: what lies between lines of three hyphens.
  static func documents(in text: [UInt8], file: String) -> [ManifestDocument] {
    var documents: [ManifestDocument] = []
    var start = (index: text.startIndex, line: 0)
    var line = (index: text.startIndex, number: 0)
    while line.index < text.endIndex {
      let end = text[line.index...].firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex
      if isSeparator(text[line.index..<end]) {
        documents.append(
          ManifestDocument(file: file, precedingLines: start.line, text: text[start.index..<line.index]))
        start = (min(end + 1, text.endIndex), line.number + 1)
      }
      line = (end + 1, line.number + 1)
    }
    documents.append(ManifestDocument(file: file, precedingLines: start.line, text: text[start.index...]))
    return documents
  }

  private static func isSeparator(_ line: ArraySlice<UInt8>) -> Bool {
    line.starts(with: "---".utf8)
      && line.dropFirst(3).allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }
  }

  /// The resources in the document; none in one that is empty.
  func entries() throws -> [WrittenResource] {
    guard let json = try json() else { return [] }
    return try Resource.resources(inManifest: json).enumerated().map { index, resource in
      WrittenResource(resource: resource, document: self, place: Self.place(ofResource: index, in: json))
    }
  }

  private func json() throws -> JSON? {
    guard text.count <= Resource.maximumDocumentSize else {
      throw ManifestReader.Failure(
        "a document of \(text.count) bytes; at most \(Resource.maximumDocumentSize) are read")
    }
    let first = text.first { ![0x09, 0x0A, 0x0D, 0x20].contains($0) }
    // What looks like JSON and is none may be YAML in its flow style.
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "["), let json = try? JSON(parsing: text) { return json }
    return try YAMLDocument.json(String(decoding: text, as: UTF8.self))
  }

  /// Where a resource of the document is, by its number from 0.
  private static func place(ofResource index: Int, in document: JSON) -> DocumentPlace {
    switch document {
    case .array: DocumentPlace([.element(index)])
    case .object(let object)
    where object["items"]?.arrayValue != nil && object["kind"]?.stringValue?.hasSuffix("List") == true:
      DocumentPlace([.member("items"), .element(index)])
    default: DocumentPlace()
    }
  }
}

// MARK: - Lines

extension ManifestDocument {
  /// Where something is that was found wrong, and what to write instead: `pools.yaml, line 8, spec.bgp: did you mean …?`.
  func location(of error: any Error) -> String {
    switch error {
    case let error as ResourceError:
      var text = location(of: error.place ?? DocumentPlace())
      if let place = error.place, !place.steps.isEmpty { text += ", \(place)" }
      return text + (error.advice.map { ": \($0)" } ?? "")
    case let error as YAMLDocument.Failure: return location(line: error.line ?? 1)
    default: return location(of: DocumentPlace())
    }
  }

  /// Where a place of the document is: `pools.yaml, line 8`.
  func location(of place: DocumentPlace) -> String {
    let path = place.steps.map { step in
      switch step {
      case .member(let key): key
      case .element(let index): String(index)
      }
    }
    return location(line: YAMLDocument.line(of: path, in: String(decoding: text, as: UTF8.self)) ?? 1)
  }

  private func location(line: Int) -> String {
    "\(file == "-" ? "stdin" : file), line \(precedingLines + line)"
  }
}
