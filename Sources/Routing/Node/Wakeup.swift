#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Wakes a thread that waits in poll(2): a pipe that a byte is written to. See pipe(2).
final class Wakeup: Sendable {
  private let reading: CInt
  private let writing: CInt

  /// Nil when the process has no descriptors left.
  init?() {
    var ends: [CInt] = [-1, -1]
    guard pipe(&ends) == 0 else { return nil }
    for end in ends {
      _ = fcntl(end, F_SETFD, FD_CLOEXEC)
      _ = fcntl(end, F_SETFL, O_NONBLOCK)
    }
    reading = ends[0]
    writing = ends[1]
  }

  deinit {
    close(reading)
    close(writing)
  }

  /// Ends the present wait, or else the next one.
  func signal() {
    var byte: UInt8 = 1
    // It only fails when the pipe is full, and then it is readable already.
    _ = write(writing, &byte, 1)
  }

  /// Waits for a signal, for another descriptor to be readable, or for some time; nil for as long as it takes.
  func wait(or other: CInt?, atMost time: Duration?) {
    var descriptors = [pollfd(fd: reading, events: Int16(POLLIN), revents: 0)]
    if let other { descriptors.append(pollfd(fd: other, events: Int16(POLLIN), revents: 0)) }
    // An interrupted wait is a short one: the caller looks at everything again.
    _ = poll(&descriptors, nfds_t(descriptors.count), time.map(Self.milliseconds) ?? -1)
    guard descriptors[0].revents != 0 else { return }
    var bytes = [UInt8](repeating: 0, count: 256)
    while read(reading, &bytes, bytes.count) == bytes.count {}
  }

  /// Rounded up, so that nothing is looked at before it is due.
  private static func milliseconds(_ time: Duration) -> CInt {
    let (seconds, attoseconds) = time.components
    guard seconds >= 0, attoseconds >= 0 else { return 0 }
    let fraction = (attoseconds + 999_999_999_999_999) / 1_000_000_000_000_000
    return CInt(clamping: min(seconds, 86_400) * 1000 + fraction)
  }
}
