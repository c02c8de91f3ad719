extension NetlinkKernel {
  /// A descriptor that is readable when ``events()`` has something to tell, for poll(2) and the like. Do not read from
  /// it.
  public var eventDescriptor: CInt { listener.descriptor }

  /// What happened since, in order and without waiting; changes of this process itself are left out.
  ///
  /// A storm of events is told in several parts: the descriptor stays readable while there is more.
  ///
  /// - Returns: the events. Where some were lost or made no sense, ``KernelEvent/overflow`` is among them, once.
  /// - Throws: ``NetlinkError/Code/unusable``.
  public func events() throws(NetlinkError) -> [KernelEvent] {
    var events: [KernelEvent] = []
    var hasLost = false
    for _ in 0..<Self.eventsAtOnce {
      switch try listener.receive(wait: false, "read the kernel's events") {
      case .nothing:
        return events
      case .datagram(let datagram) where take(datagram, &events):
        continue
      case .datagram, .overflow:
        statistics.overflows += 1
        if !hasLost { events.append(.overflow) }
        hasLost = true
      }
    }
    return events
  }

  /// Takes the events of one datagram; false if some of them cannot be read.
  private func take(_ datagram: ByteView, _ events: inout [KernelEvent]) -> Bool {
    do {
      try datagram.forEachMessage { message throws(MalformedMessage) in
        if let event = try KernelEvent(message: message) {
          events.append(event)
          statistics.events += 1
        }
        return true
      }
      return true
    } catch {
      return false
    }
  }

  private static let eventsAtOnce = 8192
}
