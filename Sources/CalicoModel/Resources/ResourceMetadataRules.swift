import JSON

/// What names, labels and annotations must be, for every kind (Calico IPAM specification, section 4.5).
enum ResourceMetadataRules {
  /// The most bytes of a name.
  static let maximumNameLength = 253
  /// The most bytes of all annotations of a resource together.
  static let maximumAnnotationSize = 256 * 1024
  /// The most bytes of a label's value, and of the part of its key behind the slash.
  static let maximumLabelLength = 63

  private static let namePattern = #"[a-z0-9]([-a-z0-9]*[a-z0-9])?(\.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"#

  /// What is wrong with a resource's metadata.
  static func violations(_ resource: Resource) -> [InvalidField] {
    var fields: [InvalidField] = []
    let length = resource.name.utf8.count
    if length > maximumNameLength {
      let reason = "name is too long by \(length - maximumNameLength) bytes"
      fields.append(InvalidField("Metadata.Name", resource.name, reason))
    }
    if !isSubdomain(resource.name) {
      let rule = "name must consist of lower case alphanumeric characters, '-' or '.'"
      fields.append(InvalidField("Metadata.Name", resource.name, "\(rule) (regex: \(namePattern))"))
    }
    var size = 0
    for (key, value) in resource.strings(of: "annotations") {
      size += key.utf8.count + value.utf8.count
      if let reason = keyViolation(key.lowercased()) {
        fields.append(InvalidField("Metadata.Annotations (key)", key, reason))
      }
    }
    if size > maximumAnnotationSize {
      let reason = "total size of annotations is too large by \(size - maximumAnnotationSize) bytes"
      fields.append(InvalidField("Metadata.Annotations (key)", nil, reason))
    }
    for (key, value) in resource.strings(of: "labels") {
      if let reason = keyViolation(key) { fields.append(InvalidField("Metadata.Labels (label)", key, reason)) }
      if let reason = valueViolation(value) { fields.append(InvalidField("Metadata.Labels (value)", value, reason)) }
    }
    return fields
  }

  /// Labels joined by dots, each of lower case letters, digits and hyphens, with no hyphen at either end (RFC 1123).
  static func isSubdomain(_ name: String) -> Bool {
    name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
      guard let first = label.first, let last = label.last else { return false }
      return first != UInt8(ascii: "-") && last != UInt8(ascii: "-")
        && label.allSatisfy { isDigit($0) || isLower($0) || $0 == UInt8(ascii: "-") }
    }
  }

  /// Why a text is no key of a label or annotation: `name` or `prefix/name`.
  private static func keyViolation(_ key: String) -> String? {
    let parts = key.split(separator: "/", omittingEmptySubsequences: false)
    let name: Substring
    switch parts.count {
    case 1: name = parts[0]
    case 2:
      if parts[0].utf8.count > maximumNameLength || !isSubdomain(String(parts[0])) {
        return "the part before the slash must be a domain name of lower case letters, digits, '-' and '.'"
      }
      name = parts[1]
    default: return "a key has at most one slash"
    }
    if name.isEmpty { return "name part must be non-empty" }
    if name.utf8.count > maximumLabelLength { return "name part must be no more than \(maximumLabelLength) characters" }
    return isWord(name) ? nil : "name part must consist of \(wordRule)"
  }

  private static func valueViolation(_ value: String) -> String? {
    if value.utf8.count > maximumLabelLength { return "must be no more than \(maximumLabelLength) characters" }
    return value.isEmpty || isWord(value[...]) ? nil : "a valid label must be an empty string or consist of \(wordRule)"
  }

  private static let wordRule =
    "alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character"

  private static func isWord(_ text: Substring) -> Bool {
    guard let first = text.utf8.first, let last = text.utf8.last else { return false }
    return isAlphanumeric(first) && isAlphanumeric(last)
      && text.utf8.allSatisfy {
        isAlphanumeric($0) || $0 == UInt8(ascii: "-") || $0 == UInt8(ascii: "_") || $0 == UInt8(ascii: ".")
      }
  }

  private static func isDigit(_ byte: UInt8) -> Bool { (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte) }
  private static func isLower(_ byte: UInt8) -> Bool { (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) }
  private static func isAlphanumeric(_ byte: UInt8) -> Bool { isDigit(byte) || isLower(byte | 0x20) && byte < 0x80 }
}
