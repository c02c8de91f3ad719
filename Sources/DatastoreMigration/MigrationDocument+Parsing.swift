import CalicoModel
import JSON
import YAML

extension MigrationDocument {
  /// Reads a document that this program or calicoctl has written.
  ///
  /// - Parameters:
  ///   - text: the document.
  ///   - name: what people call it: the file's path.
  /// - Throws: ``MigrationError`` of code `malformed` or `unreadable`.
  public init(parsing text: [UInt8], name: String) throws(MigrationError) {
    let parts = Self.parts(text)
    guard parts.count == 3 else {
      throw MigrationError(
        .malformed,
        "error while reading migration file: imported file: \(name) is improperly formatted. Try recreating with "
          + "'ipamctl datastore migrate export'")
    }
    let first = String(decoding: parts[0], as: UTF8.self)
    recordedSummary = first.split(separator: "\n").lazy.compactMap { MigrationSummary(comment: String($0)) }.first
    (resources, otherKinds) = try Self.resources(first, name)
    clusterInformation = try Self.clusterInformation(parts[1], name)
    entries = try Self.entries(Array(parts[2]), name)
    for entry in entries { _ = try entry.value() }
  }

  private static func malformed(_ name: String, _ reason: String) -> MigrationError {
    MigrationError(.malformed, "error while reading migration file: \(name): \(reason)")
  }

  // MARK: Parts

  /// What lies between lines of `===`.
  private static func parts(_ text: [UInt8]) -> [ArraySlice<UInt8>] {
    pieces(text[...]) { $0.elementsEqual("===".utf8) }
  }

  /// Cuts a text at lines.
  private static func pieces(
    _ text: ArraySlice<UInt8>, at isSeparator: (ArraySlice<UInt8>) -> Bool
  ) -> [ArraySlice<UInt8>] {
    var pieces: [ArraySlice<UInt8>] = []
    var (start, line) = (text.startIndex, text.startIndex)
    while line < text.endIndex {
      let end = text[line...].firstIndex(of: UInt8(ascii: "\n")) ?? text.endIndex
      let next = min(end + 1, text.endIndex)
      if isSeparator(text[line..<end]) {
        pieces.append(text[start..<line])
        start = next
      }
      line = max(next, end + 1)
    }
    pieces.append(text[start...])
    return pieces
  }

  // MARK: Resources

  private static func resources(
    _ text: String, _ name: String
  ) throws(MigrationError) -> (known: [Resource], others: [String: Int]) {
    var known: [Resource] = []
    var others: [String: Int] = [:]
    var seen: Set<Key> = []
    for piece in pieces(Array(text.utf8)[...], at: { $0.elementsEqual("---".utf8) }) {
      let document: JSON?
      do throws(YAMLDocument.Failure) {
        document = try YAMLDocument.json(String(decoding: piece, as: UTF8.self))
      } catch {
        throw malformed(name, "\(error)")
      }
      guard let document else { continue }
      for object in try items(document, name) {
        let kindName = object["kind"]?.stringValue ?? ""
        guard let kind = kinds.first(where: { $0.rawValue == kindName }) else {
          others[kindName.isEmpty ? "(no kind)" : kindName, default: 0] += 1
          continue
        }
        guard let resourceName = object["metadata"]?.objectValue?["name"]?.stringValue, !resourceName.isEmpty else {
          throw malformed(name, "there is \(kindName) without a name")
        }
        let resource = Resource(kind, name: resourceName, document: object)
        guard seen.insert(resource.key).inserted else { throw malformed(name, "\(resource.key) is there twice") }
        known.append(resource)
      }
    }
    return (known, others)
  }

  /// The resources of a list, which need not repeat what the list says of them; or the resource alone.
  private static func items(_ document: JSON, _ name: String) throws(MigrationError) -> [JSONObject] {
    guard case .object(let list) = document else {
      throw malformed(name, "a \(document.kindName) where there should be a list of resources")
    }
    let kind = list["kind"]?.stringValue ?? ""
    guard kind.hasSuffix("List") else { return [list] }
    var objects: [JSONObject] = []
    for item in list["items"]?.arrayValue ?? [] {
      guard case .object(var object) = item else { throw malformed(name, "\(kind) has a \(item.kindName) in it") }
      if object["kind"] == nil { object["kind"] = .string(String(kind.dropLast(4))) }
      if object["apiVersion"] == nil { object["apiVersion"] = .string(ResourceKind.apiVersion) }
      objects.append(object)
    }
    return objects
  }

  private static func clusterInformation(_ text: ArraySlice<UInt8>, _ name: String) throws(MigrationError) -> Resource {
    do {
      guard case .object(let object) = try JSON(parsing: text) else {
        throw malformed(name, "the second part is not the ClusterInformation")
      }
      return Resource(.clusterInformation, name: "default", document: object)
    } catch let error as MigrationError {
      throw error
    } catch {
      throw malformed(name, "the second part is not the ClusterInformation: \(error)")
    }
  }

  // MARK: Entries

  /// Reads the third part without making a tree of it, for it may have ten thousand blocks.
  private static func entries(_ text: [UInt8], _ name: String) throws(MigrationError) -> [MigrationEntry] {
    var raw: [(path: String, value: Range<Int>)] = []
    do throws(JSONError) {
      try JSONReader.read(text) { reader throws(JSONError) in
        try reader.beginObject()
        while let key = try reader.nextKey() {
          let isOne = key.is("config")
          guard isOne || key.is("blocks") || key.is("handles") || key.is("block_affinities") else {
            try reader.skipValue()
            continue
          }
          if try reader.readNull() { continue }
          if isOne {
            raw.append(try entry(&reader))
          } else {
            try reader.beginArray()
            while try reader.nextElement() { raw.append(try entry(&reader)) }
          }
        }
      }
    } catch {
      throw malformed(name, "the third part is not the data of address management: \(error)")
    }
    var entries: [MigrationEntry] = []
    var seen: Set<Key> = []
    for (path, value) in raw {
      guard let key = KeyPath.key(of: path) else { throw malformed(name, "there is no such entry as \(path)") }
      guard seen.insert(key).inserted else { throw malformed(name, "\(path) is there twice") }
      entries.append(MigrationEntry(key, Array(text[value])))
    }
    return entries
  }

  private static func entry(_ reader: inout JSONReader) throws(JSONError) -> (path: String, value: Range<Int>) {
    var path = ""
    var value = 0..<0
    try reader.beginObject()
    while let key = try reader.nextKey() {
      if key.is("Key") {
        path = try reader.readString()
      } else if key.is("Value") {
        value = try reader.skipValue()
      } else {
        try reader.skipValue()
      }
    }
    return (path, value)
  }
}
