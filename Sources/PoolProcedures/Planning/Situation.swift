/// How the pools of a procedure are: everything that the next step depends on.
struct Situation: Hashable, Sendable {
  enum PoolState: Hashable, Sendable {
    case absent
    /// It gives nothing out, because its specification says so.
    case disabled
    case enabled
    /// It should give addresses out, but a condition says that it cannot be used (Calico IPAM specification, section
    /// 4.1.5).
    case unusable
    /// It is being deleted, and something holds it.
    case leaving
  }

  /// What the source says of who works on it.
  enum Claim: Hashable, Sendable {
    case none
    /// A run of this procedure before this one.
    case earlier
    /// This run.
    case own
    /// Another procedure, which is under way.
    case foreign
  }

  /// What is in a pool's range.
  struct Use: Hashable, Sendable {
    /// How many blocks there are.
    var blocks = 0
    /// How many addresses are given out or cool down.
    var addresses = 0
    /// The size of a block with such an address, as a prefix length; nil without any.
    var sizeInUse: Int?
  }

  var source: PoolState
  /// Nil when the source is absent.
  var form: PoolProcedure.Form?
  var claim: Claim = .none
  var standIn: PoolState
  /// Whether the stand-in has the record.
  var hasRecord = false
  var sourceUse = Use()
  var standInUse = Use()

  subscript(_ role: PoolProcedure.Role) -> PoolState {
    get { role == .source ? source : standIn }
    set { if role == .source { source = newValue } else { standIn = newValue } }
  }

  func use(_ role: PoolProcedure.Role) -> Use { role == .source ? sourceUse : standInUse }
}
