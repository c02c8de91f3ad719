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
    let path = BootLedger.ledgerPath(dataDirectory: dataDirectory, network: network)
    guard boot.isKnown, let ledger = TableFile.open(path), ledger.header.boot.machine == boot.machine,
      ledger.header.boot.boot != boot.boot
    else {
      evidence = nil
      return
    }
    evidence = ledger
  }

  /// Whether the file of this address is the one that was recorded then.
  func prove(_ address: IPAddress, _ status: stat) -> Bool {
    guard let record = evidence?.record(of: address) else { return false }
    return record.describes(status)
  }
}
