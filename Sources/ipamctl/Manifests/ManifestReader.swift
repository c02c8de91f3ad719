import CalicoModel

/// Reads the resources of a file, of stdin, or of the files in a directory (calicoctl specification, section 4.2).
struct ManifestReader {
  /// Why nothing can be done, in the words that are printed.
  struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }

    /// A file that cannot be read.
    fileprivate init(ofCommand error: any Error) { self.init("failed to execute command: \(error)") }

    /// A document that cannot be understood. An unknown field is reported without anything before it; where it is comes
    /// after what calicoctl says.
    fileprivate init(of error: any Error, in document: ManifestDocument) {
      let location = document.location(of: error)
      if let error = error as? ResourceError, case .unknownField = error.code {
        self.init("\(error.description)\n\(location)")
      } else {
        self.init("failed to execute command: \(error)\n\(location)")
      }
    }
  }

  /// `-` for stdin, a file, or a directory.
  let path: String
  /// Whether directories in a directory are read as well.
  var isRecursive = false
  /// Whether it is no error that there are no resources.
  var skipsEmpty = false

  /// All resources, in the order of files and of documents, and where each is.
  ///
  /// - Throws: ``Failure`` when any file cannot be read: nothing is done then.
  func entries() throws(Failure) -> [WrittenResource] {
    var entries: [WrittenResource] = []
    for file in try files() {
      var found: [WrittenResource] = []
      for document in ManifestDocument.documents(in: try Self.contents(of: file), file: file) {
        do { found += try document.entries() } catch { throw Failure(of: error, in: document) }
      }
      if found.isEmpty, !skipsEmpty { throw Failure("no resources specified in file \(file)") }
      entries += found
    }
    if entries.isEmpty, !skipsEmpty { throw Failure("no resources specified in directory \(path)") }
    return entries
  }

  /// All resources, in the order of files and of documents.
  ///
  /// - Throws: ``Failure`` when any file cannot be read: nothing is done then.
  func resources() throws(Failure) -> [Resource] { try entries().map(\.resource) }

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

  private static func contents(of file: String) throws(Failure) -> [UInt8] {
    do throws(HostFiles.Failure) {
      return try file == "-" ? HostFiles.standardInput() : HostFiles.input(file)
    } catch {
      throw Failure(ofCommand: Failure(file == "-" ? "cannot read \(error)" : "open \(error)"))
    }
  }
}
