/// A rule that a history broke.
public struct Violation: Error, Hashable, Sendable, CustomStringConvertible {
  /// The rules: invariants of the Calico IPAM specification, section 6.1, and what follows from them for callers.
  public enum Rule: String, Hashable, Sendable {
    /// I1: an address went from one assignment to another without a release.
    case owner = "I1 one owner per address"
    /// I2 and I3: a value that nobody can read was written.
    case unreadable = "I2, I3 consistent blocks"
    /// I3: an attribute that nothing refers to was written.
    case attributes = "I3 attributes in use"
    /// I4: a block's owner was changed, or set by somebody who did not make it.
    case affinity = "I4 one owner per block"
    /// I5: a block that was not empty is gone.
    case deletion = "I5 only empty blocks are deleted"
    /// I6: an affinity was confirmed by who did not have the block.
    case confirmation = "I6 confirmed affinities"
    /// I7: a handle counts fewer addresses than carry it.
    case count = "I7 handles count enough"
    /// I8: a block's sequence number did not grow.
    case sequence = "I8 sequence numbers grow"
    /// I9: an assignment has a number that is too high, or that an earlier one of the address had.
    case number = "I9 assignments have numbers of their own"
    /// I10: a release freed what it was not to free.
    case release = "I10 releases free what they name"
    /// An address was freed before it had cooled down.
    case cooldown = "released addresses cool down"
    /// An operation reported an address that is not its own.
    case report = "reported addresses are assigned"
    /// An operation ended without reporting an address that it assigned.
    case loss = "assigned addresses are reported"
    /// A release reported success, and the address is still assigned.
    case survival = "successful releases release"
    /// Handles count too much although nothing went wrong.
    case surplus = "handles count exactly without faults"
    /// Free addresses that nobody can get any more.
    case stuck = "free addresses can be assigned"
    /// An operation does not come to an end.
    case endless = "operations end"
  }

  public let rule: Rule
  public let description: String

  init(_ rule: Rule, _ description: String) {
    self.rule = rule
    self.description = description
  }
}
