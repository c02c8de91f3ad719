public import IPAddressing

/// The path under which etcd, and the SQLite file like it, keeps an entry (Calico IPAM specification, sections 1.6 to
/// 1.10 and 4).
public enum KeyPath {
  /// The path of an entry.
  public static func path(of key: Key) -> String {
    switch key {
    case .block(let cidr): blocks(cidr.address.family) + component(cidr)
    case .affinity(let owner, let cidr): affinities(of: owner, cidr.address.family) + component(cidr)
    case .handle(let identifier): handles + identifier
    case .configuration: "/calico/ipam/v2/config"
    case .host(let name): "/calico/ipam/v2/host/" + name
    case .resource(let kind, let name): resources(kind) + name
    }
  }

  /// What the paths of all blocks begin with, of one family or of both.
  public static func blocks(_ family: AddressFamily?) -> String {
    switch family {
    case .v4: "/calico/ipam/v2/assignment/ipv4/block/"
    case .v6: "/calico/ipam/v2/assignment/ipv6/block/"
    case nil: "/calico/ipam/v2/assignment/"
    }
  }

  /// What the paths of all affinities of one kind begin with.
  public static func affinities(_ kind: BlockOwner.Kind) -> String { "/calico/ipam/v2/" + kind.rawValue + "/" }

  /// What the paths of an owner's affinities begin with, of one family or of both.
  public static func affinities(of owner: BlockOwner, _ family: AddressFamily?) -> String {
    let all = affinities(owner.kind) + owner.name
    return switch family {
    case .v4: all + "/ipv4/block/"
    case .v6: all + "/ipv6/block/"
    case nil: all + "/"
    }
  }

  /// What the paths of all handles begin with.
  public static let handles = "/calico/ipam/v2/handle/"

  /// What the paths of all resources of a kind begin with.
  public static func resources(_ kind: ResourceKind) -> String {
    "/calico/resources/v3/projectcalico.org/" + kind.plural + "/"
  }

  private static func component(_ cidr: CIDR) -> String {
    let length = String(cidr.prefixLength)
    return cidr.address.description + "-" + length
  }

  /// The entry that a path names, or nil for a path that is none of these.
  ///
  /// A handle or resource with a `/` in its name is none: such an entry can be written but is never listed.
  public static func key(of path: String) -> Key? {
    if path == "/calico/ipam/v2/config" { return .configuration }
    // By bytes: as characters, a slash and a combining mark behind it are one.
    let parts = path.utf8.split(separator: UInt8(ascii: "/"), omittingEmptySubsequences: false).map { Substring($0) }
    guard parts.count >= 5, parts[0].isEmpty, parts[1] == "calico" else { return nil }
    switch (parts[2], parts[3]) {
    case ("ipam", "v2"): return ipamKey(parts[4...])
    case ("resources", "v3") where parts.count == 7 && parts[4] == "projectcalico.org":
      guard let kind = ResourceKind.allCases.first(where: { $0.plural == parts[5] }), !parts[6].isEmpty else {
        return nil
      }
      return .resource(kind, String(parts[6]))
    default: return nil
    }
  }

  private static func ipamKey(_ parts: ArraySlice<Substring>) -> Key? {
    let parts = Array(parts)
    switch parts.count {
    case 2 where parts[0] == "handle" && !parts[1].isEmpty: return .handle(String(parts[1]))
    case 2 where parts[0] == "host" && !parts[1].isEmpty: return .host(String(parts[1]))
    case 4 where parts[0] == "assignment" && parts[2] == "block":
      return cidr(parts[3], family: parts[1]).map { .block($0) }
    case 5 where parts[3] == "block":
      // `@` is a historic spelling of `host`.
      let kind = parts[0] == "@" ? .host : BlockOwner.Kind(rawValue: String(parts[0]))
      guard let kind, !parts[1].isEmpty, let cidr = cidr(parts[4], family: parts[2]) else { return nil }
      return .affinity(BlockOwner(kind, String(parts[1])), cidr)
    default: return nil
    }
  }

  private static func cidr(_ component: Substring, family: Substring) -> CIDR? {
    guard let dash = component.firstIndex(of: "-"),
      let cidr = CIDR(component[..<dash] + "/" + component[component.index(after: dash)...]),
      // A network has one path only; an entry under another could be listed, but not read or written by its key.
      self.component(cidr) == component, !cidr.hasHostBits, family == (cidr.address.family == .v4 ? "ipv4" : "ipv6")
    else { return nil }
    return cidr
  }
}
