/// Why the kernel would not make one change of a batch.
public struct KernelRefusal: Error, Hashable, Sendable {
  /// The number of the error, such as `ENETUNREACH`.
  public let errno: Int32
  /// The kernel's own words, when it had some (extended acknowledgement).
  public let explanation: String?

  public init(errno: Int32, explanation: String? = nil) {
    self.errno = errno
    self.explanation = explanation
  }
}

/// Why an exchange with the kernel failed as a whole.
public struct NetlinkError: Error, Hashable, Sendable {
  public enum Code: Hashable, Sendable {
    /// A socket could not be made or set up.
    case unusable
    /// There was no answer in time. What was asked for may have happened.
    case timeout
    /// Answers were lost for want of room. What was asked for may have happened.
    case overflow
    /// A dump changed under way too often to be told as a whole.
    case interrupted
    /// The kernel refused the request, for this reason.
    case refused(KernelRefusal)
    /// An answer that makes no sense.
    case malformed
  }

  public let code: Code
  /// What was attempted.
  public let attempt: String
  /// The number of the error beneath; 0 for none.
  public let errno: Int32

  public init(_ code: Code, _ attempt: String, errno: Int32 = 0) {
    self.code = code
    self.attempt = attempt
    self.errno = errno
  }
}
