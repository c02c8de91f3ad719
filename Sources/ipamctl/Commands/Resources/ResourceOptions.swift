import ArgumentParser

/// What the commands on resources have in common (calicoctl specification, section 4.1).
struct ResourceOptions: ParsableArguments {
  @OptionGroup var datastore: DatastoreOptions

  @Option(
    name: [.customShort("f", allowingJoined: true), .long],
    help: ArgumentHelp(
      "The file with the resources in YAML or JSON, '-' for stdin, or a directory of such files.", valueName: "file"),
    completion: .file(extensions: ["yaml", "yml", "json"])
  )
  var filename: String?

  @Flag(name: [.customShort("R"), .long], help: "Read the directories in the directory as well.")
  var recursive = false

  @Flag(help: "A file or directory without resources is no error.")
  var skipEmpty = false

  @Option(
    name: [.customShort("n", allowingJoined: true), .long],
    help: ArgumentHelp("For kinds that are in namespaces; none of those here is.", visibility: .hidden))
  var namespace: String?

  /// The reader of the file that was named; nil when none was.
  var manifests: ManifestReader? {
    filename.map { ManifestReader(path: $0, isRecursive: recursive, skipsEmpty: skipEmpty) }
  }
}

/// What is said about kinds in every help.
enum ResourceHelp {
  static let kinds = """
    Kinds, in any case of letters: ippool (ipp, pool), ipreservation (reservation), ipamconfiguration (ipamconfig) and \
    node (no), each also in the plural.
    """

  /// What a shell offers where a kind is expected.
  static let completedKinds = ["ippool", "ipreservation", "ipamconfiguration", "node"]
  static var kindCompletion: CompletionKind { .list(completedKinds) }
}
