import CalicoModel
public import Datastore
import KubernetesClient

extension KubernetesDatastore {
  /// Hands over every entry of a range in the server's order, half deleted ones as what they are; nothing is changed.
  ///
  /// A server that can lists everything at once; of another one the next page is asked for while one is gone through.
  public func scan(
    _ scope: Listing.Scope, millisecondsPerPage milliseconds: UInt64, _ body: (ScannedEntry) throws -> Void
  ) async throws {
    try requireSupport(of: scope.kind, "\(scope.kind)")
    let form = try await form(deadline: .after(milliseconds: milliseconds))
    let target = RequestTarget(verb: "list", kind: scope.objectKind, name: nil, group: form.group)
    let path = scope.objectKind.path(in: form.group)
    do {
      let query = ResourcePath.query(path, [("labelSelector", scope.selector)])
      let isDone = try await server.transport.forEachObject(of: query, silence: milliseconds) {
        try Self.takeEntry($0, scope, form, body)
      }
      if isDone { return }
    } catch let error as KubernetesTransportError {
      throw DatastoreError(.unavailable, error.description, advice: error.advice)
    }
    guard var page = try await page(of: path, scope.selector, after: nil, target, milliseconds) else {
      return try requireDefinition(of: scope, target)
    }
    while true {
      let current = page
      async let following = self.following(current, path, scope.selector, target, milliseconds)
      try Self.entries(of: current.text, scope, form, target, body)
      guard let next = try await following else { return }
      page = next
    }
  }

  /// A page of a collection, and how to go on.
  private struct Page: Sendable {
    var text: [UInt8]
    var token: String?
  }

  private func following(
    _ page: Page, _ path: String, _ selector: String?, _ target: RequestTarget, _ milliseconds: UInt64
  ) async throws(DatastoreError) -> Page? {
    guard let token = page.token else { return nil }
    return try await self.page(of: path, selector, after: token, target, milliseconds)
  }

  /// Reads a page.
  ///
  /// - Returns: the page; nil when there is no such collection.
  private func page(
    of path: String, _ selector: String?, after token: String?, _ target: RequestTarget, _ milliseconds: UInt64
  ) async throws(DatastoreError) -> Page? {
    var token = token
    var hasExpired = false
    while true {
      let query = ResourcePath.query(path, [("labelSelector", selector), ("limit", "500"), ("continue", token)])
      let answer = await server.read(
        KubernetesRequest(.get, query), target, deadline: .after(milliseconds: milliseconds))
      switch answer {
      case .done(let text): return Page(text: text, token: try Self.token(of: text, target))
      case .refused(let status) where status.code == 410 && !hasExpired && status.continueToken != nil:
        // The server no longer knows the state that the list began with, and gives a token to go on with the present one.
        token = status.continueToken
        hasExpired = true
      case .refused(let status) where status.code == 404:
        if !status.isStatus { forgetGroup(target.group) }
        return nil
      case .refused(let status): throw target.error(status)
      case .failed(let error), .lost(let error): throw error
      }
    }
  }

  /// The token with which a list goes on; nil at its end.
  private static func token(of page: [UInt8], _ target: RequestTarget) throws(DatastoreError) -> String? {
    do throws(ObjectError) {
      let token = try JSONMembers(page[...]).object("metadata").string("continue") ?? ""
      return token.isEmpty ? nil : token
    } catch {
      throw target.error(error)
    }
  }

  /// Hands over the entries of a page. What is no entry does not keep the others from being told.
  private static func entries(
    of page: [UInt8], _ scope: Listing.Scope, _ form: EntryForm, _ target: RequestTarget,
    _ body: (ScannedEntry) throws -> Void
  ) throws {
    let items: [ArraySlice<UInt8>]
    do throws(ObjectError) {
      items = try JSONMembers(page[...]).elements("items")
    } catch {
      throw target.error(error)
    }
    for text in items { try takeEntry(text, scope, form, body) }
  }

  /// Hands over an entry of a range, or what stands in the place of one.
  private static func takeEntry(
    _ text: ArraySlice<UInt8>, _ scope: Listing.Scope, _ form: EntryForm, _ body: (ScannedEntry) throws -> Void
  ) throws {
    let found: ScannedEntry?
    var name = ""
    do throws(ObjectError) {
      let object = try KubernetesObject(text)
      name = object.metadata.name
      found = try form.decode(object, scope).flatMap { entry in
        guard scope.contains(entry.key) else { return nil }
        return entry.isDeleted ? .halfDeleted(entry.key, entry.stored) : .entry(entry.key, entry.stored)
      }
    } catch {
      found = .unreadable(name: name, reason: error.field.isEmpty ? error.reason : "\(error.field): \(error.reason)")
    }
    if let found { try body(found) }
  }
}
