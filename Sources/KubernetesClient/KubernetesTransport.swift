public import Datastore

/// Carries requests to one API server: the seam between what is said and how it gets there.
public protocol KubernetesTransport: Sendable {
  /// Sends one request and waits for the whole answer, whatever its status.
  ///
  /// Nothing is repeated, except that a request which the server has certainly not seen may be sent over another
  /// connection, and one that was answered with 401 is sent once more if the token has been replaced meanwhile.
  ///
  /// - Parameters:
  ///   - request: what to ask.
  ///   - deadline: when to give up.
  /// - Returns: the answer.
  /// - Throws: ``KubernetesTransportError``.
  func send(_ request: KubernetesRequest, deadline: Deadline) async throws(KubernetesTransportError)
    -> KubernetesResponse

  /// Sends a request whose answer is taken while it comes: that of a watch, or a list too long to be kept whole.
  ///
  /// - Parameters:
  ///   - request: what to ask.
  ///   - unit: what the answer is taken apart into.
  ///   - idleTimeout: how long the server may say nothing before the connection counts as dead.
  /// - Returns: the parts of the answer; or all of it when its status is not 200.
  /// - Throws: ``KubernetesTransportError`` when there is no answer.
  func stream(
    _ request: KubernetesRequest, by unit: KubernetesStream.Unit, idleTimeout: Duration
  ) async throws(KubernetesTransportError) -> KubernetesStream
}

/// One request.
public struct KubernetesRequest: Hashable, Sendable {
  public enum Method: String, Hashable, Sendable {
    case get = "GET"
    case post = "POST"
    case put = "PUT"
    case delete = "DELETE"
    case patch = "PATCH"
  }

  public var method: Method
  /// The path with its query, percent-encoded, beginning with a slash.
  public var path: String
  /// JSON; nil for none.
  public var body: [UInt8]?
  /// What the answer may be, as in `Accept`.
  public var accepts: String

  public init(_ method: Method = .get, _ path: String, body: [UInt8]? = nil, accepts: String = "application/json") {
    self.method = method
    self.path = path
    self.body = body
    self.accepts = accepts
  }
}

/// A whole answer.
public struct KubernetesResponse: Hashable, Sendable {
  /// The HTTP status.
  public var status: Int
  public var body: [UInt8]
  /// How many seconds the server wants to be left alone; nil when it does not say.
  public var retryAfter: Int?

  public init(status: Int, body: [UInt8] = [], retryAfter: Int? = nil) {
    self.status = status
    self.body = body
    self.retryAfter = retryAfter
  }
}

/// An answer that is taken while it comes, or the refusal to give one.
public enum KubernetesStream: Sendable {
  /// What an answer is taken apart into.
  public enum Unit: Hashable, Sendable {
    /// Whole lines without their ends.
    case lines
    /// Pieces as they happen to come.
    case pieces
  }

  /// Waits for the next parts, at least one; nil at the end.
  case accepted(@Sendable () async throws(KubernetesTransportError) -> [[UInt8]]?)
  case refused(KubernetesResponse)
}

/// Why there is no answer.
public struct KubernetesTransportError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// The server cannot be reached, and has not seen the request.
    case unreachable
    /// The connection ended, or the time was over, after the request had been sent: the server may have done it.
    case lost
    /// The server's certificate, or ours, is not accepted.
    case refusedCertificate
    /// The settings cannot be used: a file is missing, or has no such content.
    case settings
  }

  public let code: Code
  /// What was attempted, where, and what happened.
  public let description: String
  /// What to do about it; may be empty.
  public let advice: String

  public init(_ code: Code, _ description: String, advice: String = "") {
    self.code = code
    self.description = description
    self.advice = advice
  }
}
