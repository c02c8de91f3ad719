extension String {
  /// A number in decimal digits.
  ///
  /// The standard library's printing of integers is generic and spread over many pages of its code, which a process that
  /// lives for a millisecond would map for a file's name; see the limits on memory in the benchmark.
  init(decimal number: UInt64) {
    self.init(unsafeUninitializedCapacity: 20) { buffer in
      var count = 1
      var rest = number / 10
      while rest > 0 {
        rest /= 10
        count += 1
      }
      rest = number
      for place in (0..<count).reversed() {
        buffer[place] = UInt8(ascii: "0") + UInt8(truncatingIfNeeded: rest % 10)
        rest /= 10
      }
      return count
    }
  }
}
