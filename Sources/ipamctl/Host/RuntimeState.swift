/// Which containers the runtimes of this host know, by the directories they keep for them.
struct RuntimeState {
  /// The directory of each known container, by container ID.
  private(set) var containers: [String: String] = [:]
  /// The directories that were there to be searched.
  private(set) var places: [String] = []
  /// Why not everything could be searched, a line each.
  private(set) var obstacles: [String] = []

  init(_ roots: HostRoots) {
    for pattern in roots.containerDirectories { search(pattern, roots) }
  }

  private mutating func search(_ pattern: String, _ roots: HostRoots) {
    let isNested = pattern.hasSuffix("/*")
    let place = isNested ? String(pattern.dropLast(2)) : pattern
    do throws(HostFiles.Failure) {
      let names = try directories(in: place, roots)
      places.append(place)
      guard isNested else {
        for name in names { note(name, "\(place)/\(name)") }
        return
      }
      for group in names {
        for name in try directories(in: "\(place)/\(group)", roots) {
          let path = "\(place)/\(group)/\(name)"
          note(name, path)
          // nerdctl calls a container by its containerd namespace as well when it speaks to plugins.
          note("\(group)-\(name)", path)
        }
      }
    } catch {
      if !error.isAbsence { obstacles.append("the state of a runtime cannot be read (\(error)); run it as root") }
    }
  }

  private mutating func note(_ container: String, _ path: String) {
    if containers[container] == nil { containers[container] = path }
  }

  private func directories(in path: String, _ roots: HostRoots) throws(HostFiles.Failure) -> [String] {
    var names: [String] = []
    for name in try HostFiles.names(in: roots.path(path)) {
      do throws(HostFiles.Failure) {
        if try HostFiles.isDirectory(roots.path("\(path)/\(name)")) { names.append(name) }
      } catch {
        // A container that ends while it is looked at is none.
        if !error.isAbsence { throw error }
      }
    }
    return names
  }
}
