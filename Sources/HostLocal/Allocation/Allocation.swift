import FileSystem
import IPAM
import IPAddressing

/// The taking of one address from one range set.
struct Allocation {
  let set: RangeSet
  /// The set's position, which names its cursor.
  let index: Int
  let attachment: Attachment
  let options: HostLocalOptions
  /// What was taken and must be given back if the call as a whole fails.
  private(set) var taken: [IPAddress] = []

  init(set: RangeSet, index: Int, attachment: Attachment, options: HostLocalOptions) {
    self.set = set
    self.index = index
    self.attachment = attachment
    self.options = options
  }

  /// Takes the requested address, or a free one.
  mutating func perform(
    _ requested: IPAddress?,
    _ store: inout ReservationStore,
    _ ledger: inout BootLedger
  ) throws(HostLocalError) -> AssignedAddress {
    if options.isAddIdempotent, let held = try heldAddress(requested, &store) { return assigned(held) }
    if let requested { return try takeRequested(requested, &store, &ledger) }
    try refuseDuplicate(&store)
    if let former = ledger.formerAddress(of: attachment, in: set), !isGateway(former), try take(former, &store, &ledger)
    {
      return assigned(former)
    }
    // While there are others, addresses that containers may come back for after the reboot are left alone.
    if let address = try takeFree(&store, &ledger, sparingFormer: true) { return assigned(address) }
    if let address = try takeFree(&store, &ledger, sparingFormer: false) { return assigned(address) }
    throw exhausted(store)
  }

  private func isGateway(_ address: IPAddress) -> Bool { set.range(containing: address)?.gateway == address }

  /// The address of this set that the attachment holds already, and that would serve the request.
  private func heldAddress(
    _ requested: IPAddress?,
    _ store: inout ReservationStore
  ) throws(HostLocalError) -> IPAddress? {
    // Only a file that bears the address as its whole name keeps it from others.
    try store.holdings(of: attachment).lazy
      .filter { !$0.isOldFormat }
      .compactMap { StoreFile.address(named: $0.name) }
      .first { address in requested == nil ? set.contains(address) : address == requested }
  }

  private mutating func takeRequested(
    _ address: IPAddress,
    _ store: inout ReservationStore,
    _ ledger: inout BootLedger
  ) throws(HostLocalError) -> AssignedAddress {
    guard !isGateway(address) else {
      throw HostLocalError(.requestRefused, "requested ip \(address) is subnet's gateway")
    }
    guard try take(address, &store, &ledger) else {
      throw HostLocalError(.requestRefused, "requested IP address \(address) is not available in range set \(set)")
    }
    return assigned(address)
  }

  private func refuseDuplicate(_ store: inout ReservationStore) throws(HostLocalError) {
    let holdings = try store.holdings(of: attachment)
    guard let holding = holdings.first(where: { $0.address.map(set.contains) ?? false }), let held = holding.address
    else { return }
    let owner = holding.isOldFormat ? "the container, without an interface," : "interface \(attachment.interfaceName)"
    let file = "\(store.path)/\(String(decoding: holding.name, as: UTF8.self))"
    throw HostLocalError(
      .duplicate,
      "\(held) has been allocated to \(attachment.containerID), duplicate allocation is not allowed",
      details: "recorded for \(owner) in \(file); \(usage(store))"
    )
  }

  private mutating func takeFree(
    _ store: inout ReservationStore,
    _ ledger: inout BootLedger,
    sparingFormer: Bool
  ) throws(HostLocalError) -> IPAddress? {
    if !sparingFormer, !ledger.hasFormer { return nil }
    for stretch in CandidateWalk(set, after: store.cursor(ofSet: index)) {
      var rest: CandidateWalk.Stretch? = stretch
      while let current = rest {
        let candidate = current.firstCandidate { range in
          sparingFormer ? ledger.firstUnspoken(in: range, store) : store.firstFree(in: range)
        }
        guard let candidate else { break }
        if try take(candidate, &store, &ledger) { return candidate }
        rest = current.rest(after: candidate)
      }
    }
    return nil
  }

  /// Reserves an address and notes it as the last one; false when it is taken.
  private mutating func take(
    _ address: IPAddress,
    _ store: inout ReservationStore,
    _ ledger: inout BootLedger
  ) throws(HostLocalError) -> Bool {
    guard try store.reserve(address, for: attachment) else { return false }
    taken.append(address)
    try store.writeCursor(ofSet: index, address)
    ledger.record(address, store)
    return true
  }

  private func assigned(_ address: IPAddress) -> AssignedAddress {
    let range = set.range(containing: address)
    let prefixLength = range?.subnet.prefixLength ?? address.family.bitWidth
    // A subnet's prefix length fits its own family.
    return AssignedAddress(
      address: CIDR(address, prefixLength: prefixLength) ?? CIDR(host: address),
      gateway: range?.gateway
    )
  }

  private func exhausted(_ store: borrowing ReservationStore) -> HostLocalError {
    HostLocalError(
      .exhausted,
      "no IP addresses available in range set: \(set)",
      details: usage(store)
    )
  }

  /// `5 of 5 addresses of range set 0 are in use below /var/lib/cni/networks/web`.
  private func usage(_ store: borrowing ReservationStore) -> String {
    let used = store.countTaken(in: set)
    return "\(used) of \(set.capacity) addresses of range set \(index) are in use below \(store.path)"
  }
}
