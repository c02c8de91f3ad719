import Datastore
import DatastoreSettings
import EtcdDatastore
import ModelChecker
import TestSupport

/// Makes histories again on a real datastore, which has to decide every commit as the checker's own does.
enum StoreComparison {
  /// Compares, and prints what was found.
  ///
  /// - Returns: whether they agree.
  static func run(_ arguments: Arguments) async -> Bool {
    guard arguments.endpoint != nil || EtcdServer.isPossible else {
      print("a server cannot be started: it \(EtcdServer.reason); or name one with --endpoint")
      return false
    }
    do {
      // It lives as long as this holds it.
      let server = arguments.endpoint == nil ? try EtcdServer() : nil
      var settings = EtcdSettings()
      settings.endpoints = [arguments.endpoint ?? "http://127.0.0.1:\(server?.port ?? 0)"]
      try await compare(try EtcdDatastore(settings), arguments)
      withExtendedLifetime(server) {}
      return true
    } catch {
      print(error)
      return false
    }
  }

  private static func compare(_ store: EtcdDatastore, _ arguments: Arguments) async throws {
    let begin = ContinuousClock.now
    var replay = try await Replay(on: store)
    for seed in arguments.seed..<arguments.seed + UInt64(arguments.histories) {
      try await replay.run(try Recording(seed: seed, operations: arguments.operations))
    }
    let seconds = begin.duration(to: .now).components.seconds
    print(
      "\(arguments.histories) histories, \(replay.commits) commits, of which \(replay.conflicts) were refused; "
        + "no difference; \(seconds) s")
  }
}
