import Datastore
import KubernetesClient
import Synchronization

/// Answers requests as a test says, without a server.
final class ScriptedTransport: KubernetesTransport {
  /// What a watch tells, one group of lines after the other; then it ends, is lost, or goes on without an end.
  struct Lines: Sendable {
    enum End: Sendable {
      case ends
      case isLost
      case waits
    }

    var groups: [[String]]
    var end: End

    init(_ groups: [[String]], _ end: End = .ends) {
      self.groups = groups
      self.end = end
    }
  }

  private struct State {
    var requests: [String] = []
    var streams: [Result<Lines, RefusedStream>] = []
  }

  struct RefusedStream: Error {
    var response: KubernetesResponse
  }

  private let answer: @Sendable (KubernetesRequest) -> KubernetesResponse
  private let state: Mutex<State>

  /// A transport.
  ///
  /// - Parameters:
  ///   - streams: what is answered to one watch after the other; the last one again and again.
  ///   - answer: what is answered to any other request.
  init(
    streams: [Result<Lines, RefusedStream>] = [], answer: @escaping @Sendable (KubernetesRequest) -> KubernetesResponse
  ) {
    self.answer = answer
    state = Mutex(State(streams: streams))
  }

  /// What was asked, as `GET /apis`.
  var requests: [String] { state.withLock { $0.requests } }

  private func note(_ request: KubernetesRequest) {
    state.withLock { $0.requests.append("\(request.method.rawValue) \(request.path)") }
  }

  func send(
    _ request: KubernetesRequest, deadline: Deadline
  ) async throws(KubernetesTransportError) -> KubernetesResponse {
    note(request)
    return answer(request)
  }

  func stream(
    _ request: KubernetesRequest, by unit: KubernetesStream.Unit, idleTimeout: Duration
  ) async throws(KubernetesTransportError) -> KubernetesStream {
    note(request)
    let next = state.withLock { state in
      state.streams.count > 1 ? state.streams.removeFirst() : state.streams.first
    }
    switch next {
    case .failure(let refused): return .refused(refused.response)
    case .success(let lines):
      let rest = Mutex(lines.groups)
      let end = lines.end
      return .accepted { () async throws(KubernetesTransportError) -> [[UInt8]]? in
        let group = rest.withLock { $0.isEmpty ? nil : $0.removeFirst() }
        if let group { return group.map { Array($0.utf8) } }
        switch end {
        case .ends: return nil
        case .isLost: throw KubernetesTransportError(.lost, "the connection ended")
        case .waits:
          try? await Task.sleep(for: .seconds(3600))
          return nil
        }
      }
    case nil: throw KubernetesTransportError(.unreachable, "no connection", advice: "plug it in")
    }
  }
}

extension KubernetesResponse {
  /// An answer of 200.
  static func ok(_ text: String) -> KubernetesResponse {
    KubernetesResponse(status: 200, body: Array(text.utf8))
  }
}

/// Texts of handles, which have the least members.
enum HandleText {
  static func object(_ name: String, version: Int, count: Int = 1, isDeleted: Bool = false) -> String {
    #"{"metadata":{"name":"\#(name)","uid":"u-\#(name)","resourceVersion":"\#(version)"},"spec":{"handleID":"\#(name)","#
      + #""block":{"10.65.0.0/26":\#(count)},"deleted":\#(isDeleted)}}"#
  }

  static func list(_ objects: [String], version: Int, next: String = "") -> String {
    #"{"kind":"IPAMHandleList","metadata":{"resourceVersion":"\#(version)","continue":"\#(next)"},"items":["#
      + objects.joined(separator: ",") + "]}"
  }

  static func event(_ type: String, _ object: String) -> String { #"{"type":"\#(type)","object":\#(object)}"# }

  static func bookmark(_ version: Int) -> String {
    event("BOOKMARK", #"{"metadata":{"resourceVersion":"\#(version)"}}"#)
  }

  static func error(_ code: Int, _ reason: String) -> String {
    event("ERROR", #"{"kind":"Status","code":\#(code),"reason":"\#(reason)","message":"too old"}"#)
  }
}
