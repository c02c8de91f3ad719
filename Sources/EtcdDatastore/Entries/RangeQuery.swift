import CalicoModel
import Datastore
import EtcdMessages

/// A range that is being read, in as many pages as it takes, all of them as of one revision.
struct RangeQuery {
  let range: EntryRange
  let contents: Listing.Contents
  /// The most entries that are wanted; nil for all.
  let limit: Int?

  private(set) var items: [ListResult.Item] = []
  private(set) var hasMore = false
  private(set) var isDone = false
  /// The revision that is read; 0 before the first page.
  private(set) var revision: Int64 = 0
  /// Where the next page begins.
  private var next: [UInt8]

  /// The most entries of one page, so that what an answer brings is bounded. A whole pool's keys fit into one. Who limits
  /// a listing knows how large its entries are: pages are as large as that allows, because etcd counts all that follows
  /// for each of them.
  private var pageSize: Int {
    switch contents {
    case .keys: 20_000
    case .values: limit == nil ? 500 : 10_000
    }
  }

  init(_ range: EntryRange, _ contents: Listing.Contents = .values, limit: Int? = nil) {
    self.range = range
    self.contents = contents
    self.limit = limit
    next = range.lower
    isDone = range.isEmpty
  }

  init(_ read: Read) {
    switch read {
    case .entry(let key): self.init(EntryRange(key))
    case .list(let listing): self.init(EntryRange(PathRange(listing)), listing.contents, limit: listing.limit)
    }
  }

  /// Begins anew, because the revision that was read is gone.
  mutating func restart() {
    self = RangeQuery(range, contents, limit: limit)
  }

  /// The request for the next page.
  var request: Etcdserverpb_RangeRequest {
    var request = Etcdserverpb_RangeRequest()
    request.key = etcdBytes(next)
    request.rangeEnd = etcdBytes(range.upper)
    request.keysOnly = contents == .keys
    request.revision = revision
    if !range.upper.isEmpty {
      // One more than is wanted tells whether there is more.
      let wanted = limit.map { max(0, $0 - items.count) + 1 } ?? .max
      request.limit = Int64(min(wanted, pageSize))
    }
    return request
  }

  /// Takes in a page.
  mutating func take(_ page: Etcdserverpb_RangeResponse, revision: Int64) {
    if self.revision == 0 { self.revision = revision }
    for entry in page.kvs {
      guard let key = range.key(of: entry.key) else { continue }
      if let limit, items.count >= limit {
        hasMore = true
        isDone = true
        return
      }
      items.append(ListResult.Item(key: key, stored: contents == .values ? entry.stored : nil))
    }
    guard page.more, let last = page.kvs.last else {
      isDone = true
      return
    }
    next = last.key + [0]
  }

  /// What the read gave.
  func result(of read: Read) -> ReadResult {
    switch read {
    case .entry: .entry(items.first?.stored)
    case .list: .list(ListResult(items: items, hasMore: hasMore))
    }
  }
}
