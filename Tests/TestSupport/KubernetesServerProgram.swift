import Glibc

/// The program that answers as a Kubernetes cluster does, and where it is.
enum KubernetesServerProgram {
  /// What to say of a test that is skipped.
  static let absence = """
    no Kubernetes API server: name the program kube-testserver in KUBE_TESTSERVER, or put kube-testserver.xz into \
    ../shared/kube-testserver beside the package
    """

  /// The folder beside the package that has the packed program and the definitions of Calico's kinds.
  static let sharedFolder: String = {
    // Tests/TestSupport/THIS-FILE, four names below the folder that the package lies in.
    let folder = #filePath.split(separator: "/", omittingEmptySubsequences: false).dropLast(4)
    return folder.joined(separator: "/") + "/shared/kube-testserver"
  }()

  /// The path of the program; nil when neither it nor its packed form is at hand.
  ///
  /// The packed form is unpacked once, into the folder for temporary files.
  static let path: String? = {
    if let named = getenv("KUBE_TESTSERVER").map({ String(cString: $0) }), !named.isEmpty {
      return named.hasSuffix(".xz") ? unpacked(named) : named
    }
    return unpacked(sharedFolder + "/kube-testserver.xz")
  }()

  /// The folder for temporary files.
  static let temporaryFolder: String = {
    guard let named = getenv("TMPDIR").map({ String(cString: $0) }), !named.isEmpty else { return "/tmp" }
    return named
  }()

  /// Another version has another size or time, and so another name. A program is there as a whole or not at all: several
  /// test programs may unpack at once.
  private static func unpacked(_ packed: String) -> String? {
    var status = stat()
    guard stat(packed, &status) == 0 else { return nil }
    let folder = "\(temporaryFolder)/swift-ipam-tests-\(geteuid())"
    let program = "\(folder)/kube-testserver-\(status.st_size)-\(status.st_mtim.tv_sec)"
    if access(program, X_OK) == 0 { return program }
    mkdir(folder, 0o700)
    let fresh = "\(program).\(getpid())"
    let command = "umask 077; xz -dc -- \"$0\" > \"$1\" && chmod 700 \"$1\" && mv -f -- \"$1\" \"$2\""
    guard (try? ChildProcess.run(["sh", "-c", command, packed, fresh, program]))?.status == 0 else {
      unlink(fresh)
      return nil
    }
    return program
  }
}
