import CalicoBackend
import CalicoModel
import Datastore
import IPAddressing
import JSON

/// Splits a pool (calicoctl specification, section 3.5).
///
/// Everything that can be known beforehand is looked at before anything is written. What is cut off after that is gone on
/// with by splitting the pool again in the same way.
struct PoolSplit {
  /// Why a pool was not split, in the words that are printed.
  struct Failure: Error, CustomStringConvertible {
    let description: String

    init(_ description: String) { self.description = description }
  }

  /// What was done.
  struct Report {
    var name: String
    var parts: [Resource]
  }

  private let session: Session
  private let client: ResourceClient

  init(_ session: Session) {
    self.session = session
    client = session.resources
  }

  /// Splits the pool of a name, or that of a network where there is no name.
  func split(name: String?, cidr: String?, into number: Int) async throws(Failure) -> Report {
    let pool = try await find(name: name, cidr: cidr)
    let parts: [Resource]
    do { parts = try PoolParts(of: pool, number: number).pools } catch { throw Failure(error.description) }
    for part in parts {
      do { try part.validate() } catch {
        throw Failure("error using unsafe create to make split pool with cidr \(Self.cidr(of: part)): \(error)")
      }
    }
    let present = try await present(parts)
    do {
      try await client.edit(.ipPool, pool.name, attempts: ResourceClient.attempts) { PoolParts.retired($0) }
    } catch {
      throw Failure("error disabling IP pool \(pool.name): \(error.advised)")
    }
    for part in parts where !present.contains(part.name) {
      do {
        _ = try await client.createOverlapping(part)
      } catch {
        throw Failure(
          "error using unsafe create to make split pool with cidr \(Self.cidr(of: part)): \(error.advised)\n"
            + "\(pool.name) is disabled, and the pools before this one are there; the same command goes on from here")
      }
    }
    do {
      try await remove(pool.name)
    } catch {
      throw Failure("error removing the IP pool that was split \(pool.name): \(error.advised)")
    }
    return Report(name: pool.name, parts: parts)
  }

  private func find(name: String?, cidr: String?) async throws(Failure) -> Resource {
    if let name {
      do { return try await client.get(.ipPool, name) } catch {
        let meant = await ResourceReading(session).name(like: name, .ipPool)
        throw Failure(
          "unable to find IP pool with name \(name): \(error.advised)" + (meant.map { "\ndid you mean '\($0)'?" } ?? "")
        )
      }
    }
    let wanted = cidr ?? ""
    let pools: [Resource]
    do { pools = try await client.list(.ipPool).items } catch {
      throw Failure("unable to list IP pools to find the pool specified by \(wanted): \(error.advised)")
    }
    // One network may be written in several ways.
    let network = CIDR(wanted)?.canonical
    let found = pools.first { pool in
      let text = Self.cidr(of: pool)
      return text == wanted || network != nil && CIDR(text)?.canonical == network
    }
    guard let found else { throw Failure("unable to find IP pool  covering the specified CIDR \(wanted)") }
    return found
  }

  /// The parts that an earlier attempt has made. Other pools of these names are in the way.
  private func present(_ parts: [Resource]) async throws(Failure) -> Set<String> {
    let pools: [Resource]
    do { pools = try await client.list(.ipPool).items } catch {
      throw Failure("unable to list IP pools to find those in the way: \(error.advised)")
    }
    let cidrs = Dictionary(pools.map { ($0.name, Self.cidr(of: $0)) }) { first, _ in first }
    var present: Set<String> = []
    for part in parts {
      guard let cidr = cidrs[part.name] else { continue }
      guard cidr == Self.cidr(of: part) else {
        throw Failure(
          "error splitting the IP pool: there is an IP pool \(part.name) with CIDR \(cidr) already; delete it first")
      }
      present.insert(part.name)
    }
    return present
  }

  private func remove(_ name: String) async throws {
    for attempt in 1... {
      do {
        return try await client.deleteKeepingAffinities(try await client.get(.ipPool, name))
      } catch let error as ResourceError {
        // A controller may note in the pool what it thinks of it.
        guard case .updateConflict = error.code, attempt < ResourceClient.attempts else { throw error }
      }
    }
  }

  private static func cidr(of pool: Resource) -> String { pool.specification["cidr"]?.stringValue ?? "" }
}

extension PoolSplit.Report {
  /// What calicoctl says, with its line ends.
  var text: String {
    "IP Pool \(name) was successfully split into \(parts.count) smaller pools."
      + parts.map { "Created \($0.name) with CIDR \($0.specification["cidr"]?.stringValue ?? "").\n" }.joined()
      + "Please refer to the documentation for final steps."
  }
}
