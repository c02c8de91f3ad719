import ArgumentParser
import CNI
import Terminal

/// A command line on its way: read, executed, and answered for in the words of the program that was called.
struct CommandLineCall<Root: AsyncParsableCommand> {
  private let program: Program
  /// The command line as it is for `ipamctl`, by which rules that depend on the command are decided.
  private let words: [String]

  /// Takes what was typed behind the program's name.
  init(arguments: [String], program: Program) {
    self.program = program
    let normalized = SwitchArguments.normalized(arguments)
    words = program == .kubectlPlugin ? SwitchArguments.normalized(["ipam"] + normalized) : normalized
  }

  /// Executes the command, and ends the process.
  func run() async {
    do {
      var command = try await Root.asyncParseAsRoot(program == .kubectlPlugin ? Array(words.dropFirst()) : words)
      if var command = command as? any AsyncParsableCommand {
        try await command.run()
      } else {
        try command.run()
      }
    } catch {
      ProgressLine.ofProcess.erase()
      end(error)
    }
  }

  /// Whether a shell asks for completions, or a program for the description of all commands: they need the file's name.
  private var isAskedByTool: Bool {
    words.contains {
      $0.hasPrefix("--generate-completion-script") || $0 == "--experimental-dump-help" || $0 == "---completion"
    }
  }

  private func end(_ error: any Error) -> Never {
    if program == .ipamctl, Root.exitCode(for: error) != .success, let text = UnknownCommand.text(words) {
      CNIStreams.ofProcess.log(text)
      Root.exit(withError: ExitCode(words.first == "host-local" || words.first == "route" ? 64 : 1))
    }
    if CalicoErrorText.concerns(words), let text = CalicoErrorText.text(for: error, words) {
      CNIStreams.ofProcess.log(program.spoken(text))
      Root.exit(withError: ExitCode(1))
    }
    guard program == .kubectlPlugin, !(error is ExitCode), !isAskedByTool else { Root.exit(withError: error) }
    let text = program.spoken(Root.fullMessage(for: error))
    let code = Root.exitCode(for: error)
    if code == .success { print(text) } else { CNIStreams.ofProcess.log(text) }
    Root.exit(withError: code)
  }
}
