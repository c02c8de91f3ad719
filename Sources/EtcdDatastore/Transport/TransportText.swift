import CLinux
import NIOCore
import NIOHTTP2
import NIOPosix
import NIOSSL

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What went wrong on the wire, in words.
enum TransportText {
  /// A text for an error of the libraries below.
  static func describe(_ error: any Error) -> String {
    switch error {
    case let failure as GRPCFailure: describe(failure)
    case let error as IOError: text(of: error.errnoCode)
    case let error as NIOConnectionError:
      error.connectionErrors.first.map { describe($0.error) } ?? "the name has no address"
    case is SocketAddressError: "the name has no address"
    case let error as ChannelError: describe(error)
    case NIOSSLError.uncleanShutdown: "the server closed the connection"
    case NIOSSLError.handshakeFailed(let cause): "TLS: \(cause)"
    case let error as NIOSSLExtraError: "TLS: \(error.description)"
    case is NIOHTTP2Errors.UnableToParseFrame, is NIOHTTP2Errors.MissingPreface,
      is NIOHTTP2Errors.Unsupported:
      "what answers there does not speak HTTP/2"
    default: "\(error)"
    }
  }

  private static func describe(_ failure: GRPCFailure) -> String {
    switch failure.cause {
    case .status(let status): status.description
    case .lost(let text): text
    case .deadline: "context deadline exceeded"
    }
  }

  private static func describe(_ error: ChannelError) -> String {
    switch error {
    case .connectTimeout: "no answer"
    case .eof, .inputClosed, .alreadyClosed, .ioOnClosedChannel: "the server closed the connection"
    default: "\(error)"
    }
  }

  /// The C library's text for an error number, in small letters like every other cause.
  static func text(of number: Int32) -> String {
    guard let text = strerror(number) else { return "error \(number)" }
    let message = String(cString: text)
    return message.prefix(1).lowercased() + message.dropFirst()
  }
}
