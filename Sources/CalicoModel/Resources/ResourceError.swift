/// Why a resource cannot be read, written or deleted.
///
/// The descriptions that tools and Calico's own tests match on are Calico's (Calico IPAM specification, sections 4.5 and
/// 5.1); the others are ours.
public struct ResourceError: Error, Hashable, Sendable, CustomStringConvertible {
  public enum Code: Hashable, Sendable {
    /// The document is no JSON, repeats a key, or has a member of the wrong type.
    case malformed
    /// The document has a member that its kind does not.
    case unknownField(String)
    /// The document is of a kind or version that is not handled.
    case unknownKind
    /// Values break the rules of the kind.
    case invalid([InvalidField])
    /// There is such a resource already.
    case alreadyExists(Key)
    /// There is no such resource.
    case doesNotExist(Key)
    /// The resource is not the one that was read, or changed again and again.
    case updateConflict(Key)
    /// What is stored cannot be understood.
    case unreadable(Key)
    /// The operation is none for this resource.
    case unsupported
    /// The store cannot be reached or used; nothing was written.
    case datastore
    /// The connection broke while writing, and whether it was done cannot be found out.
    case unconfirmed(Key)
  }

  public let code: Code
  public let description: String
  /// Where in the document it was found; nil when that is not known.
  public internal(set) var place: DocumentPlace?
  /// What to write instead, as a clause such as `did you mean 'cidr'?`; nil when there is nothing to say.
  public let advice: String?

  /// An error.
  ///
  /// - Parameters:
  ///   - code: what kind of error it is.
  ///   - description: what is printed.
  ///   - place: where in the document it was found.
  ///   - advice: what to write instead.
  public init(_ code: Code, _ description: String, at place: DocumentPlace? = nil, advice: String? = nil) {
    self.code = code
    self.description = description
    self.place = place
    self.advice = advice
  }

  /// The error as one of a larger document, in which the object that it was found in is at a place.
  func within(_ outer: DocumentPlace) -> ResourceError {
    var error = self
    error.place = DocumentPlace(outer.steps + (place?.steps ?? []))
    return error
  }
}

/// A value that breaks a rule.
public struct InvalidField: Hashable, Sendable, CustomStringConvertible {
  /// The field in the words of the originals, such as `IPPool.Spec.CIDR`.
  public var name: String
  /// The value as Go prints it; nil where the originals show none.
  public var value: String?
  /// Which rule it breaks.
  public var reason: String

  public init(_ name: String, _ value: String?, _ reason: String) {
    self.name = name
    self.value = value
    self.reason = reason
  }

  /// `<name> = '<value>' (<reason>)`, or `<name> (<reason>)`.
  public var description: String {
    let shown = value.map { "\(name) = '\($0)'" } ?? name
    return "\(shown) (\(reason))"
  }
}

extension ResourceError {
  /// Rules that values break; the text for one and for several differs (section 4.5).
  public static func invalid(_ fields: [InvalidField]) -> ResourceError {
    if fields.count == 1 { return ResourceError(.invalid(fields), "error with field \(fields[0])") }
    let lines = fields.map { "-  \($0)\n" }.joined()
    return ResourceError(.invalid(fields), "error with the following fields:\n" + lines)
  }

  /// One rule that a value breaks.
  public static func invalid(_ name: String, _ value: String?, _ reason: String) -> ResourceError {
    invalid([InvalidField(name, value, reason)])
  }

  // The originals print the datastore's own error behind these; etcd, which found something else than expected but did
  // not fail, has none (section 5.1).

  public static func alreadyExists(_ key: Key) -> ResourceError {
    ResourceError(.alreadyExists(key), "resource already exists: \(key) with error: <nil>")
  }

  public static func doesNotExist(_ key: Key) -> ResourceError {
    ResourceError(.doesNotExist(key), "resource does not exist: \(key) with error: <nil>")
  }

  public static func updateConflict(_ key: Key) -> ResourceError {
    ResourceError(.updateConflict(key), "update conflict: \(key)")
  }
}
