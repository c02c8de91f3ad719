import Datastore
import FileSystem
import Synchronization

/// The token that says who we are, which a file may hold and have replaced at any time.
///
/// The kubelet replaces a service account's token before it expires. The file is read again when a minute has passed
/// since, and whenever the server does not accept the token.
final class BearerToken: Sendable {
  private struct State {
    var token: String
    /// When the file was read, in nanoseconds of the monotonic clock; nil before that.
    var readAt: UInt64?
  }

  /// Empty for a token that does not change.
  let file: String
  private let state: Mutex<State>
  private let now: @Sendable () -> UInt64
  private static let minute: UInt64 = 60_000_000_000

  /// A token.
  ///
  /// - Parameters:
  ///   - token: what counts until the file could be read, and for good without a file.
  ///   - file: the file; empty for none.
  ///   - now: the monotonic clock.
  init(_ token: String, file: String, now: @escaping @Sendable () -> UInt64 = { Deadline.now.nanoseconds }) {
    self.file = file
    self.now = now
    state = Mutex(State(token: Self.trimmed(token)))
  }

  /// The token as it is now; empty for none.
  ///
  /// - Throws: ``KubernetesTransportError`` with the code `settings` when there is only a file, and it was never
  ///   readable.
  func current() throws(KubernetesTransportError) -> String {
    guard !file.isEmpty else { return state.withLock { $0.token } }
    let time = now()
    return try state.withLock { state throws(KubernetesTransportError) in
      if let readAt = state.readAt, time - readAt < Self.minute { return state.token }
      try read(&state, at: time)
      return state.token
    }
  }

  /// The token that has replaced one that was refused; nil when none has.
  func replacement(of refused: String) -> String? {
    guard !file.isEmpty else { return nil }
    let time = now()
    return state.withLock { state in
      // What cannot be read is no replacement; the refusal is what the caller reports.
      guard (try? read(&state, at: time)) != nil, state.token != refused else { return nil }
      return state.token
    }
  }

  private func read(_ state: inout State, at time: UInt64) throws(KubernetesTransportError) {
    let token: String
    do throws(SystemError) {
      token = Self.trimmed(String(decoding: try File.contents(at: file), as: UTF8.self))
    } catch {
      // The last token that was read may still be good.
      if !state.token.isEmpty { return }
      throw KubernetesTransportError(
        .settings, "cannot read the token file \(file): \(SystemReason.text(error.number))",
        advice: "correct the path, or make the file readable for this program")
    }
    state.readAt = time
    if !token.isEmpty {
      state.token = token
    } else if state.token.isEmpty {
      throw KubernetesTransportError(
        .settings, "the token file \(file) is empty", advice: "write a token into it, or name another file")
    }
  }

  /// Only what a header may have counts: a line's end in the file does not.
  private static func trimmed(_ text: String) -> String { String(text.filter { !$0.isWhitespace }) }
}
