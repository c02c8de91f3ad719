import IPAM

extension ReservationContent {
  /// Whom a reservation belongs to, in text that names something.
  public struct Holder: Hashable, Sendable {
    public let containerID: String
    /// Nil in the old format.
    public let interfaceName: String?
  }

  /// The holder; nil when the content is not what a plugin writes, and so can be no part of a handle.
  public var holder: Holder? {
    switch self {
    case .attachment(let containerID, let interfaceName):
      guard Attachment.isValid(containerID: containerID) else { return nil }
      return Holder(
        containerID: String(decoding: containerID, as: UTF8.self),
        interfaceName: String(decoding: interfaceName, as: UTF8.self))
    case .container(let containerID):
      guard Attachment.isValid(containerID: containerID) else { return nil }
      return Holder(containerID: String(decoding: containerID, as: UTF8.self), interfaceName: nil)
    case .damaged: return nil
    }
  }
}
