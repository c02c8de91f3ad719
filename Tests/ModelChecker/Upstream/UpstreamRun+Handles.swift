import CalicoModel
import Datastore
import IPAddressing

// Calico IPAM specification, section 3.8.

extension UpstreamRun {
  mutating func incrementHandle(_ name: String, _ cidr: CIDR, by number: Int) throws(UpstreamHalt) {
    for _ in 0..<Self.retries {
      var handle = IPAMHandle()
      var revision: Revision?
      do throws(UpstreamHalt) {
        let entry = try get(.handle(name))
        if case .handle(let stored) = entry.value { handle = stored }
        revision = entry.revision
      } catch {
        guard error.isFailure(.doesNotExist) else { throw error }
      }
      handle.increment(cidr, by: number)
      do throws(UpstreamHalt) {
        if let revision {
          _ = try update(.handle(name), .handle(handle), revision)
        } else {
          _ = try create(.handle(name), .handle(handle))
        }
        return
      } catch {
        guard error.isFailure else { throw error }
      }
    }
    throw .failed(.other("Max retries hit"))
  }

  /// The first attempt uses what is cached instead of reading.
  mutating func decrementHandle(
    _ name: String, _ cidr: CIDR, by number: Int, cached: UpstreamEntry? = nil
  ) throws(UpstreamHalt) {
    var cached = cached
    for _ in 0..<Self.retries {
      let entry: UpstreamEntry
      if let cached { entry = cached } else { entry = try get(.handle(name)) }
      cached = nil
      guard case .handle(var handle) = entry.value, handle.decrement(cidr, by: number) else {
        throw .failed(.other("Tried to decrement block \(cidr) by \(number)"))
      }
      do throws(UpstreamHalt) {
        if handle.isEmpty {
          try delete(.handle(name), entry.revision)
        } else {
          _ = try update(.handle(name), .handle(handle), entry.revision)
        }
        return
      } catch {
        if error.isFailure(.updateConflict) { continue }
        if handle.isEmpty, error.isFailure(.doesNotExist) { return }
        throw error
      }
    }
    throw .failed(.other("Max retries hit"))
  }

  /// Failures are only logged.
  mutating func decrementHandleQuietly(
    _ name: String, _ cidr: CIDR, by number: Int, cached: UpstreamEntry? = nil
  ) throws(UpstreamHalt) {
    do throws(UpstreamHalt) {
      try decrementHandle(name, cidr, by: number, cached: cached)
    } catch {
      guard error.isFailure else { throw error }
    }
  }
}
