import Datastore

/// What the first bytes of a database say about it (https://www.sqlite.org/fileformat.html, section 1.3): enough to turn
/// away a file that is not ours before anything is done with it.
///
/// ```
///  0        16  18 19            60            68            72
///  | magic  |   |w |r |  ...     |user version |application ID |
/// ```
struct FileHead {
  static let size = 100

  private let bytes: [UInt8]

  /// Takes the first ``size`` bytes of a file.
  init(_ bytes: [UInt8]) { self.bytes = bytes }

  private static let magic = Array("SQLite format 3\0".utf8)

  var isDatabase: Bool { bytes.starts(with: Self.magic) }

  /// Whether commits go to a log beside the file.
  var hasLog: Bool { bytes[18] == 2 && bytes[19] == 2 }

  var version: UInt32 { number(at: 60) }
  var applicationID: UInt32 { number(at: 68) }

  private func number(at offset: Int) -> UInt32 {
    bytes[offset..<offset + 4].reduce(0) { $0 << 8 | UInt32($1) }
  }

  /// - Throws: ``DatastoreError`` of the code `unusable` when the file is not a store that a program with this schema
  ///   may touch.
  func validate(_ path: String, _ schema: Schema) throws(DatastoreError) {
    guard isDatabase else {
      throw DatastoreError(
        .unusable,
        "\(path) is not an SQLite file, or its beginning is damaged",
        advice: "the file was left as it is; name another path, or move it away"
      )
    }
    guard applicationID == Schema.applicationID else {
      throw DatastoreError(
        .unusable,
        "\(path) is an SQLite file of another program (application ID \(applicationID), not \(Schema.applicationID))",
        advice: "the file was left as it is; name another path"
      )
    }
    // A later version may still be in the log, so each transaction looks again.
    if case .newer(let version) = schema.standing(of: Int(version)) {
      throw Self.newer(version, path, schema)
    }
  }

  /// The refusal of a file that a later program has written.
  static func newer(_ version: Int, _ path: String, _ schema: Schema) -> DatastoreError {
    DatastoreError(
      .unusable,
      "\(path) has version \(version), and this program knows versions up to \(schema.version)",
      advice: "the file was left as it is; use the version of swift-ipam that wrote it, or a later one"
    )
  }
}
