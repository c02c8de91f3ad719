import ArgumentParser
import CNI
import Terminal

/// What a command that speaks as calicoctl does has to say: to the byte, line ends included.
struct Transcript: Hashable {
  /// Goes to stdout.
  var output = ""
  /// Goes to stderr, after the output.
  var errors = ""
  /// The exit status.
  var status: Int32 = 0

  init(output: String = "", errors: String = "", status: Int32 = 0) {
    self.output = output
    self.errors = errors
    self.status = status
  }

  /// A line on stdout.
  mutating func line(_ text: String = "") { output += text + "\n" }

  /// A line on stderr that is no failure.
  mutating func warning(_ text: String) { errors += text + "\n" }

  /// A line on stderr, and exit status 1.
  mutating func failure(_ text: String) {
    errors += text + "\n"
    status = 1
  }

  /// A failure and nothing else.
  static func failed(_ text: String) -> Transcript {
    var transcript = Transcript()
    transcript.failure(text)
    return transcript
  }

  /// Prints everything, and ends the command with its status.
  func deliver() throws {
    ProgressLine.ofProcess.erase()
    print(output, terminator: "")
    if !errors.isEmpty { CNIStreams.ofProcess.log(Program.current.spoken(String(errors.dropLast()))) }
    if status != 0 { throw ExitCode(status) }
  }
}
