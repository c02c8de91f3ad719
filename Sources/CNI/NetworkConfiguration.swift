import IPAM
public import JSON

/// The document on a plugin's stdin: what every verb needs of it, and the whole for the backend to read.
public struct NetworkConfiguration: Sendable {
  /// The whole document.
  public let document: JSONObject
  /// The network's name; letters, digits, `_`, `.` and `-`, so it can name a directory.
  public let name: String

  /// Parses and checks the document.
  ///
  /// - Throws: ``CNIError`` with code 6 when `bytes` is not a JSON object, or `name` no string; with code 7 when the
  ///   name is missing or has characters that no name may have.
  public init(parsing bytes: [UInt8]) throws(CNIError) {
    let value: JSON
    do {
      value = try JSON(parsing: bytes)
    } catch {
      throw CNIError(.decodingFailure, "error unmarshall network config: \(error)")
    }
    var decoder = ConfigurationDecoder()
    var name = ""
    var document = JSONObject()
    switch value {
    case .null: break
    case .object(let object):
      document = object
      for member in object.members where member.key.matchesFieldName("name") {
        decoder.decode(member.value, as: ".name", into: &name)
      }
    default: decoder.reject(value, field: "", type: "struct")
    }
    if let problem = decoder.firstTypeError {
      throw CNIError(.decodingFailure, "error unmarshall network config: \(problem)")
    }
    guard !name.isEmpty else { throw CNIError(.invalidNetworkConfiguration, "missing network name") }
    guard Attachment.isValid(containerID: Array(name.utf8)) else {
      throw CNIError(
        .invalidNetworkConfiguration,
        "invalid characters found in network name",
        details: name
      )
    }
    self.document = document
    self.name = name
  }

  /// The same configuration with other members; the name stays.
  ///
  /// - Parameter document: the members.
  /// - Returns: the configuration.
  public func replacing(_ document: JSONObject) -> NetworkConfiguration {
    NetworkConfiguration(document: document, name: name)
  }

  private init(document: JSONObject, name: String) {
    self.document = document
    self.name = name
  }

  /// The version the configuration asks for.
  ///
  /// - Throws: ``CNIError`` with code 6 when `cniVersion` is no string.
  func version() throws(CNIError) -> CNIVersion {
    var decoder = ConfigurationDecoder()
    var text = ""
    for member in document.members where member.key.matchesFieldName("cniVersion") {
      decoder.decode(member.value, as: ".cniVersion", into: &text)
    }
    if let problem = decoder.firstTypeError {
      throw CNIError(.decodingFailure, "decoding version from network config: \(problem)")
    }
    return text.isEmpty ? .unstated : CNIVersion(text)
  }
}
