import CalicoModel
public import Datastore

extension Plan {
  /// The handles that are to be gone afterwards, and whose evidence is of no use then.
  public var deletedHandles: [String] {
    changes.compactMap { change in
      guard case .handle(let identifier) = change.key, change.final == .delete else { return nil }
      return identifier
    }
  }
}
