import ArgumentParser
import PoolMap

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Whether to print in colours.
enum ColourChoice: String, CaseIterable, ExpressibleByArgument {
  /// On a terminal, unless the environment says `NO_COLOR`.
  case auto
  case always
  case never
}

/// What can be shown where the output of this process goes.
enum TerminalView {
  /// The style of drawings, for the output of this process.
  static func style(_ choice: ColourChoice, _ environment: [String: String]) -> TextStyle {
    style(choice, environment, columns: columns)
  }

  /// The style of drawings.
  ///
  /// - Parameters:
  ///   - choice: whether colours are wanted.
  ///   - environment: the variables of the process; `NO_COLOR` counts when it is not empty (no-color.org).
  ///   - columns: the width of the terminal; nil when there is none.
  /// - Returns: plain ASCII where there is no terminal, or none that is known to show more.
  static func style(_ choice: ColourChoice, _ environment: [String: String], columns: Int?) -> TextStyle {
    let terminal = environment["TERM"] ?? ""
    let isCapable = columns != nil && !terminal.isEmpty && terminal != "dumb"
    let hasColours =
      switch choice {
      case .auto: isCapable && (environment["NO_COLOR"] ?? "").isEmpty
      case .always: true
      case .never: false
      }
    // The first of these that says something decides; see locale(7).
    let locale = ["LC_ALL", "LC_CTYPE", "LANG"].lazy.compactMap { environment[$0] }.first { !$0.isEmpty } ?? ""
    let isUTF8 = ["UTF-8", "utf8", "UTF8", "utf-8"].contains { locale.contains($0) }
    // The font of the console of Linux has not all of the characters.
    let hasUnicode = isUTF8 && terminal != "linux" && (isCapable || choice == .always)
    return TextStyle(hasUnicode: hasUnicode, hasColours: hasColours, width: columns ?? 80)
  }

  /// The width of the terminal that the output goes to; nil when it goes elsewhere.
  private static var columns: Int? {
    guard isatty(STDOUT_FILENO) == 1 else { return nil }
    var size = winsize()
    guard ioctl(STDOUT_FILENO, UInt(TIOCGWINSZ), &size) == 0, size.ws_col > 0 else { return 80 }
    return Int(size.ws_col)
  }
}
