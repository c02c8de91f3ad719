import NIOCore
import NIOHPACK
import NIOHTTP2
import Testing

@testable import EtcdDatastore

@Suite("gRPC's framing and statuses")
struct TransportTests {
  @Test("messages are cut out of the bytes wherever frames end", arguments: 1...9)
  func frames(size: Int) throws {
    let messages: [[UInt8]] = [[1, 2, 3], [], Array(repeating: 7, count: 300)]
    var bytes = ByteBuffer()
    for message in messages {
      var frame = GRPCMessageDecoder.frame(message, ByteBufferAllocator())
      bytes.writeBuffer(&frame)
    }
    var decoder = GRPCMessageDecoder()
    var found: [[UInt8]] = []
    while bytes.readableBytes > 0, var part = bytes.readSlice(length: min(size, bytes.readableBytes)) {
      decoder.append(&part)
      while let message = try decoder.next() { found.append(Array(message.readableBytesView)) }
    }
    #expect(found == messages)
    #expect(!decoder.isMidway)
  }

  @Test("a compressed message is refused")
  func compressed() {
    var decoder = GRPCMessageDecoder()
    var bytes = ByteBuffer(bytes: [1, 0, 0, 0, 1, 9])
    decoder.append(&bytes)
    #expect(throws: GRPCMessageDecoder.Malformed.self) { try decoder.next() }
  }

  @Test(
    "the text of a status is percent-decoded, and left as it is where it is not encoded",
    arguments: [("a%20b", "a b"), ("%E6%BC%A2", "漢"), ("100%", "100%"), ("%zz", "%zz"), ("", "")])
  func texts(encoded: String, text: String) {
    #expect(GRPCStatus(code: "14", message: encoded) == GRPCStatus(.unavailable, text))
  }

  private func end(_ headers: [(String, String)], isLast: Bool = true) -> GRPCStatus? {
    var reader = GRPCAnswerReader()
    guard case .end(let status, _) = reader.read(.headers(.init(headers: HPACKHeaders(headers), endStream: isLast)))
    else { return nil }
    return status
  }

  @Test("an answer of trailers only, one of a proxy, and one that says nothing have a status")
  func ends() {
    #expect(
      end([(":status", "200"), ("grpc-status", "7"), ("grpc-message", "no")]) == GRPCStatus(.permissionDenied, "no"))
    #expect(end([(":status", "503")]) == GRPCStatus(.unavailable, "HTTP status 503"))
    #expect(end([(":status", "404")])?.code == .unimplemented)
    #expect(end([(":status", "200")]) == GRPCStatus(.unknown, "an answer without a status"))
    #expect(end([("grpc-status", "nonsense")])?.code == .unknown)
    #expect(end([(":status", "200")], isLast: false) == nil)
  }

  @Test("a time is told in at most eight digits")
  func timeouts() {
    #expect(GRPCRequest.timeout(0) == "1m")
    #expect(GRPCRequest.timeout(90_000) == "90000m")
    #expect(GRPCRequest.timeout(400_000_000) == "400000S")
  }

  @Test(
    "what etcd says is told apart by what may have been done",
    arguments: [
      (GRPCStatus(.unavailable, "etcdserver: request timed out"), EtcdRefusal.inDoubt),
      (GRPCStatus(.unavailable, "etcdserver: leader changed"), .inDoubt),
      (GRPCStatus(.unavailable, "etcdserver: server stopped"), .inDoubt),
      (GRPCStatus(.unavailable, "etcdserver: no leader"), .retryElsewhere),
      (GRPCStatus(.resourceExhausted, "etcdserver: too many requests"), .retryElsewhere),
      (GRPCStatus(.unknown, "raft proposal dropped"), .retryElsewhere),
      (GRPCStatus(.resourceExhausted, "etcdserver: mvcc: database space exceeded"), .full),
      (GRPCStatus(.unauthenticated, "etcdserver: invalid auth token"), .sessionLost),
      (GRPCStatus(.invalidArgument, "etcdserver: revision of auth store is old"), .sessionLost),
      (GRPCStatus(.permissionDenied, "etcdserver: permission denied"), .forbidden),
      (GRPCStatus(.invalidArgument, "etcdserver: request is too large"), .invalid),
      (GRPCStatus(.outOfRange, "etcdserver: mvcc: required revision has been compacted"), .compacted),
      (GRPCStatus(.dataLoss, "etcdserver: corrupt cluster"), .damaged),
    ])
  func refusals(status: GRPCStatus, refusal: EtcdRefusal) {
    #expect(EtcdRefusal(status) == refusal)
  }
}
