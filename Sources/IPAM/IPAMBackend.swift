public import IPAddressing

/// A strategy for giving addresses to container attachments.
///
/// A backend serves one network, as configured when it was made. Every method may run at the same time as any method of
/// any other process on the same network: a backend never gives one address to two attachments.
public protocol IPAMBackend: Sendable {
  /// Gives addresses to an attachment: of every configured family, or none at all (CNI verb ADD).
  func assign(_ request: AssignmentRequest) async throws -> Assignment

  /// Takes back everything the attachment holds; succeeds when that is nothing (CNI verb DEL).
  func release(_ attachment: Attachment) async throws

  /// Throws when the attachment no longer holds an address, or one of those that the runtime believes it to hold (CNI
  /// verb CHECK). Nil stands for a runtime that says nothing of them.
  func check(_ attachment: Attachment, expecting addresses: [IPAddress]?) async throws

  /// Releases every attachment of this network that is not in `valid` (CNI verb GC).
  func collect(keeping valid: Set<Attachment>) async throws

  /// Throws when the configuration or the store is unusable (CNI verb STATUS). Creates nothing and takes no lock.
  func status() async throws
}

/// What an ADD asks for.
public struct AssignmentRequest: Hashable, Sendable {
  /// Who is to hold the addresses.
  public var attachment: Attachment
  /// Addresses to be taken, besides those that the backend's configuration asks for already. All of them or failure.
  public var addresses: [IPAddress]

  public init(_ attachment: Attachment, addresses: [IPAddress] = []) {
    self.attachment = attachment
    self.addresses = addresses
  }
}
