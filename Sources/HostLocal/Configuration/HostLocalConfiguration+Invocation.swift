import CNI
import JSON

extension HostLocalConfiguration {
  /// What each verb needs of the configuration, and no more: GC has to work when the ranges come by capability, and only
  /// ADD has to know which networks a node has; a DEL or GC must not depend on whether the API server can be reached.
  ///
  /// - Parameters:
  ///   - invocation: the call.
  ///   - source: who knows the node's networks, by the directory in which reservations are kept.
  /// - Throws: ``HostLocalError``.
  init(
    _ invocation: CNIInvocation, _ source: (_ dataDirectory: String) -> PodRangeSource
  ) throws(HostLocalError) {
    var configuration = invocation.configuration
    if let placeholders = PodRangePlaceholders(configuration.document) {
      let neutral = configuration.replacing(try placeholders.neutralized())
      configuration = neutral
      let directory = try HostLocalConfiguration(forCollection: neutral).dataDirectory
      let document = invocation.configuration.document
      switch invocation.verb {
      case .add:
        let ranges = try source(directory).ranges(document)
        configuration = neutral.replacing(
          try placeholders.resolved { (family) throws(HostLocalError) in try ranges.subnet(family) })
      case .status:
        // Whether a range is full can only be told when it is known.
        if let ranges = source(directory).known(document) {
          configuration = neutral.replacing(
            try placeholders.resolved { (family) throws(HostLocalError) in try ranges.subnet(family) })
        }
      case .del, .check, .gc, .version: break
      }
    }
    switch invocation.verb {
    case .add, .del, .check, .version: try self.init(configuration, arguments: invocation.arguments)
    case .gc: try self.init(forCollection: configuration)
    case .status: try self.init(forStatus: configuration)
    }
  }
}
