public import Datastore
import EtcdMessages

extension EtcdDatastore {
  /// Hands over what the cluster holds below a path, in the order of the paths, whatever it is: what others keep beside
  /// the entries of address management.
  ///
  /// - Parameters:
  ///   - prefix: the beginning of the paths, with a slash at its end.
  ///   - milliseconds: how long a page may take.
  ///   - body: takes the rest of a path behind the prefix, and the value. A path that is no text is passed over.
  /// - Throws: `DatastoreError`.
  public func forEachValue(
    below prefix: String, millisecondsPerPage milliseconds: UInt64, _ body: (_ name: String, _ value: [UInt8]) -> Void
  ) async throws(DatastoreError) {
    let lower = Array(prefix.utf8)
    var request = Etcdserverpb_RangeRequest()
    request.key = etcdBytes(lower)
    // The byte after "/" is "0".
    request.rangeEnd = etcdBytes(lower.dropLast() + [UInt8(ascii: "0")])
    request.limit = 2000
    while true {
      let page: Etcdserverpb_RangeResponse
      do throws(EtcdFailure) {
        page = try await client.call(
          "/etcdserverpb.KV/Range", request, for: "read \(prefix)", .harmless, .after(milliseconds: milliseconds))
      } catch {
        throw error.error
      }
      for entry in page.kvs {
        guard let name = String(validating: entry.key.dropFirst(lower.count), as: UTF8.self) else { continue }
        body(name, Array(entry.value))
      }
      guard page.more, let last = page.kvs.last else { return }
      request.key = last.key + [0]
    }
  }
}
