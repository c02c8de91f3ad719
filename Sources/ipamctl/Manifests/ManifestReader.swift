import CalicoModel
import JSON
import YAML

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Reads the resources of a file, of stdin, or of the files in a directory (calicoctl specification, section 4.2).
struct ManifestReader {
  /// Why nothing can be done, in the words that are printed.
  struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// A file that cannot be read or understood. An unknown field is reported without anything before it.
    fileprivate init(of error: any Error) {
      if let error = error as? ResourceError, case .unknownField = error.code {
        self.init(error.description)
      } else {
        self.init("failed to execute command: \(error)")
      }
    }
  }

  /// `-` for stdin, a file, or a directory.
  let path: String
  /// Whether directories in a directory are read as well.
  var isRecursive = false
  /// Whether it is no error that there are no resources.
  var skipsEmpty = false

  /// All resources, in the order of files and of documents.
  ///
  /// - Throws: ``Failure`` when any file cannot be read: nothing is done then.
  func resources() throws(Failure) -> [Resource] {
    var resources: [Resource] = []
    for file in try files() {
      let found: [Resource]
      do { found = try Self.resources(in: try Self.contents(of: file)) } catch { throw Failure(of: error) }
      if found.isEmpty, !skipsEmpty { throw Failure("no resources specified in file \(file)") }
      resources += found
    }
    if resources.isEmpty, !skipsEmpty { throw Failure("no resources specified in directory \(path)") }
    return resources
  }

  // MARK: Files

  private func files() throws(Failure) -> [String] {
    if path == "-" { return [path] }
    do throws(HostFiles.Failure) {
      return try HostFiles.isDirectory(path) ? try Self.files(below: path, isRecursive) : [path]
    } catch {
      throw Failure("failed to execute command: open \(error)")
    }
  }

  private static func files(below directory: String, _ isRecursive: Bool) throws(HostFiles.Failure) -> [String] {
    var files: [String] = []
    for name in try HostFiles.names(in: directory) {
      let path = directory.hasSuffix("/") ? directory + name : directory + "/" + name
      if try HostFiles.isDirectory(path) {
        if isRecursive { files += try self.files(below: path, isRecursive) }
      } else if [".yaml", ".yml", ".json"].contains(where: name.lowercased().hasSuffix) {
        files.append(path)
      }
    }
    return files
  }

  private static func contents(of file: String) throws -> [UInt8] {
    do {
      return try HostFiles.contents(of: file == "-" ? "/proc/self/fd/0" : file)
    } catch {
      throw Failure(file == "-" ? "cannot read stdin: \(error)" : "open \(error)")
    }
  }

  // MARK: Documents

  /// The resources in a text of one or more documents.
  static func resources(in text: [UInt8]) throws -> [Resource] {
    var resources: [Resource] = []
    for document in documents(in: text) {
      guard let json = try json(document) else { continue }
      resources += try Resource.resources(inManifest: json)
    }
    return resources
  }

  /// The documents of a text: what lies between lines of three hyphens.
  private static func documents(in text: [UInt8]) -> [ArraySlice<UInt8>] {
    var documents: [ArraySlice<UInt8>] = []
    var start = text.startIndex
    var line = text.startIndex
    while line < text.endIndex {
      let end = text[line...].firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex
      if isSeparator(text[line..<end]) {
        documents.append(text[start..<line])
        start = min(end + 1, text.endIndex)
      }
      line = end + 1
    }
    documents.append(text[start...])
    return documents
  }

  private static func isSeparator(_ line: ArraySlice<UInt8>) -> Bool {
    line.starts(with: "---".utf8)
      && line.dropFirst(3).allSatisfy { $0 == UInt8(ascii: " ") || $0 == UInt8(ascii: "\r") }
  }

  private static func json(_ document: ArraySlice<UInt8>) throws -> JSON? {
    guard document.count <= Resource.maximumDocumentSize else {
      throw Failure("a document of \(document.count) bytes; at most \(Resource.maximumDocumentSize) are read")
    }
    let first = document.first { ![0x09, 0x0A, 0x0D, 0x20].contains($0) }
    // What looks like JSON and is none may be YAML in its flow style.
    if first == UInt8(ascii: "{") || first == UInt8(ascii: "["), let json = try? JSON(parsing: document) { return json }
    return try YAMLDocument.json(String(decoding: document, as: UTF8.self))
  }
}
