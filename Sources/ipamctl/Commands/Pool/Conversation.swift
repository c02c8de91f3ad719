#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// How a command speaks with a person while it works.
struct Conversation: Sendable {
  /// Whether somebody can answer.
  var canAsk: Bool
  /// Prints a line at once.
  var say: @Sendable (String) -> Void
  /// Reads the answer to a question; nil at the end of input.
  var ask: @Sendable (String) -> String?

  /// With whoever sits at the terminal.
  static var ofProcess: Conversation {
    Conversation(
      canAsk: isatty(STDIN_FILENO) == 1 && isatty(STDOUT_FILENO) == 1,
      say: { line in
        print(line)
        // Output into a pipe would otherwise come in pieces of 4 KiB, long after it happened.
        fflush(nil)
      },
      ask: { question in
        print(question, terminator: " ")
        fflush(nil)
        return readLine()
      })
  }

  /// Whether a person agrees.
  func confirms(_ question: String) -> Bool {
    ["y", "yes"].contains(ask("\(question) [y/N]")?.lowercased() ?? "")
  }
}
