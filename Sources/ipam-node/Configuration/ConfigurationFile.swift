import CNI
import FileSystem
import JSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A file of settings, in YAML or JSON.
struct ConfigurationFile: Sendable {
  /// Read when it is there and no other is named.
  static let standardPath = "/etc/swift-ipam/ipam-node.yaml"
  /// Far more than all settings take.
  private static let maximumSize = 1 << 20

  let path: String
  let members: [JSONObject.Member]

  /// Understands the text of a file.
  init(path: String, text: [UInt8]) throws(ConfigurationError) {
    self.path = path
    let document: JSON?
    do throws(WrittenDocument.Failure) { document = try WrittenDocument.json(text) } catch {
      throw ConfigurationError(problems: ["\(path): \(error)"])
    }
    switch document {
    case nil: members = []
    case .object(let object): members = object.members
    case let value?:
      throw ConfigurationError(
        problems: ["\(path): \(value.kindName) where there should be keys and values, such as 'vxlanPort: 4789'"])
    }
  }

  /// Reads a file.
  ///
  /// - Parameters:
  ///   - path: the file.
  ///   - isOptional: whether it is well if there is none.
  /// - Returns: its settings; nil when there is no such file and need not be.
  /// - Throws: ``ConfigurationError``
  static func read(_ path: String, isOptional: Bool) throws(ConfigurationError) -> ConfigurationFile? {
    let text: [UInt8]
    do throws(SystemError) {
      text = try File.contents(of: File.open(path, O_RDONLY | O_NONBLOCK), limit: maximumSize + 1)
    } catch {
      if isOptional, error.number == ENOENT || error.number == ENOTDIR { return nil }
      throw ConfigurationError(
        problems: ["cannot read \(path): \(systemReason(error.number)); name another file with --config"])
    }
    guard text.count <= maximumSize else {
      throw ConfigurationError(problems: ["\(path) has more than \(maximumSize) bytes: that is no configuration"])
    }
    return try ConfigurationFile(path: path, text: text)
  }
}
