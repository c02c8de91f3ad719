import IPAddressing
import Terminal

/// Every address that is configured in any network namespace of the host, gathered once.
struct NamespaceSurvey {
  /// A namespace that has the address, for each address: `network namespace /run/netns/web`.
  private(set) var holders: [IPAddress: String] = [:]
  /// How many namespaces were looked at.
  private(set) var count = 0
  /// Why the survey is not complete, a line each; empty when it is.
  private(set) var obstacles: [String] = []

  private let roots: HostRoots
  /// The namespaces looked at, by inode number, as in `net:[4026532178]`.
  private var seen: Set<UInt64> = []
  /// The address lists looked at, by inode number: each namespace has its own.
  private var seenLists: Set<UInt64> = []

  /// Looks at the namespaces of all processes, at all that are mounted somewhere, and at those that `paths` lead to.
  init(_ roots: HostRoots, paths: [String] = []) {
    self.roots = roots
    let ownMounts = mounts(of: "self")
    // Where this process has mounts of its own, those of process 1 are the host's.
    let hostMounts = mounts(of: "1")
    let names = Dictionary((ownMounts + hostMounts).map { ($0.inode, $0.path) }) { first, _ in first }
    lookAtProcesses(named: names)
    for mount in ownMounts { lookAt(mount.path, called: mount.path, inode: mount.inode) }
    for mount in hostMounts { lookAt(process("1", "root") + mount.path, called: mount.path, inode: mount.inode) }
    for path in paths { lookAt(roots.path(path), called: path, inode: nil) }
  }

  private func process(_ process: String, _ file: String) -> String { roots.path("/proc/\(process)/\(file)") }

  // MARK: Namespaces with processes

  private mutating func lookAtProcesses(named names: [UInt64: String]) {
    let processes: [String]
    do { processes = try HostFiles.names(in: roots.path("/proc")) } catch {
      obstacles.append("the processes cannot be listed (\(error))")
      return
    }
    // Process 1 always exists; where it is not to be seen, others are hidden as well (`hidepid`, proc(5)).
    if !processes.contains("1") {
      obstacles.append("not all processes can be seen: \(roots.path("/proc")) does not list process 1; run it as root")
    }
    var refusals: [HostFiles.Failure] = []
    for number in processes where number.utf8.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) {
      do throws(HostFiles.Failure) {
        try lookAtProcess(number, named: names)
      } catch {
        // A process that has just ended keeps no namespace alive.
        if !error.isAbsence { refusals.append(error) }
      }
    }
    guard let first = refusals.first else { return }
    obstacles.append(
      "the network namespaces of \(refusals.count.of("process", plural: "processes")) cannot be looked into, such as "
        + "\(first); run it as root"
    )
  }

  private mutating func lookAtProcess(_ number: String, named names: [UInt64: String]) throws(HostFiles.Failure) {
    let namespace = try namespace(of: number)
    if let namespace, seen.contains(namespace) { return }
    let listPath = process(number, "net/fib_trie")
    let list = try HostFiles.inode(of: listPath)
    if namespace == nil, seenLists.contains(list) { return }
    let addresses = try AddressFiles.addresses(in: process(number, "net"))
    // The process may have gone elsewhere meanwhile, or its number to another process.
    guard try HostFiles.inode(of: listPath) == list else { return }
    seenLists.insert(list)
    let name = namespace.flatMap { names[$0] }.map { PrintableText.of($0) } ?? "of process \(number)\(command(number))"
    note(addresses, in: "network namespace \(name)", namespace)
  }

  /// The inode number of a process's namespace; nil where it may not be known, as without CAP_SYS_PTRACE. The addresses
  /// in it may be read nevertheless.
  private func namespace(of number: String) throws(HostFiles.Failure) -> UInt64? {
    do { return try HostFiles.inode(of: process(number, "ns/net")) } catch {
      guard error.isRefusal else { throw error }
      return nil
    }
  }

  /// What a process executes, as ` (pause)`.
  private func command(_ number: String) -> String {
    // The name is an ornament; a process that ended has none.
    guard let bytes = try? HostFiles.contents(of: process(number, "comm")) else { return "" }
    return " (\(PrintableText.of(bytes.prefix { $0 != UInt8(ascii: "\n") })))"
  }

  // MARK: Namespaces without processes

  private mutating func mounts(of number: String) -> [NamespaceMounts.Mount] {
    do {
      return NamespaceMounts.mounts(mountInfo: try HostFiles.contents(of: process(number, "mountinfo")))
    } catch {
      if error.isAbsence { return [] }
      obstacles.append("the mounted network namespaces cannot be listed (\(error)); run it as root")
      return []
    }
  }

  /// Enters the namespace at a path, unless it was seen already.
  ///
  /// A path that leads to no namespace, or not to the one mounted there, is passed over: another mount may hide it.
  private mutating func lookAt(_ path: String, called name: String, inode: UInt64?) {
    if let inode, seen.contains(inode) { return }
    let namespace = "network namespace \(PrintableText.of(name))"
    var isThere = false
    do throws(HostFiles.Failure) {
      let file = try HostFiles.open(path)
      let found = try HostFiles.inode(of: file)
      guard NamespaceEntry.isNamespace(file), inode == nil || inode == found, !seen.contains(found) else { return }
      isThere = true
      note(try NamespaceEntry.addresses(of: file, at: path), in: namespace, found)
    } catch {
      if !isThere, error.isAbsence { return }
      obstacles.append("the \(namespace) cannot be looked into (\(error)); run it as root")
    }
  }

  private mutating func note(_ addresses: Set<IPAddress>, in name: String, _ namespace: UInt64?) {
    count += 1
    if let namespace { seen.insert(namespace) }
    for address in addresses where holders[address] == nil { holders[address] = name }
  }
}
