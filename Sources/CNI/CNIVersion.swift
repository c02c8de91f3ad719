/// A version of the CNI specification, as configurations name it.
public struct CNIVersion: Hashable, Sendable, CustomStringConvertible {
  /// The text of the configuration, unchanged.
  public let description: String

  public init(_ text: String) {
    self.description = text
  }

  /// What a configuration without a version means.
  public static let unstated = CNIVersion("0.1.0")

  /// Every version that results can be given in, oldest first. Support is equality of text with one of these.
  public static let supported = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"].map(CNIVersion.init)

  /// The newest supported version.
  public static let newest = CNIVersion("1.1.0")

  public var isSupported: Bool { Self.supported.contains(self) }

  /// The parts of the version as numbers, for comparing; missing ones are 0.
  ///
  /// - Throws: ``CNIError`` with code 6 for more than three parts, or a part that is not a decimal number.
  func parts() throws(CNIError) -> VersionParts {
    let texts = description.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false)
    guard texts.count <= 3 else {
      throw CNIError(.decodingFailure, "invalid version \(Self.quoted(description.utf8)): too many parts")
    }
    var numbers = [0, 0, 0]
    for (index, text) in texts.enumerated() {
      switch Self.parseDecimal(text) {
      case .success(let number): numbers[index] = number
      case .failure(let problem):
        let part = ["major", "minor", "micro"][index]
        let quoted = Self.quoted(text)
        throw CNIError(
          .decodingFailure,
          "failed to convert \(part) version part \(quoted): strconv.Atoi: parsing \(quoted): \(problem.text)"
        )
      }
    }
    return VersionParts(major: numbers[0], minor: numbers[1], micro: numbers[2])
  }

  private static func quoted(_ text: some Collection<UInt8>) -> String { QuotedText.quote(text) }

  private struct NumberProblem: Error { let text: String }

  /// An optional sign and decimal digits, within 64 bits.
  private static func parseDecimal(_ text: some Collection<UInt8>) -> Result<Int, NumberProblem> {
    var digits = text[...]
    var isNegative = false
    if let first = digits.first, first == UInt8(ascii: "-") || first == UInt8(ascii: "+") {
      isNegative = first == UInt8(ascii: "-")
      digits = digits.dropFirst()
    }
    guard !digits.isEmpty, digits.allSatisfy({ $0 >= UInt8(ascii: "0") && $0 <= UInt8(ascii: "9") }) else {
      return .failure(NumberProblem(text: "invalid syntax"))
    }
    var number = 0
    for byte in digits {
      let (product, overflow) = number.multipliedReportingOverflow(by: 10)
      let digit = Int(byte - UInt8(ascii: "0"))
      let (sum, carry) = product.addingReportingOverflow(isNegative ? -digit : digit)
      guard !overflow, !carry else { return .failure(NumberProblem(text: "value out of range")) }
      number = sum
    }
    return .success(number)
  }
}

/// A version as three numbers.
struct VersionParts: Hashable, Comparable {
  var major: Int
  var minor: Int
  var micro: Int

  static func < (left: Self, right: Self) -> Bool {
    (left.major, left.minor, left.micro) < (right.major, right.minor, right.micro)
  }
}
