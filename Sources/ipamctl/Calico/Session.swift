import CalicoBackend
import CalicoEngine
import CalicoModel
import CalicoctlConfiguration
import Datastore
import DatastoreSettings
import IPAddressing
import Terminal

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A datastore, and the ways in which commands work with it.
struct Session: Sendable {
  let store: ChosenDatastore
  /// The time of day.
  var now: @Sendable () -> Timestamp = Self.timeOfDay
  /// The line that says how far reading is, when a terminal looks on.
  var progress = ProgressLine.ofProcess

  /// How long one operation may take.
  private static let patience: UInt64 = 90_000

  init(_ store: ChosenDatastore) {
    self.store = store
  }

  var deadline: Deadline { .after(milliseconds: Self.patience) }

  /// Carries out an operation of the engine.
  func run<Op: Operation>(_ operation: Op) async throws -> Op.Result {
    try await OperationRunner(store).run(operation, deadline: deadline)
  }

  /// Reads and writes resources.
  var resources: ResourceClient {
    ResourceClient(
      datastore: store, surroundings: resourceSurroundings,
      configurationPlaces: store.engine == .kubernetes ? .keyAlone : .keyAndResource)
  }

  /// Time and chance, and what goes with the deletion of pools and nodes.
  var resourceSurroundings: ResourceSurroundings {
    let session = self
    return ResourceSurroundings(
      now: now,
      pause: { try await Task.sleep(for: $0) },
      releasePoolAffinities: { pool in
        _ = try await session.run(ReleaseAffinities(.pool(pool), mustBeEmpty: false, time: session.now()))
      },
      releaseAddresses: { addresses in
        let options = addresses.map { ReleaseOption($0) }
        let result = try await session.run(ReleaseAddresses(options, time: session.now()))
        if let error = result.error { throw error }
      },
      releaseHostAffinities: { host in
        let target = ReleaseAffinities.Target.removedHost(BlockOwner(.host, host))
        _ = try await session.run(ReleaseAffinities(target, mustBeEmpty: false, time: session.now()))
      }
    )
  }

  private static func timeOfDay() -> Timestamp {
    var time = timespec()
    // With a clock that exists and a pointer that is valid the call cannot fail (clock_gettime(2)).
    clock_gettime(CLOCK_REALTIME, &time)
    return Timestamp(nanoseconds: Int64(time.tv_sec) * 1_000_000_000 + Int64(time.tv_nsec))
  }
}

// MARK: - Reading

extension Session {
  /// How many blocks are read at once: a full one has 16 KiB.
  private static let pageSize = 256

  /// All entries of a range.
  func items(_ scope: Listing.Scope) async throws -> [ListResult.Item] {
    let results = try await store.read([.list(Listing(scope))], deadline: deadline)
    guard case .list(let list)? = results.first else { return [] }
    return list.items
  }

  /// One entry; nil when there is none.
  func entry(_ key: Key) async throws -> Stored? {
    let results = try await store.read([.entry(key)], deadline: deadline)
    guard case .entry(let stored)? = results.first else { return nil }
    return stored
  }

  /// Hands every block over as it is stored, in the order of keys, without holding all of them at once.
  func forEachBlock(_ body: (CIDR, Stored) throws -> Void) async throws {
    defer { progress.erase() }
    var count = 0
    for family in [AddressFamily.v4, .v6] {
      var listing = Listing(.blocks(family), limit: Self.pageSize)
      while true {
        let results = try await store.read([.list(listing)], deadline: deadline)
        guard case .list(let list)? = results.first else { break }
        for item in list.items {
          if case .block(let cidr) = item.key, let stored = item.stored { try body(cidr, stored) }
        }
        count += list.items.count
        progress.show("reading \(store.name): \(count.grouped) blocks")
        guard list.hasMore, let last = list.items.last else { break }
        listing.after = last.key
      }
    }
  }

  /// The switches of address management, or what holds without any, and the revision they were read at.
  func configuration() async throws -> (configuration: IPAMConfiguration, revision: Revision?) {
    guard let stored = try await entry(.configuration) else { return (IPAMConfiguration(), nil) }
    return (try stored.configuration(), stored.revision)
  }
}

extension Error {
  /// What was found, and what to do about it where that is known.
  var advised: String {
    let (text, advice) =
      switch self {
      case let error as DatastoreError: (error.description, error.advice)
      case let error as EngineError: (error.description, error.advice)
      case let error as CalicoctlConfigurationError: (error.description, error.advice)
      default: ("\(self)", "")
      }
    return advice.isEmpty ? text : "\(text); \(advice)"
  }
}
