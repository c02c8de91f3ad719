/// An operation of the Container Network Interface (CNI specification 1.1.0, section 4).
public enum CNIVerb: String, Hashable, Sendable {
  case add = "ADD"
  case del = "DEL"
  case check = "CHECK"
  case gc = "GC"
  case status = "STATUS"
  case version = "VERSION"

  /// Whether the verb speaks of one container's interface.
  var concernsAttachment: Bool { self == .add || self == .del || self == .check }
}
