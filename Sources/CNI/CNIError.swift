import IPAM
import JSON

/// An error as the CNI protocol reports it: a code, a message and details (CNI specification 1.1.0, section 5).
public struct CNIError: Error, Hashable, Sendable, CustomStringConvertible {
  /// The error codes of the specification that plugins of this package use.
  public enum Code: Int, Hashable, Sendable {
    case incompatibleVersion = 1
    case invalidEnvironment = 4
    case ioFailure = 5
    case decodingFailure = 6
    case invalidNetworkConfiguration = 7
    case invalidNetworkNamespace = 8
    case pluginNotAvailable = 50
    case internalFailure = 999
  }

  public let code: Code
  public let message: String
  public let details: String

  public init(_ code: Code, _ message: String, details: String = "") {
    self.code = code
    self.message = message
    self.details = details
  }

  /// The one place where a backend's failure gets its CNI code.
  ///
  /// Whatever comes from behind the protocol is 999, as upstream has it; the codes of STATUS and of malformed input to
  /// GC are those of the specification.
  init(_ error: any Error) {
    switch error {
    case let error as CNIError: self = error
    case let failure as any IPAMFailure:
      let code: Code =
        switch failure.category {
        case .failed: .internalFailure
        case .invalidConfiguration: .invalidNetworkConfiguration
        case .unavailable: .pluginNotAvailable
        }
      self.init(code, failure.message, details: failure.details)
    default: self.init(.internalFailure, "\(error)")
    }
  }

  public var description: String { details.isEmpty ? message : "\(message); \(details)" }

  /// The error document: keys in a fixed order, `details` only when there are any, no final newline.
  func encoded() -> [UInt8] {
    var document: JSONObject = ["code": JSON(integer: code.rawValue), "msg": .string(message)]
    if !details.isEmpty { document["details"] = .string(details) }
    return JSON.object(document).encoded(.document)
  }
}

extension JSON {
  init(integer: some BinaryInteger) {
    self = .number(JSONNumber(integer))
  }
}

extension JSONFormat {
  /// How upstream prints error documents, and results before version 1.0.0.
  static let document = JSONFormat(indentation: 4, sortsKeys: false, escapesReplacementCharacter: true)
  /// How upstream prints results from version 1.0.0 on.
  static let sortedDocument = JSONFormat(indentation: 4, sortsKeys: true, escapesReplacementCharacter: false)
}
