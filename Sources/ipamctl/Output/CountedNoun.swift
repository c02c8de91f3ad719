extension Int {
  /// The number with its noun: `1 reservation`, `3 reservations`.
  func of(_ noun: String, plural: String? = nil) -> String { "\(self) \(self == 1 ? noun : plural ?? noun + "s")" }
}
