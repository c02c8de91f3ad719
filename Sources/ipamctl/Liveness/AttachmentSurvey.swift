import FileSystem
import IPAddressing
import SQLiteDatastore

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// One look at the attachments that are recorded on this host: for each handle whether its container lives, and why.
struct AttachmentSurvey {
  /// The records by handle.
  let evidence: [String: [AttachmentEvidence]]
  let verdicts: [String: Verdict]
  let host: HostLook

  /// Looks at the host.
  ///
  /// - Parameters:
  ///   - evidence: what is recorded.
  ///   - addresses: what each handle holds.
  ///   - roots: where the host's files are.
  init(_ evidence: [AttachmentEvidence], addresses: [String: [IPAddress]], roots: HostRoots) {
    let host = HostLook(roots, paths: evidence.compactMap { $0.namespace?.path })
    let identity = Identity(roots)
    self.host = host
    self.evidence = Dictionary(grouping: evidence, by: \.handle)
    verdicts = Dictionary(grouping: evidence, by: \.handle).mapValues { records in
      var facts = AttachmentFacts()
      facts.holder = (addresses[records[0].handle] ?? []).lazy.compactMap { host.namespaces.holders[$0] }.first
      facts.runtimeDirectory = records.lazy.compactMap { host.runtimes.containers[$0.containerID] }.first
      facts.records = records.map { record in
        AttachmentFacts.Record(origin: identity.origin(of: record), namespace: Self.namespace(of: record, roots))
      }
      facts.namespaceCount = host.namespaces.count
      facts.isLookComplete = host.obstacles.isEmpty
      return .judge(facts)
    }
  }

  /// The obstacles as lines for stderr.
  var warnings: [String] { host.obstacles.map { "warning: \($0)" } }

  /// Looks for the recorded namespace.
  private static func namespace(of record: AttachmentEvidence, _ roots: HostRoots) -> AttachmentFacts.Namespace {
    guard let namespace = record.namespace else { return .unrecorded }
    var status = stat()
    guard stat(roots.path(namespace.path), &status) == 0 else {
      return errno == ENOENT || errno == ENOTDIR ? .gone(path: namespace.path) : .remains(path: namespace.path)
    }
    // What could not be seen then cannot be compared now.
    guard let file = namespace.file else { return .remains(path: namespace.path) }
    let isSame = file.device == UInt64(status.st_dev) && file.inode == UInt64(status.st_ino)
    return isSame ? .remains(path: namespace.path) : .replaced(path: namespace.path)
  }

  /// This machine, and its boot.
  private struct Identity {
    let machineID: String
    let bootID: String

    init(_ roots: HostRoots) {
      let source = BootIdentity.Source()
      machineID = File.firstLine(of: roots.path(source.machinePath))
      bootID = File.firstLine(of: roots.path(source.bootPath))
    }

    func origin(of record: AttachmentEvidence) -> AttachmentFacts.Origin {
      guard !bootID.isEmpty, !record.bootID.isEmpty else { return .elsewhere }
      // Boot identifiers are random, so that an equal one needs no machine beside it.
      if record.bootID == bootID { return .thisBoot }
      return !machineID.isEmpty && record.machineID == machineID ? .earlierBoot : .elsewhere
    }
  }
}
