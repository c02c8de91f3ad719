/// How a server ended a call: a code and a text (gRPC over HTTP/2, "Responses").
struct GRPCStatus: Hashable, Sendable, CustomStringConvertible {
  /// The codes of gRPC that are told apart here.
  enum Code: Int, Hashable, Sendable {
    case ok = 0
    case cancelled = 1
    case unknown = 2
    case invalidArgument = 3
    case deadlineExceeded = 4
    case notFound = 5
    case alreadyExists = 6
    case permissionDenied = 7
    case resourceExhausted = 8
    case failedPrecondition = 9
    case aborted = 10
    case outOfRange = 11
    case unimplemented = 12
    case `internal` = 13
    case unavailable = 14
    case dataLoss = 15
    case unauthenticated = 16
  }

  var code: Code
  var message: String

  init(_ code: Code, _ message: String) {
    self.code = code
    self.message = message
  }

  /// The status in trailers.
  ///
  /// - Parameters:
  ///   - code: the text of `grpc-status`; one that is no known number counts as unknown.
  ///   - message: the text of `grpc-message`, percent-encoded UTF-8.
  init(code: String, message: String) {
    self.init(Int(code).flatMap(Code.init) ?? .unknown, Self.decode(message))
  }

  /// What an HTTP status says when a proxy answered in the place of the server.
  init(httpStatus: String) {
    let code: Code =
      switch httpStatus {
      case "400": .internal
      case "401": .unauthenticated
      case "403": .permissionDenied
      case "404": .unimplemented
      case "429", "502", "503", "504": .unavailable
      default: .unknown
      }
    self.init(code, "HTTP status \(httpStatus)")
  }

  var description: String { message.isEmpty ? "gRPC status \(code.rawValue)" : message }

  /// Undoes the percent-encoding of `grpc-message`; what is not well encoded stays as it is.
  static func decode(_ message: String) -> String {
    guard message.utf8.contains(UInt8(ascii: "%")) else { return message }
    var bytes: [UInt8] = []
    var rest = Array(message.utf8)[...]
    while let byte = rest.popFirst() {
      if byte == UInt8(ascii: "%"), rest.count >= 2,
        let value = UInt8(String(decoding: rest.prefix(2), as: UTF8.self), radix: 16)
      {
        bytes.append(value)
        rest = rest.dropFirst(2)
      } else {
        bytes.append(byte)
      }
    }
    return String(decoding: bytes, as: UTF8.self)
  }
}
