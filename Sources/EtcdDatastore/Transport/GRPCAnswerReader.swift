import NIOCore
import NIOHPACK
import NIOHTTP2

/// Understands what a server sends on one stream: headers, messages, trailers.
struct GRPCAnswerReader {
  enum Part {
    /// What arrived means nothing to the caller.
    case nothing
    case messages([ByteBuffer])
    /// The server ended the call; with the messages that came last.
    case end(GRPCStatus, [ByteBuffer])
    /// What arrived is not gRPC.
    case broken(String)
  }

  private var decoder = GRPCMessageDecoder()
  /// Of an answer that is not gRPC's own.
  private var foreignStatus: GRPCStatus?

  mutating func read(_ payload: HTTP2Frame.FramePayload) -> Part {
    switch payload {
    case .headers(let headers): read(headers.headers, isLast: headers.endStream)
    case .data(let data): read(data)
    default: .nothing
    }
  }

  private mutating func read(_ headers: HPACKHeaders, isLast: Bool) -> Part {
    if let code = headers.first(name: "grpc-status") {
      return .end(GRPCStatus(code: code, message: headers.first(name: "grpc-message") ?? ""), [])
    }
    if let status = headers.first(name: ":status"), status != "200", !status.hasPrefix("1") {
      foreignStatus = GRPCStatus(httpStatus: status)
    }
    guard isLast else { return .nothing }
    return .end(foreignStatus ?? GRPCStatus(.unknown, "an answer without a status"), [])
  }

  private mutating func read(_ data: HTTP2Frame.FramePayload.Data) -> Part {
    guard case .byteBuffer(var bytes) = data.data else { return .nothing }
    if let foreignStatus {
      // A page for people, of which only the status is understood.
      return data.endStream ? .end(foreignStatus, []) : .nothing
    }
    decoder.append(&bytes)
    var messages: [ByteBuffer] = []
    do throws(GRPCMessageDecoder.Malformed) {
      while let message = try decoder.next() { messages.append(message) }
    } catch {
      return .broken("the server sent \(error.description)")
    }
    guard data.endStream else { return .messages(messages) }
    return .end(GRPCStatus(.unknown, "an answer that was cut off before its status"), messages)
  }
}
