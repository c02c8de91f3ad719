/// Reads settings from variables of the environment by the rules of Calico's programs (front-end specification, section
/// 7.1): every variable may be written with the prefix `CALICO_`, and the prefixed one counts whenever it exists, even
/// when it is empty.
struct EnvironmentVariables {
  let value: (String) -> String?

  /// A variable's name as it was found, and its text; nil when there is none.
  private func find(_ name: String) -> (name: String, text: String)? {
    let prefixed = "CALICO_" + name
    if let text = value(prefixed) { return (prefixed, text) }
    return value(name).map { (name, $0) }
  }

  /// A text; empty when there is no such variable.
  func text(_ name: String) -> String { find(name)?.text ?? "" }

  /// A file that a variable names; nil when it names none.
  func file(_ name: String) -> PEMSource? {
    let path = text(name)
    return path.isEmpty ? nil : .file(path)
  }

  /// A truth value in one of the spellings that Go's programs take; nil when there is no such variable.
  func flag(_ name: String) throws(DatastoreSettingsError) -> Bool? {
    guard let (name, text) = find(name) else { return nil }
    switch text {
    case "1", "t", "T", "true", "TRUE", "True": return true
    case "0", "f", "F", "false", "FALSE", "False": return false
    default: throw Self.malformed(name, text, expected: "true or false")
    }
  }

  /// A number that is not negative; nil when there is no such variable.
  func number(_ name: String) throws(DatastoreSettingsError) -> Double? {
    guard let (name, text) = find(name) else { return nil }
    guard let number = Double(text), number.isFinite, number >= 0 else {
      throw Self.malformed(name, text, expected: "a number, 0 or more")
    }
    return number
  }

  /// A whole number that is not negative; nil when there is no such variable.
  func count(_ name: String) throws(DatastoreSettingsError) -> Int? {
    guard let (name, text) = find(name) else { return nil }
    guard let count = Int(text), count >= 0 else {
      throw Self.malformed(name, text, expected: "a whole number, 0 or more")
    }
    return count
  }

  private static func malformed(_ name: String, _ text: String, expected: String) -> DatastoreSettingsError {
    DatastoreSettingsError(
      "failed to load config from env vars: \(name) is \"\(text)\", which is not \(expected)",
      advice: "set \(name) to \(expected), or unset it")
  }
}
