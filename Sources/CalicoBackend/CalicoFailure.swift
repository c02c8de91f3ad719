public import CalicoEngine
public import Datastore
public import IPAM

/// Why a verb of the Calico strategy failed. Messages are upstream's where upstream has one; what helps to act on it is
/// in the details.
public struct CalicoFailure: IPAMFailure, Hashable {
  public var category: FailureCategory
  public var message: String
  public var details: String
  /// Whether there was no address to give out, and nothing else was wrong.
  public var isExhaustion = false
  /// What the engine found, when it was the engine.
  public var code: EngineError.Code?

  public init(_ message: String, details: String = "", category: FailureCategory = .failed) {
    self.message = message
    self.details = details
    self.category = category
  }

  public init(_ error: EngineError, prefix: String = "") {
    self.init(prefix + error.description, details: error.advice)
    code = error.code
  }

  public init(_ error: DatastoreError) {
    self.init(error.description, details: error.advice)
  }

  /// Any error of the engine or of a store, as a failure.
  static func from(_ error: any Error) -> any Error {
    switch error {
    case let error as EngineError: CalicoFailure(error)
    case let error as DatastoreError: CalicoFailure(error)
    default: error
    }
  }
}
