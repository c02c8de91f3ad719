public import Datastore
public import Testing

/// What every driver must do, rule by rule.
///
/// A driver's tests run all of it against a store of their own making:
///
/// ```swift
/// @Test("keeps the contract", arguments: DatastoreContract.rules)
/// func contract(rule: DatastoreContract.Rule) async throws {
///   try await DatastoreContract { try await emptyStore() }.check(rule)
/// }
/// ```
public struct DatastoreContract: Sendable {
  /// Makes an empty store.
  public let make: @Sendable () async throws -> any Datastore
  /// Whether a value's text comes back byte for byte, members that nobody knows included. A server with schemas for
  /// its objects prunes them, and knows no handle that is no name.
  public let keepsAnyText: Bool

  public init(keepsAnyText: Bool = true, _ make: @escaping @Sendable () async throws -> any Datastore) {
    self.keepsAnyText = keepsAnyText
    self.make = make
  }

  /// One thing that a driver must do; its name is the statement that has to hold.
  public struct Rule: Sendable, CustomTestStringConvertible {
    public let name: String
    /// Whether the rule is only for stores that keep any text.
    let needsAnyText: Bool
    let body: @Sendable (ContractStore) async throws -> Void

    init(
      _ name: String, needsAnyText: Bool = false, _ body: @escaping @Sendable (ContractStore) async throws -> Void
    ) {
      self.name = name
      self.needsAnyText = needsAnyText
      self.body = body
    }

    public var testDescription: String { name }
  }

  /// All rules.
  public static let rules =
    entryRules + planRules + textRules + readRules + listingRules + scanRules + watchRules
    + keyWatchRules

  /// Checks one rule against a new store; what does not hold becomes an issue of the test at hand.
  public func check(_ rule: Rule) async throws {
    guard keepsAnyText || !rule.needsAnyText else { return }
    try await rule.body(ContractStore(store: try await make()))
  }
}
