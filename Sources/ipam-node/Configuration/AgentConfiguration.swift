import DatastoreSettings
import Logging
import Routing

/// Everything that the agent can be told. Every value has a default.
struct AgentConfiguration: Hashable, Sendable {
  var routing = RoutingConfiguration(nodeName: "")
  /// Where pools, blocks and nodes are.
  var datastore = DatastoreSettings()
  /// A fixed list of nodes that takes the datastore's place; empty for none.
  var nodesFile = ""
  /// Whether this node's tunnel addresses are allocated from pools, and written to its Node.
  var allocatesTunnelAddresses = true
  /// Seconds between looks for borrowed addresses in other nodes' blocks, give or take a fifth.
  var borrowedListingInterval = 300
  /// Where health, status and metrics are told; nil for nowhere.
  var listen: ListenAddress? = .standard
  var logLevel = Logger.Level.info
  var logFormat = LogFormat.text
}

/// How log lines look.
enum LogFormat: String, CaseIterable, Hashable, Sendable {
  /// For people: the time, the level, the message, and what it is about as `name=value`.
  case text
  /// For programs: one JSON object a line.
  case json
}
