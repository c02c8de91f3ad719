import CalicoModel
import Datastore
import EtcdDatastore
import IPAddressing
import Testing

extension EtcdDatastore {
  /// Writes a handle that holds some addresses, whatever was there.
  func put(_ name: String, holding count: Int = 1) async throws -> Outcome {
    try await commit(Plan([try .handle(name, holding: count)]), deadline: .after(milliseconds: 10_000))
  }

  /// How many addresses a handle holds; nil when there is none.
  func count(_ name: String) async throws -> Int? {
    let results = try await read([.entry(.handle(name))], deadline: .after(milliseconds: 10_000))
    guard case .entry(let stored)? = results.first else { return nil }
    return try stored?.handle().count(.v4)
  }
}

extension Change {
  /// A handle that holds some addresses.
  static func handle(_ name: String, base: Base = .any, holding count: Int) throws -> Change {
    let block = try #require(CIDR("10.65.0.0/26"))
    return Change(.handle(name), base: base, final: .value(.handle(IPAMHandle([block: count]))))
  }
}

extension Outcome {
  var isApplied: Bool {
    if case .applied = self { true } else { false }
  }

  var isUnknown: Bool {
    if case .unknown = self { true } else { false }
  }
}

/// The error with which something fails.
func failure(
  of body: () async throws -> Void, _ location: SourceLocation = #_sourceLocation
) async throws -> DatastoreError {
  do {
    try await body()
  } catch let error as DatastoreError {
    return error
  }
  Issue.record("nothing failed", sourceLocation: location)
  return DatastoreError(.unsupported, "")
}
