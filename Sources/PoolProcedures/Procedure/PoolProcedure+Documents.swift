import CalicoModel
import IPAddressing
import JSON

// What the pools of a procedure are written as.

extension PoolProcedure {
  /// The stand-in as it is created: what the source says but for its range and the size of its blocks, disabled, and with
  /// the record. It takes no labels over: programs find what is theirs by labels.
  ///
  /// - Parameters:
  ///   - source: the pool to copy from.
  ///   - name: the new pool's name.
  ///   - cidr: its range.
  ///   - blockSize: the size of its blocks.
  /// - Returns: the document.
  static func standIn(for source: Resource, name: String, cidr: CIDR, blockSize: Int) -> Resource {
    var specification = source.specification
    specification["cidr"] = .string(cidr.description)
    specification["blockSize"] = .number(JSONNumber(blockSize))
    specification["disabled"] = true
    return Resource(.ipPool, name: name, specification: specification)
  }

  /// The stand-in with this procedure's record.
  func recorded(_ standIn: Resource) -> Resource {
    var result = standIn
    result[annotation: ProcedureAnnotations.record] = record
    return result
  }

  /// The source with this run's mark.
  func marked(_ source: Resource) -> Resource {
    var result = source
    result[annotation: ProcedureAnnotations.mark] = ProcedureMark(self).text
    return result
  }

  /// The source as it is made again: disabled and marked.
  ///
  /// As it was, it is the same pool, with its identifier and its time of creation where the store lets them be written;
  /// with other blocks it is a new one. What programs keep in its status is theirs to write.
  func source(_ form: Form, uid: String, createdAt: String) -> Resource {
    var source = original
    for key in ["deletionTimestamp", "deletionGracePeriodSeconds", "resourceVersion"] { source.metadata[key] = nil }
    source.status = nil
    source.specification["disabled"] = true
    if form == .resized, let blockSize {
      source.specification["blockSize"] = .number(JSONNumber(blockSize))
      source.uid = uid
      source.creationTimestamp = createdAt
    }
    return marked(source)
  }

  /// A pool of the procedure as one that gives addresses out.
  func enabled(_ pool: Resource, _ role: Role) -> Resource {
    var result = pool
    result.specification["disabled"] = role == .source ? original.specification["disabled"] : nil
    return result
  }

  /// A pool of the procedure as one that gives nothing out.
  func disabled(_ pool: Resource) -> Resource {
    var result = pool
    result.specification["disabled"] = true
    return result
  }

  /// The form that the source has, by the size of its blocks or of blocks found in its range.
  func form(ofBlockSize size: Int) -> Form {
    size == blockSize ? .resized : .original
  }
}

extension PoolProcedure {
  /// The source's range and the size of its blocks as they were when the procedure began.
  public var sourceAsItWas: (cidr: String, blockSize: Int) {
    let specification = original.withReadDefaults.specification
    let size = specification["blockSize"]?.numberValue?.int64 ?? 0
    return (specification["cidr"]?.stringValue ?? "", Int(size))
  }
}
