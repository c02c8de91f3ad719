import CLinux
import CNI
import FileSystem
import JSON

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// The last answer about a node's networks, in `<dataDir>/.swift-ipam/pod-cidrs`: one line of JSON.
///
/// It is good for ten minutes of the boot in which it was given, for the node that was asked about, with the access by
/// which it was asked. Later the node may be another of the same name, with other networks.
struct PodRangeCache {
  /// For how many seconds an answer is good.
  static var lifetime: Int64 { 600 }

  private let directory: String
  private let identity: BootIdentity.Source
  /// Seconds since the boot, time asleep included.
  private let now: @Sendable () -> Int64

  init(
    dataDirectory: String, identity: BootIdentity.Source = BootIdentity.Source(),
    now: @escaping @Sendable () -> Int64 = Self.secondsSinceBoot
  ) {
    directory = LexicalPath.joined(dataDirectory, NewReservation.ownDirectoryName)
    self.identity = identity
    self.now = now
  }

  private var path: String { directory + "/pod-cidrs" }

  /// Whom an answer is for.
  struct Question: Hashable {
    var node: String
    /// What the configuration says about the API server and about who we are to it, without secrets in the clear.
    var access: String
  }

  /// The answer to a question, when there is one that is still good.
  func answer(_ question: Question) -> PodRanges? {
    // Absence is common, and everything else that is wrong with the file has the same answer: ask again.
    guard let file = try? File.open(path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK), let status = try? File.status(of: file),
      status.isRegularFile, status.st_uid == geteuid(), status.st_mode & 0o022 == 0,
      let bytes = try? File.contents(of: file, limit: 1 << 16),
      case .object(let document)? = try? JSON(parsing: bytes),
      let ranges = PodRanges(document), let time = document["time"]?.numberValue?.int64,
      document["for"]?.stringValue == question.node, document["access"]?.stringValue == question.access,
      !boot.isEmpty, document["boot"]?.stringValue == boot
    else { return nil }
    let age = now() - time
    return (0...Self.lifetime).contains(age) ? ranges : nil
  }

  /// Keeps an answer in the place of the last one.
  ///
  /// - Throws: `SystemError` when it cannot be written; then the next call asks again.
  func keep(_ ranges: PodRanges, for question: Question, askedAt time: Int64) throws(SystemError) {
    TableFile.makeDirectory(directory)
    var document = JSONObject(ranges.members)
    document["for"] = .string(question.node)
    document["access"] = .string(question.access)
    document["boot"] = .string(boot)
    document["time"] = .number(JSONNumber(time))
    let intermediate = path + "." + String(getpid())
    let file = try File.open(intermediate, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW, mode: 0o600)
    do throws(SystemError) {
      try File.writeAll(JSON.object(document).encoded(), to: file)
      guard rename(intermediate, path) == 0 else { throw SystemError(number: errno) }
    } catch {
      unlink(intermediate)
      throw error
    }
  }

  /// The time for ``keep(_:for:askedAt:)``: taken before the question, because the answer may be as old as that.
  var time: Int64 { now() }

  private var boot: String { File.firstLine(of: identity.bootPath) }

  private static func secondsSinceBoot() -> Int64 {
    var time = timespec()
    clock_gettime(CLOCK_BOOTTIME, &time)
    return Int64(time.tv_sec)
  }
}
