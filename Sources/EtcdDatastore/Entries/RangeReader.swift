import Datastore
import EtcdMessages

/// Reads ranges, as many as fit in one request, and what does not fit at the same time.
struct RangeReader: Sendable {
  let client: EtcdClient
  let deadline: Deadline

  /// The most operations of one transaction; a server takes 128 unless it was told otherwise.
  static let maximumOperations = 120
  /// How often a listing that is slower than the compaction of what it reads is begun anew.
  private static let maximumRestarts = 5

  init(_ client: EtcdClient, _ deadline: Deadline) {
    self.client = client
    self.deadline = deadline
  }

  /// Reads some ranges to their ends.
  ///
  /// - Parameters:
  ///   - queries: the ranges; each is consistent in itself.
  ///   - subject: what is read, for messages.
  /// - Returns: the cluster that answered; 0 when there was nothing to ask.
  /// - Throws: ``EtcdFailure``.
  func read(_ queries: inout [RangeQuery], for subject: String) async throws(EtcdFailure) -> UInt64 {
    var cluster: UInt64 = 0
    var restarts = 0
    while true {
      let open = queries.indices.filter { !queries[$0].isDone }
      if open.isEmpty { return cluster }
      do throws(EtcdFailure) {
        for page in try await pages(open.map { queries[$0].request }, subject) {
          cluster = page.cluster
          for (offset, answer) in page.answers.enumerated() {
            queries[open[page.first + offset]].take(answer, revision: page.revision)
          }
        }
      } catch {
        guard let status = error.status, EtcdRefusal(status) == .compacted, restarts < Self.maximumRestarts else {
          throw error
        }
        restarts += 1
        for index in open { queries[index].restart() }
      }
    }
  }

  /// The answers to some of the requests.
  private struct Page: Sendable {
    var first: Int
    var cluster: UInt64
    var revision: Int64
    var answers: [Etcdserverpb_RangeResponse]
  }

  private func pages(
    _ requests: [Etcdserverpb_RangeRequest], _ subject: String
  ) async throws(EtcdFailure) -> [Page] {
    if requests.count <= Self.maximumOperations { return [try await page(requests[...], subject)] }
    do {
      return try await withThrowingTaskGroup(of: Page.self) { group in
        for start in stride(from: 0, to: requests.count, by: Self.maximumOperations) {
          let part = requests[start..<min(start + Self.maximumOperations, requests.count)]
          group.addTask { try await page(part, subject) }
        }
        var pages: [Page] = []
        for try await page in group { pages.append(page) }
        return pages
      }
    } catch {
      throw error as? EtcdFailure
        ?? EtcdFailure(error: DatastoreError(.unavailable, "the reading was cancelled"), mayBeApplied: false)
    }
  }

  private func page(
    _ requests: ArraySlice<Etcdserverpb_RangeRequest>, _ subject: String
  ) async throws(EtcdFailure) -> Page {
    if let request = requests.first, requests.count == 1 {
      let answer: Etcdserverpb_RangeResponse = try await client.call(
        "/etcdserverpb.KV/Range", request, for: subject, .harmless, deadline)
      return Page(
        first: requests.startIndex, cluster: answer.header.clusterID, revision: answer.header.revision,
        answers: [answer])
    }
    var transaction = Etcdserverpb_TxnRequest()
    transaction.success = requests.map { request in
      var operation = Etcdserverpb_RequestOp()
      operation.requestRange = request
      return operation
    }
    let answer: Etcdserverpb_TxnResponse = try await client.call(
      "/etcdserverpb.KV/Txn", transaction, for: subject, .harmless, deadline)
    return Page(
      first: requests.startIndex, cluster: answer.header.clusterID, revision: answer.header.revision,
      answers: answer.responses.map(\.responseRange))
  }
}
