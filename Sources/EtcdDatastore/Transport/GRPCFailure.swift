/// Why a call gave no answer.
struct GRPCFailure: Error, Hashable, Sendable {
  enum Cause: Hashable, Sendable {
    /// The server, or a proxy before it, ended the call with a status.
    case status(GRPCStatus)
    /// The connection, or the stream in it, broke; with what is known of the reason.
    case lost(String)
    /// The call's time was over.
    case deadline
  }

  var cause: Cause
  /// Whether the server may have seen the request, and may still act on it. A status says for itself what was done.
  var mayHaveArrived: Bool

  init(_ cause: Cause, mayHaveArrived: Bool) {
    self.cause = cause
    self.mayHaveArrived = mayHaveArrived
  }
}
