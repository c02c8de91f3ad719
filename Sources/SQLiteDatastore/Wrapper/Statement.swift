import CSQLite

/// What is put in the place of a statement's parameter.
enum Binding {
  case integer(Int64)
  case text(String)
  case bytes([UInt8])
  case null
}

/// The row at which a statement stands. Columns count from 0.
struct Row: ~Copyable {
  fileprivate let statement: OpaquePointer

  func integer(_ column: Int32) -> Int64 { sqlite3_column_int64(statement, column) }

  /// The text of a column; empty for NULL.
  func text(_ column: Int32) -> String { String(decoding: memory(column), as: UTF8.self) }

  /// The text of a column; nil for NULL.
  func optionalText(_ column: Int32) -> String? { isNull(column) ? nil : text(column) }

  func bytes(_ column: Int32) -> [UInt8] { Array(memory(column)) }

  func isNull(_ column: Int32) -> Bool { sqlite3_column_type(statement, column) == SQLITE_NULL }

  private func memory(_ column: Int32) -> UnsafeRawBufferPointer {
    // In this order: asking for the bytes may move them (https://www.sqlite.org/c3ref/column_blob.html).
    let start = sqlite3_column_blob(statement, column)
    return UnsafeRawBufferPointer(start: start, count: Int(sqlite3_column_bytes(statement, column)))
  }
}

/// A prepared statement, ready to be run again and again; it must not outlive its connection.
struct Statement {
  private let statement: OpaquePointer
  private let connection: OpaquePointer
  private let sql: String

  init(_ sql: String, on connection: OpaquePointer) throws(SQLiteError) {
    var statement: OpaquePointer?
    let code = sqlite3_prepare_v2(connection, sql, -1, &statement, nil)
    guard code == SQLITE_OK, let statement else { throw SQLiteError(code, of: connection, sql: sql) }
    self.statement = statement
    self.connection = connection
    self.sql = sql
  }

  /// Runs the statement to its end, or until `body` answers false to a row.
  func run(_ bindings: [Binding], _ body: (borrowing Row) -> Bool) throws(SQLiteError) {
    defer {
      // Its result repeats the failure of the last step.
      sqlite3_reset(statement)
      if !bindings.isEmpty { sqlite3_clear_bindings(statement) }
    }
    for (index, binding) in bindings.enumerated() {
      try check(bind(binding, at: Int32(index + 1)))
    }
    while true {
      let code = sqlite3_step(statement)
      if code == SQLITE_DONE { return }
      guard code == SQLITE_ROW else { throw SQLiteError(code, of: connection, sql: sql) }
      if !body(Row(statement: statement)) { return }
    }
  }

  func finalize() { sqlite3_finalize(statement) }

  private func bind(_ binding: Binding, at index: Int32) -> Int32 {
    switch binding {
    case .integer(let number): return sqlite3_bind_int64(statement, index, number)
    case .null: return sqlite3_bind_null(statement, index)
    case .bytes(let bytes):
      return bytes.withUnsafeBytes { csqlite_bind_bytes(statement, index, $0.baseAddress, Int32($0.count)) }
    case .text(let text):
      var text = text
      return text.withUTF8 { buffer in
        buffer.withMemoryRebound(to: CChar.self) {
          csqlite_bind_text(statement, index, $0.baseAddress, Int32($0.count))
        }
      }
    }
  }

  private func check(_ code: Int32) throws(SQLiteError) {
    if code != SQLITE_OK { throw SQLiteError(code, of: connection, sql: sql) }
  }
}
