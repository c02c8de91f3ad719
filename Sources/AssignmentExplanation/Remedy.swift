/// Something that would make an ADD succeed, or help towards it.
public struct Remedy: Hashable, Sendable {
  /// What to do, in a sentence without a full stop.
  public var text: String
  /// The command that does it, when there is one.
  public var command: String?

  init(_ text: String, command: String? = nil) {
    self.text = text
    self.command = command
  }
}
