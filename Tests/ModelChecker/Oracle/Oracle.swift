import CalicoModel
import Datastore
import IPAddressing

/// Knows what a store may hold, and looks at every write (Calico IPAM specification, section 6.1).
struct Oracle {
  /// Who writes, and what it may do.
  struct Writer {
    let process: Process
    /// The addresses it was asked to release.
    let options: [ReleaseOption]
    let start: Int
    let time: Timestamp
  }

  /// A moment of the history.
  struct Moment {
    var step: Int
    var time: Timestamp
    /// When the write was planned.
    var planned: Timestamp
    /// Whether the write's answer was given up before it was done.
    var isLate = false
  }

  var ledger = Ledger()
  private(set) var writers: [Int: Writer] = [:]
  /// The addresses of every block that exists.
  private(set) var slots: [CIDR: [Slot]] = [:]
  /// The owner of every block that exists; empty for none.
  private(set) var owners: [CIDR: String] = [:]
  /// When a block last ceased to have an owner.
  private var lost: [CIDR: [String: Int]] = [:]
  /// The last sequence number of every block that ever was.
  private var numbers: [CIDR: UInt64] = [:]
  /// How many addresses handles hold, by block.
  private(set) var held: [String: [CIDR: Int]] = [:]
  /// Addresses of which the recorded owner was replaced: who lost the answer of the assignment does not know its own
  /// any more, and leaves it to the handle.
  private(set) var rewritten: Set<IPAddress> = []
  /// The shortest cooldown that was ever configured.
  private var shortestCooldown: Int
  /// The latest time that anybody has read from the clock, which may be set back.
  private var latest = World.epoch

  init(_ world: World) {
    shortestCooldown = world.configuration.cooldownSeconds
  }

  /// Takes in that a process begins.
  mutating func begin(_ process: Process, _ options: [ReleaseOption], at moment: Moment) {
    latest = max(latest, moment.time)
    if case .setOwner = process.action { rewritten.formUnion(options.map(\.address)) }
    writers[process.id] = Writer(process: process, options: options, start: moment.step, time: moment.time)
  }

  /// Checks what one write, or one atomic commit, did.
  ///
  /// - Parameters:
  ///   - events: what was written, together.
  ///   - id: who wrote it.
  ///   - moment: when.
  ///   - store: what is there now.
  /// - Throws: ``Violation`` when it is not allowed.
  mutating func observe(
    _ events: [ModelStore.Event], by id: Int, at moment: Moment, in store: ModelStore
  ) throws(Violation) {
    guard let writer = writers[id] else { return }
    latest = max(latest, moment.time)
    var handles: Set<String> = []
    for event in events {
      switch event.key {
      case .block(let cidr):
        var old: IPAMBlock?
        var new: IPAMBlock?
        if case .block(let block)? = event.old { old = block }
        if case .block(let block)? = event.new { new = block }
        try observe(cidr, old, new, writer, moment, &handles)
      case .handle(let name): handles.insert(name)
      case .configuration:
        if case .configuration(let new)? = event.new { shortestCooldown = min(shortestCooldown, new.cooldownSeconds) }
      default: break
      }
    }
    for event in events {
      guard case .affinity(let owner, let cidr) = event.key, case .affinity(let affinity)? = event.new else { continue }
      try observe(affinity, of: owner, cidr, writer)
    }
    for handle in handles { try checkCounts(of: handle, in: store) }
  }

  private func observe(
    _ affinity: BlockAffinity, of owner: BlockOwner, _ cidr: CIDR, _ writer: Writer
  ) throws(Violation) {
    guard affinity.state == .confirmed, owners[cidr] != owner.description else { return }
    // The block may have been taken away while the confirmation was under way: a stale affinity gives no rights.
    if let lost = lost[cidr]?[owner.description], lost >= writer.start { return }
    throw Violation(.confirmation, "the affinity of \(owner) for \(cidr) is confirmed, and it never had the block")
  }

  private func checkCounts(of handle: String, in store: ModelStore) throws(Violation) {
    var counts: [CIDR: Int] = [:]
    if case .handle(let stored)? = store.value(.handle(handle)) { counts = stored.counts }
    for (cidr, number) in held[handle] ?? [:] where counts[cidr, default: 0] < number {
      throw Violation(.count, "\(handle) holds \(number) of \(cidr) and counts \(counts[cidr, default: 0])")
    }
  }

  // MARK: - Blocks

  private mutating func observe(
    _ cidr: CIDR, _ old: IPAMBlock?, _ new: IPAMBlock?, _ writer: Writer, _ moment: Moment,
    _ handles: inout Set<String>
  ) throws(Violation) {
    let before = slots[cidr] ?? []
    let after = new.map { Slot.slots(of: $0) } ?? before.map { _ in .free }
    try checkOwner(cidr, old, new)
    if let new {
      try checkNumber(cidr, old, new, moment)
      try checkAttributes(new)
    }
    for ordinal in after.indices {
      let (was, isNow) = (ordinal < before.count ? before[ordinal] : .free, after[ordinal])
      guard was != isNow, let address = cidr.address.advanced(by: UInt128(ordinal)) else { continue }
      try observe(
        Transition(address: address, block: cidr, old: old, new: new), from: was, to: isNow, writer, moment)
      for (slot, difference) in [(was, -1), (isNow, 1)] {
        guard case .used(let handle?, _) = slot else { continue }
        held[handle, default: [:]][cidr, default: 0] += difference
        handles.insert(handle)
      }
    }
    if let owner = owners[cidr], owner != new?.affinity { lost[cidr, default: [:]][owner] = moment.step }
    owners[cidr] = new?.affinity
    slots[cidr] = new == nil ? nil : after
    numbers[cidr] = new?.sequenceNumber ?? numbers[cidr]
  }

  private func checkOwner(_ cidr: CIDR, _ old: IPAMBlock?, _ new: IPAMBlock?) throws(Violation) {
    guard let old, let new, let owner = new.affinity, owner != old.affinity else { return }
    throw Violation(.affinity, "\(cidr) went from \(old.affinity ?? "nobody") to \(owner)")
  }

  private func checkNumber(
    _ cidr: CIDR, _ old: IPAMBlock?, _ new: IPAMBlock, _ moment: Moment
  ) throws(Violation) {
    guard let last = old?.sequenceNumber ?? numbers[cidr], new.sequenceNumber <= last else { return }
    // Clocks that run backwards are nobody's fault (I8), and a block may come and go between plan and write.
    if old == nil, moment.planned.nanoseconds <= Int64(last) { return }
    throw Violation(
      .sequence, "the sequence number of \(cidr) went from \(last) to \(new.sequenceNumber)")
  }

  /// The time by which a process decides.
  private func time(of writer: Writer, _ moment: Moment) -> Timestamp {
    writer.process.action.isUpstream ? max(latest, moment.time) : writer.time
  }

  private func checkAttributes(_ block: IPAMBlock) throws(Violation) {
    var isUsed = [Bool](repeating: false, count: block.attributes?.count ?? 0)
    for index in block.allocations where index >= 0 { isUsed[Int(index)] = true }
    guard isUsed.contains(false) else { return }
    throw Violation(.attributes, "\(block.cidr) has an attribute that no address refers to")
  }

  // MARK: - Addresses

  private struct Transition {
    let address: IPAddress
    let block: CIDR
    let old: IPAMBlock?
    let new: IPAMBlock?
  }

  private mutating func observe(
    _ change: Transition, from old: Slot, to new: Slot, _ writer: Writer, _ moment: Moment
  ) throws(Violation) {
    switch (old, new) {
    case (.free, .used(let handle, let number)): try assign(change, handle, number, writer, moment)
    case (.used(let handle, let number), .cooling), (.used(let handle, let number), .free):
      if new == .free, shortestCooldown > 0 {
        throw Violation(.cooldown, "\(change.address) is free at once")
      }
      try release(change, handle, number, writer, moment)
    case (.cooling(let since), .free):
      let time = time(of: writer, moment)
      guard shortestCooldown > 0, since >= time.advanced(bySeconds: -Int64(shortestCooldown)) else { return }
      throw Violation(.cooldown, "\(change.address) has cooled down since \(since) only, at \(time)")
    case (.cooling, .used(let handle, let number)):
      try observe(change, from: old, to: .free, writer, moment)
      try assign(change, handle, number, writer, moment)
    default:
      throw Violation(.owner, "\(change.address) went from \(old) to \(new)")
    }
  }

  private mutating func assign(
    _ change: Transition, _ handle: String?, _ number: UInt64?, _ writer: Writer, _ moment: Moment
  ) throws(Violation) {
    let process = writer.process
    guard process.action.assigns, process.action.handle == handle else {
      throw Violation(.owner, "\(process) gave \(change.address) to \(handle ?? "nobody")")
    }
    guard let number, let new = change.new, number < new.sequenceNumber, number >= change.old?.sequenceNumber ?? 0
    else {
      throw Violation(.number, "\(change.address) was given out with \(number.map(String.init) ?? "no number")")
    }
    let entry = LedgerEntry(
      address: change.address, block: change.block, handle: handle, number: number, process: process.id,
      step: moment.step, isLate: moment.isLate)
    guard ledger.add(entry) else {
      throw Violation(.number, "\(change.address) was given out with \(number) before")
    }
  }

  private mutating func release(
    _ change: Transition, _ handle: String?, _ number: UInt64?, _ writer: Writer, _ moment: Moment
  ) throws(Violation) {
    guard writer.mayRelease(change.address, handle, number) else {
      let rule: Violation.Rule = change.new == nil ? .deletion : .release
      throw Violation(
        rule,
        "\(writer.process) freed \(change.address) of \(handle ?? "nobody"), number \(number.map(String.init) ?? "none")"
      )
    }
    if let number, let place = ledger.place(change.address, number) { ledger.free(place, step: moment.step) }
  }
}

extension Oracle.Writer {
  /// Whether the process was asked to release an assignment (I10).
  func mayRelease(_ address: IPAddress, _ handle: String?, _ number: UInt64?) -> Bool {
    switch process.action {
    case .releaseByHandle(let handles): handle.map { handles.contains($0) } ?? false
    case .upstreamReleaseByHandle(let name): handle == name
    case .releaseAddresses, .upstreamReleaseAddresses, .releaseEverything:
      options.contains { option in
        option.address == address && (option.handleID == nil || option.handleID == handle ?? "")
          && (option.sequenceNumber == nil || option.sequenceNumber == number)
      }
    default: false
    }
  }
}
