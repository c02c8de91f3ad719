import CNI
import JSON
import Logging

/// Writes log lines to stderr, as people or as programs read them.
struct LineLogHandler: LogHandler {
  var metadata: Logger.Metadata = [:]
  var metadataProvider: Logger.MetadataProvider?
  var logLevel: Logger.Level
  private let format: LogFormat
  /// What the lines are about: the part of the agent.
  private let label: String
  private let now: @Sendable () -> String
  private let write: @Sendable (String) -> Void

  /// A handler.
  ///
  /// - Parameters:
  ///   - label: what the lines are about.
  ///   - format: how they look.
  ///   - level: what is worth a line.
  ///   - now: the time of day, in RFC 3339.
  ///   - write: takes a line without its end.
  init(
    label: String,
    format: LogFormat,
    level: Logger.Level,
    now: @escaping @Sendable () -> String = TimeOfDay.text,
    write: @escaping @Sendable (String) -> Void = { CNIStreams.ofProcess.log($0) }
  ) {
    self.label = label
    self.format = format
    self.logLevel = level
    self.now = now
    self.write = write
  }

  subscript(metadataKey key: String) -> Logger.Metadata.Value? {
    get { metadata[key] }
    set { metadata[key] = newValue }
  }

  func log(event: LogEvent) {
    var facts = metadata
    facts.merge(metadataProvider?.get() ?? [:]) { _, later in later }
    facts.merge(event.metadata ?? [:]) { _, later in later }
    if let error = event.error { facts["error"] = .string("\(error)") }
    let sorted = facts.sorted { $0.key < $1.key }
    switch format {
    case .text: write(textLine(event, sorted))
    case .json: write(jsonLine(event, sorted))
    }
  }

  private func textLine(_ event: LogEvent, _ facts: [(key: String, value: Logger.Metadata.Value)]) -> String {
    var line = "\(now()) \(event.level) \(label): \(LogText.printable(event.message.description))"
    for fact in facts { line += " \(fact.key)=\(LogText.quoted(fact.value.description))" }
    return line
  }

  private func jsonLine(_ event: LogEvent, _ facts: [(key: String, value: Logger.Metadata.Value)]) -> String {
    var object = JSONObject([
      JSONObject.Member(key: "time", value: .string(now())),
      JSONObject.Member(key: "level", value: .string(event.level.rawValue)),
      JSONObject.Member(key: "part", value: .string(label)),
      JSONObject.Member(key: "message", value: .string(event.message.description)),
    ])
    for fact in facts where object[fact.key] == nil { object[fact.key] = LogText.json(fact.value) }
    return String(decoding: JSON.object(object).encoded(), as: UTF8.self)
  }
}
