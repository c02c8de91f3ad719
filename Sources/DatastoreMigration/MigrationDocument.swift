public import CalicoModel
import Datastore
import JSON
import YAML

/// What a datastore holds, as the file in which `calicoctl datastore migrate export` writes it (calicoctl specification,
/// section 4.7): three parts, with a line `===` after the first and after the second.
public struct MigrationDocument: Sendable {
  /// The resources that this program knows, in the order in which they are written.
  public var resources: [Resource]
  /// How many resources of other kinds the document has, by kind: policies and what else is none of address management.
  public var otherKinds: [String: Int]
  /// ClusterInformation `default`.
  public var clusterInformation: Resource
  /// Affinities, blocks, handles, and the switches, in this order.
  public var entries: [MigrationEntry]
  /// What the document says is in it; nil when it was written by a program that says nothing.
  public var recordedSummary: MigrationSummary?

  public init(
    resources: [Resource], otherKinds: [String: Int] = [:], clusterInformation: Resource, entries: [MigrationEntry],
    recordedSummary: MigrationSummary? = nil
  ) {
    self.resources = resources
    self.otherKinds = otherKinds
    self.clusterInformation = clusterInformation
    self.entries = entries
    self.recordedSummary = recordedSummary
  }

  /// The kinds of resources that move, in the order of calicoctl's document.
  static let kinds: [ResourceKind] = [.ipPool, .tier, .node, .ipReservation]

  /// How much of everything is in it.
  ///
  /// - Throws: ``MigrationError`` for an entry that cannot be understood.
  public func summary() throws(MigrationError) -> MigrationSummary {
    try MigrationSummary(pools: resources.count { $0.kind == .ipPool }, entries)
  }

  // MARK: Writing

  /// The document's text.
  ///
  /// - Throws: ``MigrationError`` for an entry that cannot be understood.
  public func text() throws(MigrationError) -> [UInt8] {
    var output = Array(try summary().comment.utf8) + Array("\n".utf8)
    for kind in Self.kinds {
      let items = resources.filter { $0.kind == kind }.map { JSON.object($0.arrangedDocument) }
      let list: JSON = [
        "kind": .string(kind.rawValue + "List"), "apiVersion": .string(ResourceKind.apiVersion), "metadata": [:],
        "items": .array(items),
      ]
      output += Array(YAMLText.text(list).utf8)
      output += Array("---\n".utf8)
    }
    output += Self.separator
    JSON.object(clusterInformation.arrangedDocument).append(to: &output, JSONFormat(indentation: 2))
    output += Array("\n".utf8) + Self.separator
    try writeEntries(to: &output)
    return output
  }

  static let separator = Array("===\n".utf8)

  /// The members of the third part, with what belongs to each.
  private static let sections: [(name: String, isMember: @Sendable (Key) -> Bool)] = [
    ("block_affinities", { if case .affinity = $0 { true } else { false } }),
    ("blocks", { if case .block = $0 { true } else { false } }),
    ("handles", { if case .handle = $0 { true } else { false } }),
  ]

  private func writeEntries(to output: inout [UInt8]) throws(MigrationError) {
    var separator = "{\n"
    for section in Self.sections {
      let members = entries.filter { section.isMember($0.key) }
      if members.isEmpty { continue }
      output += Array("\(separator)  \"\(section.name)\": [\n".utf8)
      separator = ",\n"
      for (index, entry) in members.enumerated() {
        if index > 0 { output += Array(",\n".utf8) }
        try write(entry, indentation: 4, to: &output)
      }
      output += Array("\n  ]".utf8)
    }
    if let configuration = entries.first(where: { $0.key == .configuration }) {
      output += Array("\(separator)  \"config\":\n".utf8)
      separator = ",\n"
      try write(configuration, indentation: 2, to: &output)
    }
    output += Array((separator == "{\n" ? "{}\n" : "\n}\n").utf8)
  }

  private func write(_ entry: MigrationEntry, indentation: Int, to output: inout [UInt8]) throws(MigrationError) {
    let value: JSON
    do throws(JSONError) {
      // Very old affinities have no text at all.
      value = entry.text.isEmpty ? [:] : try JSON(parsing: entry.text)
    } catch {
      throw MigrationError(.unreadable, "\(entry.key) cannot be understood: \(error)")
    }
    let document: JSON = ["Key": .string(KeyPath.path(of: entry.key)), "Value": value, "TTL": 0]
    let margin = [UInt8](repeating: UInt8(ascii: " "), count: indentation)
    for (index, line) in document.encoded(JSONFormat(indentation: 2)).split(separator: UInt8(ascii: "\n")).enumerated()
    {
      if index > 0 { output.append(UInt8(ascii: "\n")) }
      output += margin
      output += line
    }
  }
}
