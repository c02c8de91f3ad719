import ArgumentParser
import CalicoModel

/// A command line that names a command there is none of.
enum UnknownCommand {
  /// What to print, in calicoctl's words; nil when every command is known.
  ///
  /// - Parameter arguments: the arguments, commands before options.
  /// - Returns: the text, with the command that was probably meant.
  static func text(_ arguments: [String]) -> String? {
    var path = "ipamctl"
    var command: any ParsableCommand.Type = IPAMControl.self
    for argument in arguments {
      let known = subcommands(of: command)
      // What comes behind the last command are its arguments.
      if known.isEmpty || argument.hasPrefix("-") || argument == "help" { return nil }
      guard let next = known.first(where: { $0.name == argument }) else {
        let meant = NearestName.of(argument, among: known.map(\.name))
        return "unknown command \"\(argument)\" for \"\(path)\"" + (meant.map { "\ndid you mean '\($0)'?" } ?? "")
      }
      command = next.command
      path += " " + argument
    }
    return nil
  }

  /// The commands below one. In a loop: the compiler cannot take the configuration of a type in a closure.
  private static func subcommands(
    of command: any ParsableCommand.Type
  ) -> [(name: String, command: any ParsableCommand.Type)] {
    var subcommands: [(String, any ParsableCommand.Type)] = []
    for subcommand in command.configuration.subcommands {
      let configuration: CommandConfiguration = subcommand.configuration
      if let name = configuration.commandName { subcommands.append((name, subcommand)) }
    }
    return subcommands
  }
}
