import ModelChecker

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Runs histories of the engine's operations, and exits with 1 when one of them breaks a rule.
@main
struct CheckModel {
  /// Which writes are cut off too seldom is looked up after so many histories.
  private static let round = 10_000

  /// How many writes a round goes for at most.
  private static let mostTargets = 48

  static func main() async {
    guard let arguments = Arguments(Array(CommandLine.arguments.dropFirst())) else {
      print(Arguments.usage)
      exit(2)
    }
    let begin = ContinuousClock.now
    var coverage = Coverage()
    var done = 0
    while done < arguments.histories {
      let count = min(round, arguments.histories - done)
      let first = arguments.seed + UInt64(done)
      let targets = targets(arguments, coverage, done: done)
      for (found, part) in await run(first..<first + UInt64(count), targets, arguments) {
        coverage.merge(part)
        guard let found else { continue }
        print(found)
        exit(1)
      }
      done += count
    }
    report(coverage, arguments, begin.duration(to: .now))
  }

  private static func run(
    _ seeds: Range<UInt64>, _ targets: [WritePosition], _ arguments: Arguments
  ) async -> [(Failure?, Coverage)] {
    await withTaskGroup(of: (Failure?, Coverage).self) { group in
      let part = (UInt64(seeds.count) + UInt64(arguments.jobs) - 1) / UInt64(arguments.jobs)
      var first = seeds.lowerBound
      while first < seeds.upperBound {
        let some = first..<min(first + part, seeds.upperBound)
        group.addTask {
          var checker = Checker(operations: arguments.operations, bug: arguments.bug)
          let failure = checker.run(some, targets: targets)
          return (failure, checker.coverage)
        }
        first = some.upperBound
      }
      return await group.reduce(into: []) { $0.append($1) }
    }
  }

  /// The writes to be cut off in the next round: three of four rounds go for what was cut off least.
  private static func targets(_ arguments: Arguments, _ coverage: Coverage, done: Int) -> [WritePosition] {
    if !arguments.cut.isEmpty { return arguments.cut }
    guard arguments.minimum > 0, done / round % 4 != 0 else { return [] }
    let scarce = coverage.scarce(below: arguments.minimum).sorted()
    return Array(scarce.sorted { coverage.cut[$0, default: 0] < coverage.cut[$1, default: 0] }.prefix(mostTargets))
  }

  private static func report(_ coverage: Coverage, _ arguments: Arguments, _ duration: Duration) {
    let scarce = coverage.scarce(below: arguments.minimum)
    if arguments.printsTable { coverage.table.forEach { print($0) } }
    let seconds = max(1, duration.components.seconds)
    print(
      "\(coverage.histories) histories, \(coverage.operations) operations, \(coverage.writes) writes, no violation; "
        + "\(coverage.begun.count) writes of different kinds; \(seconds) s, "
        + "\(coverage.histories / Int(seconds)) histories/s")
    guard !scarce.isEmpty else { return }
    for position in scarce.sorted() {
      print("cut off too seldom: \(position): \(coverage.cut[position] ?? 0) of \(coverage.begun[position] ?? 0)")
    }
    exit(1)
  }
}
