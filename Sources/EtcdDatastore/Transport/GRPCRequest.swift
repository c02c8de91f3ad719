import Datastore
import NIOCore
import NIOHPACK

/// What a call sends before its messages.
struct GRPCRequest: Sendable {
  /// `/package.Service/Method`.
  var path: String
  /// Names in lower case, and texts.
  var metadata: [(name: String, value: String)] = []
  /// When the call is over; never for a stream that stays open.
  var deadline: Deadline = .distantFuture

  /// The request's headers (gRPC over HTTP/2, "Requests").
  func headers(scheme: String, authority: String) -> HPACKHeaders {
    var headers = HPACKHeaders([
      (":method", "POST"), (":scheme", scheme), (":path", path), (":authority", authority),
      ("te", "trailers"), ("content-type", "application/grpc"), ("user-agent", "swift-ipam"),
    ])
    if deadline != .distantFuture { headers.add(name: "grpc-timeout", value: Self.timeout(deadline.millisecondsLeft)) }
    for (name, value) in metadata { headers.add(name: name, value: value) }
    return headers
  }

  /// A time of at most eight digits, with its unit.
  static func timeout(_ milliseconds: UInt64) -> String {
    milliseconds < 100_000_000 ? "\(max(1, milliseconds))m" : "\(min(milliseconds / 1000, 99_999_999))S"
  }

  /// How long a timer has to run.
  var timeLeft: TimeAmount? {
    deadline == .distantFuture ? nil : .milliseconds(Int64(clamping: deadline.millisecondsLeft))
  }
}
