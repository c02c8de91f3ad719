import ArgumentParser
import CalicoModel

/// `ipamctl validate`
struct ValidateCommand: ParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "validate",
    abstract: "Checks the resources of a file, without a datastore.",
    discussion: """
      What is found is what create, apply and replace would find, but for what needs the other resources: pools that \
      overlap, or changes of what cannot be changed.

      Exit status: 0 when all are as they should be, 1 otherwise.

      Example:
        ipamctl validate -f pools.yaml
      """
  )

  @OptionGroup var options: ResourceOptions

  func run() throws { try execute().deliver() }

  /// Reads the files, and checks.
  func execute() -> Transcript {
    guard let manifests = options.manifests else {
      return .failed("no resources specified; name the file with -f, or '-f -' for stdin")
    }
    let entries: [WrittenResource]
    do { entries = try manifests.entries() } catch { return .failed(error.description) }
    var report = ResourceReport(entries.map(\.resource))
    for entry in entries {
      report.check(entry) {
        if options.namespace != nil { throw ResourceRefusal.notNamespaced(entry.resource.kind.rawValue) }
        var resource = entry.resource
        if resource.kind == .ipPool { resource = try IPPoolRules.prepared(resource) }
        try resource.validate()
      }
    }
    return report.transcript("validate", "validated")
  }
}
