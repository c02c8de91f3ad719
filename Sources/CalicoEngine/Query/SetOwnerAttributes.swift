public import CalicoModel
import Datastore
public import IPAddressing

/// Replaces what is recorded of the owners of an address, which is how a virtual machine's address goes from one pod to
/// the next (Calico IPAM specification, section 3.13).
public struct SetOwnerAttributes: Operation {
  /// A pod, as far as attributes name it.
  public struct Pod: Hashable, Sendable {
    public var namespace: String
    public var name: String

    public init(namespace: String, name: String) {
      self.namespace = namespace
      self.name = name
    }
  }

  /// What must hold of one side before it is changed.
  public enum Condition: Hashable, Sendable {
    case isOwned(by: Pod)
    case isEmpty
  }

  /// What becomes of one side: new attributes, all of them, or none.
  public struct Side: Hashable, Sendable {
    public var attributes: [String: String]
    /// Looked at only because the side is changed.
    public var condition: Condition?

    public init(_ attributes: [String: String], if condition: Condition? = nil) {
      self.attributes = attributes
      self.condition = condition
    }
  }

  private let address: IPAddress
  private let handleID: String
  private let owner: Side?
  private let alternateOwner: Side?
  private let time: Timestamp
  private var isDone = false

  /// The operation.
  ///
  /// - Parameters:
  ///   - address: the address.
  ///   - handleID: the handle that must own it.
  ///   - owner: the active owner's side; nil leaves it.
  ///   - alternateOwner: the second owner's side; nil leaves it.
  ///   - time: now.
  public init(
    _ address: IPAddress, handleID: String, owner: Side?, alternateOwner: Side?, time: Timestamp
  ) {
    self.address = address
    self.handleID = handleID
    self.owner = owner
    self.alternateOwner = alternateOwner
    self.time = time
  }

  public mutating func plan(_ planner: inout Planner) throws(Halt) -> Proposal<Void> {
    if isDone { return .done(()) }
    try planner.require([.list(Planner.allPools), .entry(.configuration)])
    guard let cidr = try planner.enabledBlock(containing: address) else {
      throw .failed(
        EngineError(.noQualifiedPool, "the provided IP address \(address) is not in a configured pool"))
    }
    let cooldown = try planner.configuration().cooldownSeconds
    var draft = Draft()
    guard var working = try planner.workingBlock(cidr, in: &draft, time: time, cooldown: cooldown) else {
      throw .failed(.doesNotExist(.block(cidr)))
    }
    guard let ordinal = working.ordinal(of: address), let attribute = working.attribute(at: ordinal) else {
      throw .failed(.doesNotExist(address.description, "IP is unassigned"))
    }
    guard let held = attribute.sanitizedHandleID, held == handleID else {
      throw .failed(EngineError(.conflict, "IP \(address) is not assigned to handle \(handleID)"))
    }
    try check(owner, attribute.owner, "ActiveOwnerAttrs")
    try check(alternateOwner, attribute.alternateOwner, "AlternateOwnerAttrs")
    working.setAttribute(
      AllocationAttribute(
        handleID: attribute.handleID, owner: owner?.attributes ?? attribute.owner,
        alternateOwner: alternateOwner?.attributes ?? attribute.alternateOwner),
      at: ordinal)
    draft.update(working)
    return .commit(draft)
  }

  /// Both sides are checked before either changes.
  private func check(_ side: Side?, _ found: [String: String], _ member: String) throws(Halt) {
    guard let condition = side?.condition else { return }
    var expected = Pod(namespace: "", name: "")
    switch condition {
    case .isEmpty: if found.isEmpty { return }
    case .isOwned(let pod):
      expected = pod
      if found["pod"] == pod.name, found["namespace"] == pod.namespace { return }
    }
    throw .failed(
      EngineError(
        .conflict, "update conflict: \(address)",
        advice: "cannot set \(member): expected pod=\(expected.name) namespace=\(expected.namespace) but found "
          + "pod=\(found["pod"] ?? "") namespace=\(found["namespace"] ?? "")"))
  }

  public mutating func settle(_ settlement: Settlement) {
    isDone = settlement.isComplete
  }
}
