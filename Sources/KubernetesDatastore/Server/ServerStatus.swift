import JSON

/// What a server says when it refuses a request: `meta.k8s.io/v1` Status, or any text.
struct ServerStatus: Hashable, Sendable {
  /// What is wrong with one field.
  struct Cause: Hashable, Sendable {
    var field: String
    var reason: String
    var message: String
  }

  /// The HTTP status.
  var code: Int
  /// Such as `AlreadyExists`; empty when the answer is no Status.
  var reason: String
  var message: String
  var causes: [Cause] = []
  /// Whether the answer came from Kubernetes at all, and not from something before it.
  var isStatus: Bool
  /// With what a list can be gone on whose token the server no longer knows; nil when it cannot.
  var continueToken: String?

  init(_ code: Int, _ body: [UInt8]) {
    self.code = code
    let document = (try? JSON(parsing: body))?.objectValue
    isStatus = document?["kind"]?.stringValue == "Status"
    continueToken = document?["metadata"]?.objectValue?["continue"]?.stringValue
    reason = document?["reason"]?.stringValue ?? ""
    let text = document?["message"]?.stringValue ?? String(decoding: body.prefix(300), as: UTF8.self)
    message = text.isEmpty ? "status \(code)" : String(text.prefix { $0 != "\n" })
    causes = (document?["details"]?.objectValue?["causes"]?.arrayValue ?? []).map { cause in
      let cause = cause.objectValue
      return Cause(
        field: cause?["field"]?.stringValue ?? "", reason: cause?["reason"]?.stringValue ?? "",
        message: cause?["message"]?.stringValue ?? "")
    }
  }

  /// Whether the object is another one, or in another state, than the request supposed (Calico IPAM specification,
  /// section 1.3.4).
  var isConflict: Bool {
    if code == 409 { return true }
    let fields = Set(causes.filter { $0.reason == "FieldValueInvalid" }.map(\.field))
    return !fields.isEmpty && fields.isSubset(of: ["metadata.uid", "metadata.resourceVersion"])
  }
}
