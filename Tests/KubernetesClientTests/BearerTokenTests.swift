import Datastore
import Synchronization
import TestSupport
import Testing

@testable import KubernetesClient

/// A clock that goes on when a test says so.
private final class FakeClock: Sendable {
  private let time = Atomic<UInt64>(1_000_000_000_000)

  var now: UInt64 { time.load(ordering: .relaxed) }
  func advance(seconds: Double) { time.add(UInt64(seconds * 1e9), ordering: .relaxed) }
}

@Suite("Bearer tokens")
struct BearerTokenTests {
  private let folder: TemporaryFolder
  private let clock = FakeClock()

  init() throws { folder = try TemporaryFolder() }

  private func token(_ text: String = "", file: String) -> BearerToken {
    BearerToken(text, file: file, now: { [clock] in clock.now })
  }

  @Test("A token without a file stays, and has no line end")
  func constant() throws {
    let token = token(" a.b-c \n", file: "")
    #expect(try token.current() == "a.b-c")
    #expect(token.replacement(of: "a.b-c") == nil)
    #expect(try self.token(file: "").current().isEmpty)
  }

  @Test("A file is read again when a minute has passed, and not before")
  func rereading() throws {
    let token = token(file: try folder.write("first\n", to: "token"))
    #expect(try token.current() == "first")
    try folder.write("second", to: "token")
    clock.advance(seconds: 59)
    #expect(try token.current() == "first")
    clock.advance(seconds: 1)
    #expect(try token.current() == "second")
  }

  @Test("It is read at once when the server refuses the token; the same one again is no replacement")
  func refusal() throws {
    let token = token(file: try folder.write("first", to: "token"))
    #expect(try token.current() == "first")
    #expect(token.replacement(of: "first") == nil)
    try folder.write("second", to: "token")
    #expect(token.replacement(of: "first") == "second")
    #expect(try token.current() == "second")
  }

  @Test("A file that is gone or empty for a while leaves the last token")
  func gap() throws {
    let file = try folder.write("first", to: "token")
    let token = token(file: file)
    #expect(try token.current() == "first")
    try folder.write("", to: "token")
    clock.advance(seconds: 61)
    #expect(try token.current() == "first")
    #expect(token.replacement(of: "first") == nil)
  }

  @Test("The file counts before a token that is given as well, which stands in for it")
  func both() throws {
    #expect(try token("given", file: try folder.write("filed", to: "token")).current() == "filed")
    #expect(try token("given", file: "/nowhere/token").current() == "given")
  }

  @Test("A file that never was, or was always empty, is named")
  func missing() throws {
    func failure(_ token: BearerToken) -> KubernetesTransportError? {
      do throws(KubernetesTransportError) {
        _ = try token.current()
        return nil
      } catch {
        return error
      }
    }
    let gone = failure(token(file: "/nowhere/token"))
    #expect(gone?.code == .settings)
    #expect(gone?.description == "cannot read the token file /nowhere/token: No such file or directory")
    let empty = try folder.write("\n", to: "empty")
    #expect(failure(token(file: empty))?.description == "the token file \(empty) is empty")
  }
}

@Suite("The limit of requests a second")
struct RequestRateTests {
  private let clock = FakeClock()

  private func rate(_ perSecond: Double, burst: Int) -> RequestRate {
    RequestRate(perSecond: perSecond, burst: burst, now: { [clock] in clock.now })
  }

  @Test("Without a limit nothing waits")
  func unlimited() {
    let rate = rate(0, burst: 1)
    for _ in 0..<1000 { #expect(rate.reserve(deadline: .distantFuture) == 0) }
  }

  @Test("As many as the burst go at once, and then one after the other at the rate")
  func burst() {
    let rate = rate(10, burst: 3)
    #expect((0..<5).map { _ in rate.reserve(deadline: .distantFuture) } == [0, 0, 0, 100_000_000, 200_000_000])
  }

  @Test("What is not used comes back, up to the burst")
  func refill() {
    let rate = rate(10, burst: 2)
    #expect((0..<3).map { _ in rate.reserve(deadline: .distantFuture) } == [0, 0, 100_000_000])
    clock.advance(seconds: 60)
    #expect((0..<3).map { _ in rate.reserve(deadline: .distantFuture) } == [0, 0, 100_000_000])
  }

  @Test("Who could not go before the deadline is told at once, and takes nobody's place")
  func deadline() {
    let rate = rate(1, burst: 1)
    let soon = Deadline(nanoseconds: clock.now + 500_000_000)
    #expect(rate.reserve(deadline: soon) == 0)
    #expect(rate.reserve(deadline: soon) == nil)
    #expect(rate.reserve(deadline: .distantFuture) == 1_000_000_000)
  }
}
