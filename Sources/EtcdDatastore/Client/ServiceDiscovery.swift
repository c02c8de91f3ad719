import CLinux
import Datastore

/// Finds the members of a cluster by the SRV records of a domain (etcd's documentation, "DNS discovery").
enum ServiceDiscovery {
  /// The members, those with TLS before those without, each kind in the order in which they are to be tried.
  ///
  /// Name servers that are silent are given up after two seconds, or three when there are three of them.
  ///
  /// - Parameter domain: such as `example.com`, under which `_etcd-client-ssl._tcp` and `_etcd-client._tcp` lie.
  /// - Returns: at least one.
  /// - Throws: `DatastoreError` when there are no records, or nobody could be asked.
  static func endpoints(of domain: String) throws(DatastoreError) -> [EtcdEndpoint] {
    var endpoints: [EtcdEndpoint] = []
    var isUnreachable = false
    for (service, usesTLS) in [("_etcd-client-ssl._tcp.", true), ("_etcd-client._tcp.", false)] {
      var answer = [UInt8](repeating: 0, count: 16 * 1024)
      let length = clinux_resolve_services(service + domain, &answer, Int32(answer.count))
      if length < 0 { isUnreachable = true }
      // Who is silent will be so again, and has kept the caller waiting for seconds.
      if length == -2 { break }
      guard length > 0 else { continue }
      endpoints += ServiceRecord.all(in: Array(answer.prefix(Int(length)))).sorted().map {
        EtcdEndpoint(host: $0.target, port: Int($0.port), usesTLS: usesTLS)
      }
    }
    guard endpoints.isEmpty else { return endpoints }
    guard !isUnreachable else {
      throw DatastoreError(
        .unavailable, "cannot look up the etcd members of \(domain): no name server answers",
        advice: "see /etc/resolv.conf, or name the endpoints with ETCD_ENDPOINTS")
    }
    throw DatastoreError(
      .unusable, "the domain \(domain) has no SRV records of etcd members",
      advice: "add _etcd-client-ssl._tcp.\(domain), or name the endpoints with ETCD_ENDPOINTS")
  }
}

/// Where a service is to be had (RFC 2782).
struct ServiceRecord: Hashable, Comparable {
  var priority: UInt16
  var weight: UInt16
  var port: UInt16
  /// A name without the dot at its end.
  var target: String

  static func < (left: ServiceRecord, right: ServiceRecord) -> Bool {
    // Of equal priority the heavier first: a client of a few requests need not spread its load.
    (left.priority, right.weight, left.target, left.port) < (right.priority, left.weight, right.target, right.port)
  }

  /// The SRV records among the answers of a message (RFC 1035, section 4); as many as can be read.
  static func all(in message: [UInt8]) -> [ServiceRecord] {
    var reader = Reader(bytes: message)
    var records: [ServiceRecord] = []
    guard reader.skip(4), let questions = reader.number(), let answers = reader.number(), reader.skip(4) else {
      return []
    }
    for _ in 0..<questions {
      guard reader.name() != nil, reader.skip(4) else { return records }
    }
    for _ in 0..<answers {
      guard reader.name() != nil, let type = reader.number(), reader.skip(6), let length = reader.number() else {
        return records
      }
      let end = reader.position + Int(length)
      if type == 33, let priority = reader.number(), let weight = reader.number(), let port = reader.number(),
        let target = reader.name(), !target.isEmpty
      {
        records.append(ServiceRecord(priority: priority, weight: weight, port: port, target: target))
      }
      reader.position = end
    }
    return records
  }

  /// Reads a message; nothing is read beyond its end.
  private struct Reader {
    let bytes: [UInt8]
    var position = 0

    mutating func skip(_ count: Int) -> Bool {
      position += count
      return position <= bytes.count
    }

    mutating func number() -> UInt16? {
      guard position + 2 <= bytes.count else { return nil }
      defer { position += 2 }
      return UInt16(bytes[position]) << 8 | UInt16(bytes[position + 1])
    }

    /// A name, of which the rest may stand earlier in the message.
    mutating func name() -> String? {
      var labels: [String] = []
      var place = position
      var hasJumped = false
      // Each label takes a byte at least, so no name has more; pointers in a circle end here.
      for _ in 0..<128 {
        guard place < bytes.count else { return nil }
        let length = Int(bytes[place])
        if length >= 0xC0 {
          guard place + 1 < bytes.count else { return nil }
          if !hasJumped { position = place + 2 }
          hasJumped = true
          place = (length & 0x3F) << 8 | Int(bytes[place + 1])
        } else if length == 0 {
          if !hasJumped { position = place + 1 }
          return labels.joined(separator: ".")
        } else {
          guard length < 64, place + 1 + length <= bytes.count else { return nil }
          labels.append(String(decoding: bytes[(place + 1)...(place + length)], as: UTF8.self))
          place += 1 + length
        }
      }
      return nil
    }
  }
}
