import ArgumentParser
import CalicoModel
import Datastore
import DatastoreAccess

/// Names of the datastore's own resources, which a shell offers where one is expected.
///
/// The datastore is the one that the words typed so far name. Who waits for a completion does not wait long: what does
/// not answer at once, or cannot be read, has nothing to offer.
enum StoredNames {
  /// How long a shell waits, in milliseconds.
  private static let patience: UInt64 = 1500
  /// More are of no use to a person who looks for one.
  private static let most = 1000

  /// Names of pools.
  static var pools: CompletionKind { .custom { words, _, _ in await names(of: .ipPool, words) } }

  /// Names of nodes.
  static var nodes: CompletionKind { .custom { words, _, _ in await names(of: .node, words) } }

  /// Kinds, and behind a kind the names of its resources.
  static var completion: CompletionKind {
    .custom { words, _, _ in
      let kind = words.lazy.compactMap { word in try? ResourceKind(argument: word) }.first
      guard let kind else { return ResourceHelp.completedKinds }
      return await names(of: kind, words)
    }
  }

  /// Reads the names.
  private static func names(of kind: ResourceKind, _ words: [String]) async -> [String] {
    do {
      let store = try ChosenDatastore(completing: options(in: words))
      let listing = Listing(.resources(kind), limit: most)
      let results = try await store.read([.list(listing)], deadline: .after(milliseconds: patience))
      guard case .list(let list)? = results.first else { return [] }
      return list.items.compactMap { item in
        guard case .resource(_, let name) = item.key else { return nil }
        return name
      }
    } catch {
      return []
    }
  }

  /// The options of a command line that say which datastore is meant.
  static func options(in words: [String]) -> [String] {
    let names: Set = ["--datastore", "--database", "--config", "-c", "--context", "--kubeconfig"]
    var found: [String] = []
    for (index, word) in words.enumerated() {
      // bash takes the sign of equality for a word of its own.
      let following = words[(index + 1)...].first { $0 != "=" }
      if names.contains(word), let following {
        found += [word, following]
      } else if let separator = word.firstIndex(of: "="), names.contains(String(word[..<separator])) {
        found.append(word)
      }
    }
    return found
  }
}

extension ChosenDatastore {
  /// The datastore of a command line that is being typed, to read from.
  fileprivate init(completing options: [String]) throws {
    let settings = try DatastoreOptions.parse(options).settings(ProcessEnvironment.variables)
    self.init(try OpenedDatastore(settings, access: .readOnly))
  }
}
