/// Why a procedure cannot begin, go on or go back.
public struct ProcedureError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// It may not begin: every reason is in the description. Nothing was written.
    case refused
    /// There is no such pool, or no such procedure.
    case notFound
    /// Several are meant by what was said.
    case ambiguous
    /// A record cannot be read.
    case unreadable
    /// Another run has taken over; this one has stopped.
    case overtaken
    /// Others kept changing the pools.
    case conflict
    /// A pool cannot be used, or cannot be deleted, because of what other programs do.
    case stuck
    /// Workloads still have addresses, and time is up. Everything is as it should be; it can be continued.
    case waiting
  }

  public let code: Code
  public let description: String

  public init(_ code: Code, _ description: String) {
    self.code = code
    self.description = description
  }

  static func unreadable(_ standIn: String, _ reason: String) -> ProcedureError {
    ProcedureError(
      .unreadable,
      "the record of a procedure in annotation \(ProcedureAnnotations.record) of IPPool \(standIn) cannot be read: "
        + "\(reason); where nothing is under way remove the annotation")
  }
}
