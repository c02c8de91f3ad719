/// Everything by which a history can be repeated: who runs, in which order, and what goes wrong.
struct Script: Sendable {
  var seed: UInt64
  var world: World
  var processes: [Process]
  /// Which process takes the next step; a process begins when it is first named. What is left at the end runs one
  /// process after the other.
  var schedule: [Int] = []
  var faults: [CommitPoint: Fault] = [:]
  /// After how many steps processes die.
  var crashes: [Int: Int] = [:]
  var ending: Ending

  /// How it is found out at the end whether anything is stuck.
  struct Ending: Hashable, Sendable {
    /// Whether everything is released before all that is free is assigned, under strict affinity.
    var drains: Bool
    /// Whether all blocks are given up in between.
    var givesUp: Bool
  }
}
