import ArgumentParser
import HostLocal
import IPAM
import Terminal

/// The networks of a data directory that a command was asked to look at.
enum NetworkSelection {
  /// What a shell offers where a network is expected: those of the directory that the command line names so far.
  static var completion: CompletionKind {
    .custom { words, _, _ in
      let option = words.indices.dropLast().last { words[$0] == "--data-dir" }
      let place = option.map { words[$0 + 1] } ?? HostLocalConfiguration.defaultDataDirectory
      // A directory that cannot be read has nothing to offer.
      return (try? ReservationInventory(dataDirectory: place).networks()) ?? []
    }
  }

  /// Refuses what can be no network's name, such as a path.
  static func validate(_ name: String) throws {
    guard Attachment.isValid(containerID: Array(name.utf8)) else {
      throw ValidationError(
        "'\(PrintableText.of(name))' is no network name: a letter or digit, then letters, digits, '_', '.' and '-'."
      )
    }
  }

  /// The wanted networks, or all of them when none is named; each once, sorted.
  ///
  /// - Throws: ``CommandFailure`` when the data directory cannot be read or a network has no directory there.
  static func networks(_ wanted: [String], in inventory: ReservationInventory) throws(CommandFailure) -> [String] {
    let place = inventory.dataDirectory
    let known: [String]
    do {
      known = try inventory.networks()
    } catch {
      throw CommandFailure("cannot list the networks below \(place)", error, advice: [.permission, .dataDirectory])
    }
    for name in wanted where !known.contains(name) {
      let found = known.isEmpty ? "there is no network" : "the networks there are: \(known.joined(separator: ", "))"
      throw CommandFailure("network '\(name)' has no directory below \(place); \(found)")
    }
    return wanted.isEmpty ? known : Set(wanted).sorted()
  }
}
