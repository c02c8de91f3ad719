/// How many addresses are in each use. Numbers saturate at `UInt128.max`, which is one less than all of IPv6.
public struct UseCounts: Hashable, Sendable {
  private var numbers = [UInt128](repeating: 0, count: AddressUse.allCases.count)

  /// No addresses.
  public init() {}

  /// A number of addresses that are all in one use.
  public init(_ count: UInt128, _ use: AddressUse) { self[use] = count }

  /// The number of addresses in a use.
  public subscript(_ use: AddressUse) -> UInt128 {
    get { numbers[use.rawValue] }
    set { numbers[use.rawValue] = newValue }
  }

  /// Adds addresses in a use.
  public mutating func add(_ count: UInt128, _ use: AddressUse) {
    self[use] = self[use].addingSaturated(count)
  }

  /// Adds all of another count.
  public mutating func add(_ other: UseCounts) {
    for use in AddressUse.allCases { add(other[use], use) }
  }

  /// All addresses.
  public var total: UInt128 { numbers.reduce(0) { $0.addingSaturated($1) } }

  /// The addresses that somebody has.
  public var inUse: UInt128 { self[.used].addingSaturated(self[.borrowed]) }

  /// What a network with these addresses is drawn as: what is seldom and worth a look comes before what is common.
  public var summary: AddressUse {
    let first = [AddressUse.unreadable, .borrowed, .used, .cooling, .affine].first { self[$0] > 0 }
    return first ?? (self[.free] == 0 && self[.reserved] > 0 ? .reserved : .free)
  }

  /// How full a network with these addresses is, in steps.
  ///
  /// - Parameter steps: the step of a network of which every address is in use.
  /// - Returns: 0 when none is in use; else at least 1, and `steps` only when all are.
  public func level(of steps: Int) -> Int {
    let (inUse, total) = (inUse, total)
    if inUse == 0 { return 0 }
    if inUse >= total { return steps }
    // As floating point, because the product of two large numbers has more than 128 bits.
    let level = Int((Double(inUse) / Double(total) * Double(steps)).rounded(.up))
    return min(max(level, 1), steps - 1)
  }
}

extension UInt128 {
  func addingSaturated(_ other: UInt128) -> UInt128 {
    let (sum, overflow) = addingReportingOverflow(other)
    return overflow ? .max : sum
  }
}
