import ArgumentParser
import CNI
import Terminal

/// What a command has to say, and how it ends.
struct CommandOutcome: Hashable {
  /// Goes to stdout.
  var output: String
  /// Lines for stderr.
  var diagnostics: [String] = []
  /// The exit status.
  var status: Int32 = 0

  /// Prints everything, and ends the command with its status.
  func deliver() throws {
    ProgressLine.ofProcess.erase()
    for line in diagnostics { CNIStreams.ofProcess.log(line) }
    print(output)
    if status != 0 { throw ExitCode(status) }
  }
}
