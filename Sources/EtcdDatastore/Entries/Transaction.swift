import CalicoModel
import Datastore
import EtcdMessages

/// Writes that are made all together, if every entry is what they were made from.
struct Transaction {
  let writes: [PlannedWrite]

  /// An entry that can be told not to be what it has to be without asking: its revision is none of etcd's.
  var impossible: Key? {
    writes.first { write in
      if case .revision(let revision) = write.base { Self.number(revision) == nil } else { false }
    }?.key
  }

  private static func number(_ revision: Revision) -> Int64? {
    guard let number = Int64(revision.token), number > 0 else { return nil }
    return number
  }

  /// The writes whose entries are compared.
  private var compared: [PlannedWrite] { writes.filter { $0.base != .any } }

  var request: Etcdserverpb_TxnRequest {
    var request = Etcdserverpb_TxnRequest()
    request.compare = compared.map(Self.comparison)
    request.success = writes.map(Self.operation)
    // Which entry was another one.
    request.failure = compared.map { write in
      var range = Etcdserverpb_RangeRequest()
      range.key = etcdBytes(write.path)
      range.keysOnly = true
      var operation = Etcdserverpb_RequestOp()
      operation.requestRange = range
      return operation
    }
    return request
  }

  private static func comparison(_ write: PlannedWrite) -> Etcdserverpb_Compare {
    var compare = Etcdserverpb_Compare()
    compare.key = etcdBytes(write.path)
    compare.result = .equal
    if case .revision(let revision) = write.base {
      compare.target = .mod
      compare.modRevision = number(revision) ?? 0
    } else {
      compare.target = .version
      compare.version = 0
    }
    return compare
  }

  private static func operation(_ write: PlannedWrite) -> Etcdserverpb_RequestOp {
    var operation = Etcdserverpb_RequestOp()
    if let bytes = write.bytes {
      var put = Etcdserverpb_PutRequest()
      put.key = etcdBytes(write.path)
      put.value = etcdBytes(bytes)
      operation.requestPut = put
    } else {
      var deletion = Etcdserverpb_DeleteRangeRequest()
      deletion.key = etcdBytes(write.path)
      operation.requestDeleteRange = deletion
    }
    return operation
  }

  /// The first entry that was not what it had to be.
  func conflict(in answer: Etcdserverpb_TxnResponse) -> Key? {
    for (write, found) in zip(compared, answer.responses) {
      let revision = found.responseRange.kvs.first?.modRevision
      let isRight =
        switch write.base {
        case .any: true
        case .absent: revision == nil
        case .revision(let expected): revision == Self.number(expected)
        }
      if !isRight { return write.key }
    }
    return compared.first?.key
  }

  /// What was written, with the revision of the transaction.
  func done(at revision: Int64) -> [Write] {
    writes.map { Write($0.key, $0.stage, revision: $0.bytes.map { _ in Revision(revision) }) }
  }

  /// What is written, for messages.
  var subject: String {
    let first = writes.first.map { String(decoding: $0.path, as: UTF8.self) } ?? "nothing"
    return writes.count > 1 ? "write \(first) and \(writes.count - 1) more entries" : "write \(first)"
  }
}
