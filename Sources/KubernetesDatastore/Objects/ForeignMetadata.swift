import JSON

/// What others have written into an object's metadata, and must still be there after our next write of it: a PUT drops
/// whatever it does not mention.
struct ForeignMetadata: Hashable, Sendable {
  var labels: [Label]
  var annotations: [Label]
  var finalizers: ArraySlice<UInt8>?
  var ownerReferences: ArraySlice<UInt8>?
  /// The copy of the metadata in an annotation (section 1.3.5), when it has more than is written there by itself.
  var copy: String?

  /// What is foreign in an object.
  ///
  /// - Parameters:
  ///   - metadata: the object's.
  ///   - isAffinity: whether the labels of affinities are its own.
  init(_ metadata: ObjectMetadata, isAffinity: Bool) {
    labels = metadata.labels.filter { !(isAffinity && AffinityLabels.has($0.key)) }
    annotations = metadata.annotations.filter { $0.key != ObjectMetadata.copyKey }
    finalizers = metadata.finalizers
    ownerReferences = metadata.ownerReferences
    copy = metadata.copy.flatMap { Self.hasMore($0, isAffinity: isAffinity) ? $0 : nil }
  }

  var isEmpty: Bool {
    labels.isEmpty && annotations.isEmpty && finalizers == nil && ownerReferences == nil && copy == nil
  }

  private static func hasMore(_ copy: String, isAffinity: Bool) -> Bool {
    if copy == "{}" { return false }
    // A text that cannot be read says nothing to anybody.
    guard let members = (try? JSON(parsing: Array(copy.utf8)))?.objectValue?.members else { return false }
    return members.contains { member in
      switch (member.key, member.value) {
      case ("creationTimestamp", .null): false
      case ("labels", .object(let labels)) where isAffinity: labels.members.contains { !AffinityLabels.has($0.key) }
      default: true
      }
    }
  }

  /// The copy with the labels of the object itself.
  func copy(with own: [Label]) -> String? {
    guard let copy, var members = (try? JSON(parsing: Array(copy.utf8)))?.objectValue else { return nil }
    var labels = members["labels"]?.objectValue ?? JSONObject()
    for label in own { labels[label.key] = .string(label.value) }
    if !labels.members.isEmpty { members["labels"] = .object(labels) }
    return String(decoding: JSON.object(members).encoded(), as: UTF8.self)
  }
}
