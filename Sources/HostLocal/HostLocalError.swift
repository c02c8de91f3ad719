import CNI
public import IPAM

/// What went wrong in host-local.
///
/// `message` keeps upstream's text wherever upstream has one, because tools match on it; figures and advice go into
/// `details`, which callers print behind the message.
public struct HostLocalError: IPAMFailure, Hashable, Sendable {
  /// The closed list of causes, for code that has to decide.
  public enum Code: Hashable, Sendable {
    /// The configuration or `CNI_ARGS` cannot be used.
    case configuration
    /// A range set has no free address.
    case exhausted
    /// The attachment holds an address of the set already.
    case duplicate
    /// A requested address cannot be had.
    case requestRefused
    /// CHECK found nothing that belongs to the attachment.
    case notFound
    /// A system call failed, with its error number.
    case system(Int32)
    /// The store is in a state that STATUS reports as unusable.
    case storeUnusable
  }

  public let code: Code
  public let message: String
  public let details: String
  public let category: FailureCategory

  init(_ code: Code, _ message: String, details: String = "", category: FailureCategory = .failed) {
    self.code = code
    self.message = message
    self.details = details
    self.category = category
  }

  /// A failed system call in upstream's wording: `open /x/lock: permission denied`.
  static func system(_ operation: String, _ path: String, _ errorNumber: Int32) -> HostLocalError {
    HostLocalError(.system(errorNumber), "\(operation) \(path): \(systemReason(errorNumber))")
  }

  /// The same error behind what was being attempted.
  func prefixed(_ prefix: String) -> HostLocalError {
    HostLocalError(code, prefix + message, details: details, category: category)
  }
}
