#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Asking a person.
enum Confirmation {
  /// Asks on the terminal; nil when there is none at both ends.
  static var onTerminal: ((String) -> Bool)? {
    guard isatty(0) == 1, isatty(2) == 1 else { return nil }
    return { question in
      let text = Array("\(question) [y/N] ".utf8)
      _ = write(2, text, text.count)
      let answer = readLine()?.lowercased() ?? ""
      return answer == "y" || answer == "yes"
    }
  }
}
