public import IPAM
import IPAddressing

extension HostLocalBackend {
  /// Releases every reservation that belongs to no attachment in `valid`, and logs each.
  ///
  /// An old-format reservation lives if any valid attachment has its container ID. Cursors, the lock, foreign files and
  /// files whose content names no container are left alone. A network without a directory has nothing to collect.
  ///
  /// - Throws: ``HostLocalError`` when the directory or its lock cannot be had.
  public func collect(keeping valid: Set<Attachment>) async throws {
    guard configuration.options.collects else { return }
    let path = configuration.networkDirectory
    guard var store = try ReservationStore.open(path, creating: false, surroundings: surroundings) else { return }
    var ledger = BootLedger(of: configuration, &store)
    let containers = Set(valid.map { Array($0.containerID.utf8) })
    var stale: [(address: IPAddress, owner: String)] = []
    try store.forEachReservation { address, content in
      guard let owner = Self.staleOwner(content, valid, containers) else { return }
      stale.append((address, owner))
    }
    for (address, owner) in stale.sorted(by: { $0.address < $1.address }) {
      guard store.remove(address) else { continue }
      ledger.forget(address)
      surroundings.log("GC released \(path)/\(address), which belonged to \(owner)")
    }
    store.finish()
  }

  /// Whom a reservation belongs to if that is nobody valid; nil when it lives, or is no reservation at all.
  private static func staleOwner(
    _ content: ReservationContent,
    _ valid: Set<Attachment>,
    _ containers: Set<[UInt8]>
  ) -> String? {
    switch content {
    case .damaged: return nil
    case .container(let id):
      guard Attachment.isValid(containerID: id), !containers.contains(id) else { return nil }
      return "container \(String(decoding: id, as: UTF8.self)) (old format, without an interface)"
    case .attachment(let id, let interface):
      guard Attachment.isValid(containerID: id) else { return nil }
      let attachment = Attachment(
        containerID: String(decoding: id, as: UTF8.self),
        interfaceName: InterfaceName(bytes: interface)
      )
      guard !valid.contains(attachment) else { return nil }
      return "container \(attachment.containerID), interface \(attachment.interfaceName)"
    }
  }
}
