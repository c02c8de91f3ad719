import FileSystem
import IPAddressing

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What a network's ledger proves to be from an earlier boot of this machine, for looking at and not for changing.
struct EarlierBoots: ~Copyable {
  private var evidence: ReservationTable?

  init(dataDirectory: String, network: String, boot: BootIdentity = .current()) {
    evidence = TableFile.open(BootLedger.ledgerPath(dataDirectory: dataDirectory, network: network))
    if !isProof(in: boot) { evidence = nil }
  }

  private func isProof(in boot: BootIdentity) -> Bool {
    guard boot.isKnown, evidence != nil else { return false }
    return evidence?.boot().machine == boot.machine && evidence?.boot().boot != boot.boot
  }

  /// Whether the file of this address is the one that was recorded then.
  func prove(_ address: IPAddress, _ status: stat) -> Bool {
    guard let record = evidence?.record(of: address) else { return false }
    return record.describes(status)
  }
}
