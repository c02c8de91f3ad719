import Glibc

/// A folder for the time of one test.
public final class TemporaryFolder: Sendable {
  public let path: String

  public init() throws {
    var template = Array("\(KubernetesServerProgram.temporaryFolder)/swift-ipam-test-XXXXXX".utf8CString)
    guard mkdtemp(&template) != nil else { throw SetupFailure("mkdtemp", errno) }
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
  }

  /// Writes a file as a whole: there is the old one or the new one, and nothing between.
  ///
  /// - Returns: its path.
  @discardableResult
  public func write(_ text: String, to name: String) throws -> String {
    let file = path + "/" + name
    let fresh = open(file + ".new", O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0o600)
    guard fresh >= 0 else { throw SetupFailure(file, errno) }
    defer { close(fresh) }
    let bytes = Array(text.utf8)
    guard Glibc.write(fresh, bytes, bytes.count) == bytes.count, rename(file + ".new", file) == 0 else {
      throw SetupFailure(file, errno)
    }
    return file
  }

  /// The text of a file anywhere.
  public static func contents(of file: String) throws -> String {
    String(decoding: try ChildProcess.run(["cat", file]).output, as: UTF8.self)
  }

  deinit { _ = try? ChildProcess.run(["rm", "-rf", path]) }
}

/// A file that is open for reading and writing for the time of one test.
public final class OpenFile: Sendable {
  public let number: Int32

  public init(_ path: String) throws {
    number = open(path, O_RDWR | O_CLOEXEC)
    guard number >= 0 else { throw SetupFailure(path, errno) }
  }

  deinit { close(number) }
}
