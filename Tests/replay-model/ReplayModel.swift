import Datastore
import DatastoreSettings
import EtcdDatastore
import ModelChecker
import TestSupport

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Makes the checker's histories again on a real etcd, which has to decide every commit as the checker's own store does;
/// exits with 1 when it does not. Apart from `check-model`, which has to be built quickly and links no client.
@main
struct ReplayModel {
  static func main() async {
    guard let arguments = Arguments(Array(CommandLine.arguments.dropFirst())) else {
      print(Arguments.usage)
      exit(2)
    }
    guard arguments.endpoint != nil || EtcdServer.isPossible else {
      print("a server cannot be started: it \(EtcdServer.reason); or name one with --endpoint")
      exit(1)
    }
    do {
      // It lives as long as this holds it.
      let server = arguments.endpoint == nil ? try EtcdServer() : nil
      var settings = EtcdSettings()
      settings.endpoints = [arguments.endpoint ?? "http://127.0.0.1:\(server?.port ?? 0)"]
      try await compare(try EtcdDatastore(settings), arguments)
      withExtendedLifetime(server) {}
    } catch {
      print(error)
      exit(1)
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

/// What the program is asked to do.
private struct Arguments {
  var histories = 1000
  var seed: UInt64 = 1
  var operations = 30
  /// Where etcd is; nil to start one.
  var endpoint: String?

  /// Reads the command line.
  ///
  /// - Returns: nil when it is not understood.
  init?(_ words: [String]) {
    var words = words[...]
    while let word = words.popFirst() {
      guard let value = words.popFirst() else { return nil }
      switch (word, UInt64(value)) {
      case ("--histories", let number?): histories = Int(number)
      case ("--seed", let number?): seed = number
      case ("--operations", let number?): operations = Int(number)
      case ("--endpoint", _): endpoint = value
      default: return nil
      }
    }
  }

  static let usage = "usage: replay-model [--endpoint URL] [--histories N] [--seed N] [--operations N]"
}
