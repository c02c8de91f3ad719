import JSON

/// One thing that the agent can be told: how it is called, what it may be, and where it goes.
///
/// Files, environment and command line are all read by the one table of these, ``all``.
struct Setting: Sendable {
  /// Under which heading a setting is explained.
  enum Section: String, CaseIterable, Sendable {
    case agent = "Agent"
    case datastore = "Datastore"
    case routes = "Routes"
    case tunnels = "Tunnels"
    case coexistence = "Living with others"
  }

  /// What is written on the command line.
  enum Form: Hashable, Sendable {
    /// The flag alone, or with `--no-` for the opposite.
    case toggle
    /// The flag and a value, which help calls so.
    case value(String)
  }

  /// A value as it was given.
  enum Given: Sendable {
    /// On the command line or in the environment, where all is text.
    case text(String)
    /// In a file.
    case json(JSON)
  }

  /// Why a value cannot be used: what was expected.
  struct Problem: Error, Hashable {
    let message: String

    init(_ message: String) { self.message = message }

    /// What there should be instead of what is there.
    static func expected(_ what: String, _ given: Given) -> Problem {
      switch given {
      case .text(let text): Problem("'\(text)' is not \(what)")
      case .json(.string(let text)): Problem("\"\(text)\" is not \(what)")
      case .json(.number(let number)): Problem("\(number.literal) is not \(what)")
      case .json(.bool(let value)): Problem("\(value) is not \(what)")
      case .json(let value): Problem("\(String(decoding: value.encoded(), as: UTF8.self)) is not \(what)")
      }
    }
  }

  let name: SettingName
  let section: Section
  let form: Form
  /// One sentence or two, without the default.
  let help: String
  /// Takes a value over.
  let take: @Sendable (Given, inout AgentConfiguration) throws(Problem) -> Void
  /// The value as a file would have it.
  let value: @Sendable (AgentConfiguration) -> JSON
  /// The variable by which Calico's programs are told the same (front-end specification, section 7.1); nil for none. It
  /// counts where nothing of the agent's own says otherwise.
  var calicoVariable: String?
  /// Whether the value is nobody's business.
  var isSecret = false
}

extension Setting {
  /// The value as people read it: a text without quotes, a list with commas; `-` for nothing.
  func text(_ configuration: AgentConfiguration) -> String {
    switch value(configuration) {
    case .string(let text): text.isEmpty ? "-" : isSecret ? "(not shown)" : text
    case .array(let elements) where elements.isEmpty: "-"
    case .array(let elements): elements.compactMap(\.stringValue).joined(separator: ",")
    case let value: String(decoding: value.encoded(), as: UTF8.self)
    }
  }

  /// What holds when nothing is said.
  var defaultText: String { text(AgentConfiguration()) }
}
