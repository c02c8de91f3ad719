import JSON

/// What the library libcni, which most runtimes call plugins with, noted of the attachments it made.
struct ResultCache {
  /// A note: which attachment, and where its network namespace was.
  struct Entry: Hashable {
    let network: String
    let containerID: String
    let interfaceName: String
    /// The path that the runtime passed as CNI_NETNS, or that the plugin answered with.
    let namespacePath: String?
    /// The file that says so.
    let file: String
  }

  private(set) var entries: [Entry] = []
  /// Why not all notes could be read, a line each.
  private(set) var obstacles: [String] = []

  init(_ roots: HostRoots) {
    for directory in roots.resultCaches {
      do throws(HostFiles.Failure) {
        for name in try HostFiles.names(in: roots.path(directory)) {
          let file = "\(directory)/\(name)"
          if let entry = Self.entry(try HostFiles.contents(of: roots.path(file)), file: file) { entries.append(entry) }
        }
      } catch {
        if !error.isAbsence { obstacles.append("the result cache cannot be read (\(error)); run it as root") }
      }
    }
  }

  /// Reads a file of the cache; nil for anything that is none, such as the bare results of early releases.
  ///
  /// The name of the file, `<network>-<container>-<interface>`, is not taken apart: each part may contain dashes.
  static func entry(_ bytes: [UInt8], file: String) -> Entry? {
    // What is no JSON is no note, and a note that is missing speaks neither for life nor for death.
    guard let document = try? JSON(parsing: bytes).objectValue, document["kind"]?.stringValue == "cniCacheV1",
      let network = document["networkName"]?.stringValue, let containerID = document["containerId"]?.stringValue,
      let interfaceName = document["ifName"]?.stringValue
    else { return nil }
    let path = document["netns"]?.stringValue ?? sandbox(of: document["result"], interfaceName)
    return Entry(
      network: network,
      containerID: containerID,
      interfaceName: interfaceName,
      namespacePath: path?.isEmpty == false ? path : nil,
      file: file
    )
  }

  /// The namespace of the container's interface in a result; releases before `netns` was noted have only this.
  private static func sandbox(of result: JSON?, _ interfaceName: String) -> String? {
    result?.objectValue?["interfaces"]?.arrayValue?
      .compactMap(\.objectValue)
      .first { $0["name"]?.stringValue == interfaceName && $0["sandbox"]?.stringValue?.isEmpty == false }?["sandbox"]?
      .stringValue
  }
}
