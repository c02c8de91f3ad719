public import CalicoBackend
import CalicoEngine
public import Datastore
import JSON
import KubernetesClient

// Who uses addresses in a cluster: everything that there is, page by page.

extension KubernetesWorkloads {
  /// How many objects make a page: of pods, a megabyte or two.
  private static var objectsPerPage: Int { 500 }

  /// Hands over every pod.
  ///
  /// - Parameters:
  ///   - milliseconds: how long each page may take.
  ///   - body: takes a pod.
  /// - Throws: ``CalicoFailure`` when the server cannot be asked, or says what is no list.
  public func forEachPod(millisecondsPerPage milliseconds: UInt64, _ body: (PodUse) -> Void) async throws(CalicoFailure)
  {
    try await forEachItem("/api/v1/pods", milliseconds) { text throws(JSONError) in
      body(
        try text.withUnsafeBufferPointer { bytes throws(JSONError) in
          var reader = JSONReader(UnsafeRawBufferPointer(bytes))
          return try PodUse(from: &reader)
        })
    }
  }

  /// Hands over every service.
  public func forEachService(
    millisecondsPerPage milliseconds: UInt64, _ body: (ServiceUse) -> Void
  ) async throws(CalicoFailure) {
    try await forEachItem("/api/v1/services", milliseconds) { text throws(JSONError) in
      if let document = try JSON(parsing: text).objectValue { body(ServiceUse(document)) }
    }
  }

  /// A pod with its addresses as it is now.
  ///
  /// - Returns: the pod; nil when there is none.
  /// - Throws: ``CalicoFailure`` when the server cannot tell.
  public func use(ofPod name: String, namespace: String, deadline: Deadline) async throws(CalicoFailure) -> PodUse? {
    let path = ObjectPath.wholePod(name, namespace: namespace)
    let response = try await response(path, deadline: deadline)
    guard response.status == 200 else {
      let failure = Self.failure(response, path)
      guard failure.code == .doesNotExist else { throw failure }
      return nil
    }
    do throws(JSONError) {
      return try JSONReader.read(response.body) { reader throws(JSONError) in try PodUse(from: &reader) }
    } catch {
      throw CalicoFailure("the answer of the API server about pod \(namespace)/\(name) cannot be read: \(error)")
    }
  }

  /// Which services Calico's load-balancer controller cares for; nil when there is no such controller.
  ///
  /// - Throws: ``CalicoFailure`` when the server cannot tell.
  public func loadBalancerAssignment(deadline: Deadline) async throws(CalicoFailure) -> LoadBalancerAssignment? {
    for root in ["/apis/crd.projectcalico.org/v1", "/apis/projectcalico.org/v3"] {
      let path = ObjectPath.controllers(root)
      let response = try await response(path, deadline: deadline)
      if response.status == 404 { continue }
      guard response.status == 200 else { throw Self.failure(response, path) }
      // A document without the member has no such controller, whatever else is in it.
      let document = (try? JSON(parsing: response.body))?.objectValue
      let controllers = document?["spec"]?.objectValue?["controllers"]?.objectValue
      guard let controller = controllers?["loadBalancer"]?.objectValue else { return nil }
      return controller["assignIPs"]?.stringValue.flatMap { LoadBalancerAssignment(rawValue: $0) } ?? .allServices
    }
    return nil
  }

  // MARK: Objects

  /// Hands over every object of a collection. A server that can lists everything at once; of another one the next page is
  /// asked for while one is gone through.
  private func forEachItem(
    _ path: String, _ milliseconds: UInt64, _ body: (ArraySlice<UInt8>) throws(JSONError) -> Void
  ) async throws(CalicoFailure) {
    let isDone: Bool
    do {
      isDone = try await transport.forEachObject(of: path, silence: milliseconds) { try body($0) }
    } catch let error as KubernetesTransportError {
      throw CalicoFailure(error.description, details: error.advice)
    } catch {
      throw Self.unreadable(path, error)
    }
    if isDone { return }
    try await forEachPage(path, milliseconds) { page throws(JSONError) in
      try JSONReader.read(page) { reader throws(JSONError) in
        try reader.beginObject()
        while let key = try reader.nextKey() {
          guard key.is("items") else {
            try reader.skipValue()
            continue
          }
          if try reader.readNull() { continue }
          try reader.beginArray()
          while try reader.nextElement() { try body(page[try reader.skipValue()]) }
        }
      }
    }
  }

  private static func unreadable(_ path: String, _ error: any Error) -> CalicoFailure {
    CalicoFailure("the answer of the API server to GET \(path) cannot be read: \(error)")
  }

  // MARK: Pages

  private struct Page: Sendable {
    var text: [UInt8]
    var token: String
  }

  private func forEachPage(
    _ path: String, _ milliseconds: UInt64, _ body: ([UInt8]) throws(JSONError) -> Void
  ) async throws(CalicoFailure) {
    var current = try await page(path, after: "", milliseconds)
    while true {
      let page = current
      async let following = self.following(path, page, milliseconds)
      do throws(JSONError) { try body(page.text) } catch {
        throw Self.unreadable(path, error)
      }
      switch await following {
      case .success(nil): return
      case .success(let next?): current = next
      case .failure(let failure): throw failure
      }
    }
  }

  private func following(
    _ path: String, _ page: Page, _ milliseconds: UInt64
  ) async -> Result<Page?, CalicoFailure> {
    guard !page.token.isEmpty else { return .success(nil) }
    do throws(CalicoFailure) {
      return .success(try await self.page(path, after: page.token, milliseconds))
    } catch {
      return .failure(error)
    }
  }

  private func page(
    _ path: String, after token: String, _ milliseconds: UInt64
  ) async throws(CalicoFailure) -> Page {
    let resource = path.split(separator: "/").last.map(String.init) ?? path
    var target = ObjectPath.page(of: path, resource, limit: Self.objectsPerPage, after: token)
    var response = try await response(target, deadline: .after(milliseconds: milliseconds))
    if response.status == 410, let token = Self.laterToken(response.body) {
      // The server no longer knows the state that the list began with, and gives a token for the present one.
      target = .page(of: path, resource, limit: Self.objectsPerPage, after: token)
      response = try await self.response(target, deadline: .after(milliseconds: milliseconds))
    }
    guard response.status == 200 else { throw Self.failure(response, target) }
    do throws(JSONError) {
      return Page(text: response.body, token: try Self.token(of: response.body))
    } catch {
      throw Self.unreadable(path, error)
    }
  }

  /// The token in a refusal; nil when there is none.
  private static func laterToken(_ body: [UInt8]) -> String? {
    (try? JSON(parsing: body))?.objectValue?["metadata"]?.objectValue?["continue"]?.stringValue
  }

  /// The token with which a list goes on; empty at its end. It stands before the items, so that nothing else need be
  /// read.
  private static func token(of page: [UInt8]) throws(JSONError) -> String {
    try page.withUnsafeBufferPointer { bytes throws(JSONError) -> String in
      var reader = JSONReader(UnsafeRawBufferPointer(bytes))
      try reader.beginObject()
      while let key = try reader.nextKey() {
        guard key.is("metadata") else {
          try reader.skipValue()
          continue
        }
        var token = ""
        try reader.beginObject()
        while let key = try reader.nextKey() {
          if key.is("continue") { token = try reader.readString() } else { try reader.skipValue() }
        }
        return token
      }
      return ""
    }
  }
}
