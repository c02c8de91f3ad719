/// The evidence in a store, within a transaction of the caller.
struct AttachmentTable {
  let connection: Connection

  /// Records evidence, in the place of earlier evidence of the same handle and interface.
  func record(_ evidence: AttachmentEvidence) throws(SQLiteError) {
    let namespace = evidence.namespace
    try connection.run(
      "INSERT OR REPLACE INTO attachments (handle, interface, network, container, machine_id, boot_id, "
        + "namespace_path, namespace_device, namespace_inode, recorded_at) "
        + "VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10)",
      .text(evidence.handle), .text(evidence.interfaceName), .text(evidence.network), .text(evidence.containerID),
      .text(evidence.machineID), .text(evidence.bootID),
      namespace.map { .text($0.path) } ?? .null,
      (namespace?.file?.device).map { .integer(Int64(bitPattern: $0)) } ?? .null,
      (namespace?.file?.inode).map { .integer(Int64(bitPattern: $0)) } ?? .null,
      .integer(evidence.recordedAt)
    )
  }

  /// Forgets what is recorded of a handle, for all interfaces.
  func forget(_ handle: String) throws(SQLiteError) {
    try connection.run("DELETE FROM attachments WHERE handle = ?1", .text(handle))
  }

  /// All evidence, by handle and interface.
  func list() throws(SQLiteError) -> [AttachmentEvidence] {
    var list: [AttachmentEvidence] = []
    try connection.rows(
      "SELECT handle, interface, network, container, machine_id, boot_id, namespace_path, namespace_device, "
        + "namespace_inode, recorded_at FROM attachments ORDER BY handle, interface"
    ) { row in
      var evidence = AttachmentEvidence(
        handle: row.text(0),
        network: row.text(2),
        containerID: row.text(3),
        interfaceName: row.text(1),
        machineID: row.text(4),
        bootID: row.text(5),
        recordedAt: row.integer(9)
      )
      if let path = row.optionalText(6) {
        evidence.namespace = AttachmentEvidence.Namespace(path: path)
        if !row.isNull(8) {
          evidence.namespace?.file = AttachmentEvidence.Namespace.File(
            device: UInt64(bitPattern: row.integer(7)),
            inode: UInt64(bitPattern: row.integer(8))
          )
        }
      }
      list.append(evidence)
      return true
    }
    return list
  }
}
