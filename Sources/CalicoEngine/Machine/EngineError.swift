import CalicoModel

/// Why an operation cannot be done. The message is upstream's where upstream has one (Calico IPAM specification,
/// section 5); what helps to act on it is in the advice.
public struct EngineError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// What was asked about is not there.
    case doesNotExist
    /// What was to be made is there already.
    case alreadyExists
    /// What was found is not what the caller meant, such as another sequence number.
    case conflict
    /// The address was given back and is not free yet.
    case coolingDown
    /// No pool can be used for the request.
    case noQualifiedPool
    /// The owner has as many blocks as it may have.
    case blockLimit
    /// A block still has addresses in use.
    case blockNotEmpty
    /// Other processes changed the same entries again and again.
    case contention
    /// The request contradicts itself or the configuration.
    case invalidRequest
    /// A stored value cannot be understood.
    case unreadable
  }

  public let code: Code
  /// What was found.
  public let description: String
  /// What to do about it; may be empty.
  public let advice: String

  public init(_ code: Code, _ description: String, advice: String = "") {
    self.code = code
    self.description = description
    self.advice = advice
  }

  /// An entry is not there.
  static func doesNotExist(_ key: Key, advice: String = "") -> EngineError {
    doesNotExist(key.description, "<nil>", advice: advice)
  }

  /// Something is not there, for a reason.
  static func doesNotExist(_ identifier: String, _ reason: String, advice: String = "") -> EngineError {
    EngineError(.doesNotExist, "resource does not exist: \(identifier) with error: \(reason)", advice: advice)
  }

  /// The retries of an operation are used up.
  static let contention = EngineError(
    .contention, "Max retries hit - excessive concurrent IPAM requests",
    advice: "other processes keep changing the same blocks; try again")

  /// A stored value cannot be understood.
  static func unreadable(_ key: Key, _ error: ModelError) -> EngineError {
    EngineError(
      .unreadable, "failed to parse datastore entry \(key): \(error.description)",
      advice: "the entry was left as it is; `ipamctl ipam check` describes it")
  }
}
