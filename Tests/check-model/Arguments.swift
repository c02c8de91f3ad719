import ModelChecker

/// What the program is asked to do.
struct Arguments {
  var histories = 10_000
  var seed: UInt64 = 1
  var operations = 30
  var jobs = 2
  /// How often every write must have been cut off; 0 for however often.
  var minimum = 0
  /// The writes to cut off, as the table names them.
  var cut: [WritePosition] = []
  var printsTable = false
  /// A mistake to be found.
  var bug: PlantedBug?

  /// Reads the command line.
  ///
  /// - Returns: nil when it is not understood.
  init?(_ words: [String]) {
    var words = words[...]
    while let word = words.popFirst() {
      if word == "--table" {
        printsTable = true
        continue
      }
      guard let value = words.popFirst() else { return nil }
      switch (word, UInt64(value)) {
      case ("--histories", let number?): histories = Int(number)
      case ("--seed", let number?): seed = number
      case ("--operations", let number?): operations = Int(number)
      case ("--jobs", let number?): jobs = max(1, Int(number))
      case ("--minimum", let number?): minimum = Int(number)
      case ("--cut", _):
        guard let position = WritePosition(value) else { return nil }
        cut.append(position)
      case ("--bug", _):
        guard let bug = PlantedBug.allCases.first(where: { "\($0)" == value }) else { return nil }
        self.bug = bug
      default: return nil
      }
    }
  }

  static let usage = """
    usage: check-model [--histories N] [--seed N] [--operations N] [--jobs N] [--minimum N] [--table] [--cut WRITE]
                       [--bug NAME]
    """
}
