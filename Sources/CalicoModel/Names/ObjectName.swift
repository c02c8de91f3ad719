public import IPAddressing

/// The names of objects in Kubernetes, which people see on every datastore (Calico IPAM specification, section 1.4).
public enum ObjectName {
  /// The longest name that an affinity is given unshortened, and the length of every shortened one, in bytes.
  private static let longestAffinity = 252
  /// Hexadecimal digits of the hash at the end of a shortened name.
  private static let hashDigits = 11
  /// The longest name that the server takes, in bytes.
  private static let longest = 253

  /// The name of a network: its text with dashes for dots, colons and the slash.
  public static func of(_ cidr: CIDR) -> String {
    String(decoding: cidr.description.utf8.map { isSeparator($0) ? UInt8(ascii: "-") : $0 }, as: UTF8.self)
  }

  private static func isSeparator(_ byte: UInt8) -> Bool {
    byte == UInt8(ascii: ".") || byte == UInt8(ascii: ":") || byte == UInt8(ascii: "/")
  }

  /// The network that a name stands for; nil when it is no network's name.
  public static func network(_ name: String) -> CIDR? {
    guard let dash = name.utf8.lastIndex(of: UInt8(ascii: "-")) else { return nil }
    let address = name[..<dash]
    // Four groups are too few for an IPv6 address without `::`, which is an empty group.
    let groups = address.utf8.split(separator: UInt8(ascii: "-"), omittingEmptySubsequences: false)
    let isV4 = groups.count == 4 && groups.allSatisfy { !$0.isEmpty }
    let separator: Character = isV4 ? "." : ":"
    let text = String(address.map { $0 == "-" ? separator : $0 })
    guard let cidr = CIDR(text + "/" + name[name.utf8.index(after: dash)...]), !cidr.hasHostBits, of(cidr) == name
    else { return nil }
    return cidr
  }

  /// The name of an owner's affinity to a block. A virtual owner's and a node's of the same name are the same.
  public static func ofAffinity(_ owner: String, _ cidr: CIDR) -> String {
    let network = of(cidr)
    let name = owner + "-" + network
    guard name.utf8.count > longestAffinity else { return name }
    let hash = SHA256.hash((owner + "+" + network).utf8).prefix(hashDigits / 2 + 1)
    let digits = hash.map { String($0 >> 4, radix: 16) + String($0 & 15, radix: 16) }.joined().prefix(hashDigits)
    let room = longestAffinity - network.utf8.count - 2 - hashDigits
    let beginning = String(decoding: owner.utf8.prefix(max(0, room)), as: UTF8.self)
    return beginning + "-" + network + "-" + digits
  }

  /// The name of a handle, which keeps its own spelling in the object.
  public static func ofHandle(_ identifier: String) -> String { identifier.lowercased() }

  /// Whether the server takes a name: a DNS subdomain (RFC 1123) in lower case.
  public static func isValid(_ name: String) -> Bool {
    guard (1...longest).contains(name.utf8.count) else { return false }
    return name.utf8.split(separator: UInt8(ascii: "."), omittingEmptySubsequences: false).allSatisfy { label in
      guard let first = label.first, let last = label.last else { return false }
      return isAlphanumeric(first) && isAlphanumeric(last)
        && label.allSatisfy { isAlphanumeric($0) || $0 == UInt8(ascii: "-") }
    }
  }

  private static func isAlphanumeric(_ byte: UInt8) -> Bool {
    (UInt8(ascii: "a")...UInt8(ascii: "z")).contains(byte) || (UInt8(ascii: "0")...UInt8(ascii: "9")).contains(byte)
  }
}

extension Key {
  /// The name of the entry's object; nil for an entry that has none.
  public var objectName: String? {
    switch self {
    case .block(let cidr): ObjectName.of(cidr)
    case .affinity(let owner, let cidr): ObjectName.ofAffinity(owner.name, cidr)
    case .handle(let identifier): ObjectName.ofHandle(identifier)
    case .configuration: "default"
    case .host: nil
    case .resource(_, let name): name
    }
  }
}
