#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// Which machine this is, and which of its boots.
public struct BootIdentity: Hashable, Sendable {
  /// `/etc/machine-id`; 0 when the machine has none.
  public var machine: UInt128
  /// `/proc/sys/kernel/random/boot_id`; 0 when it cannot be read.
  public var boot: UInt128

  public init(machine: UInt128, boot: UInt128) {
    self.machine = machine
    self.boot = boot
  }

  /// Where the two are read from.
  public struct Source: Hashable, Sendable {
    public var machinePath: String
    public var bootPath: String

    public init(
      machinePath: String = "/etc/machine-id",
      bootPath: String = "/proc/sys/kernel/random/boot_id"
    ) {
      self.machinePath = machinePath
      self.bootPath = bootPath
    }

    /// The boot alone; 0 when it cannot be read.
    public func boot() -> UInt128 { BootIdentity.read(bootPath) }
  }

  /// The identity of the running system.
  public static func current(_ source: Source = Source()) -> BootIdentity {
    BootIdentity(machine: read(source.machinePath), boot: source.boot())
  }

  /// Whether both are known, so that a later boot of the same machine can be told from this one.
  public var isKnown: Bool { machine != 0 && boot != 0 }

  /// The 128 bits of a file with 32 hexadecimal digits, dashes apart; 0 for anything else.
  private static func read(_ path: String) -> UInt128 {
    // A machine without an identity is nothing to report: it has no evidence, and so nothing is reclaimed.
    guard let bytes = try? File.contents(at: path) else { return 0 }
    var value: UInt128 = 0
    var digits = 0
    for byte in bytes {
      let digit: UInt8
      switch byte {
      case UInt8(ascii: "0")...UInt8(ascii: "9"): digit = byte - UInt8(ascii: "0")
      case UInt8(ascii: "a")...UInt8(ascii: "f"): digit = byte - UInt8(ascii: "a") + 10
      case UInt8(ascii: "-"), UInt8(ascii: "\n"): continue
      default: return 0
      }
      value = value << 4 | UInt128(digit)
      digits += 1
      if digits > 32 { return 0 }
    }
    return digits == 32 ? value : 0
  }
}
