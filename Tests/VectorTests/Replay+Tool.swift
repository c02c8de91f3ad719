import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Testing

extension Replay {
  /// Does what a command of `calicoctl` does, by the calls that `ipamctl` makes.
  func performTool(_ step: RecordedStep, _ words: [String]) async throws -> Replayed {
    let arguments = step.arguments
    switch words.dropFirst().joined(separator: " ") {
    case "apply":
      for resource in try Resource.resources(inManifest: try #require(step.inputs["document"])) {
        _ = try await client.apply(resource)
      }
    case "delete":
      for name in arguments.dropFirst(2) {
        try await client.delete(try ResourceKind(argument: arguments[1]), name)
      }
    case "get": return .done(StepResult(output: try await list(try ResourceKind(argument: arguments[1]))))
    case "datastore":
      var information = try await client.get(.clusterInformation, "default")
      information.specification["datastoreReady"] = .bool(arguments.last == "unlock")
      _ = try await client.update(information)
    case "ipam configure": return .done(try await configure(arguments.dropFirst(2)))
    case "ipam release": return .done(try await release(arguments.dropFirst(2)))
    case "ipam show": return .skipped("the tables of `ipam show` are not printed yet")
    default: return .skipped("no such command")
    }
    return .done(StepResult())
  }

  private var client: ResourceClient {
    let (time, replay) = (time, self)
    return ResourceClient(
      datastore: store,
      surroundings: ResourceSurroundings(
        now: { time }, makeUUID: { Normalization.newUID }, pause: { _ in },
        releasePoolAffinities: { pool in
          _ = try await replay.run(ReleaseAffinities(.pool(pool), mustBeEmpty: false, time: time))
        },
        releaseAddresses: { addresses in
          _ = try await replay.run(ReleaseAddresses(addresses.map { ReleaseOption($0) }, time: time))
        },
        releaseHostAffinities: { host in
          let target = ReleaseAffinities.Target.removedHost(BlockOwner(.host, host))
          _ = try await replay.run(ReleaseAffinities(target, mustBeEmpty: false, time: time))
        }))
  }

  /// What `get -o json` prints.
  private func list(_ kind: ResourceKind) async throws -> JSON {
    let items = try await client.list(kind).items.map { resource -> JSON in
      var resource = resource
      resource.resourceVersion = "<REV>"
      return .object(resource.arrangedDocument)
    }
    return [
      "kind": .string(kind.rawValue + "List"), "apiVersion": .string(ResourceKind.apiVersion),
      "metadata": ["resourceVersion": "<REV>"], "items": .array(items),
    ]
  }

  /// Writes the switches (calicoctl specification, section 3.6); `ipamctl` has no such command yet.
  private func configure(_ options: ArraySlice<String>) async throws -> StepResult {
    guard case .entry(let stored)? = try await store.read([.entry(.configuration)], deadline: .distantFuture).first
    else { return .failed() }
    var configuration = try stored?.configuration() ?? IPAMConfiguration()
    for option in options {
      let parts = option.split(separator: "=")
      switch parts[0] {
      case "--strictaffinity": configuration.strictAffinity = parts[1] == "true"
      case "--max-blocks-per-host": configuration.maxBlocksPerHost = try #require(Int(parts[1]))
      case "--ip-cooldown-seconds": configuration.cooldownSeconds = try #require(Int(parts[1]))
      default: Issue.record("\(option) is not known")
      }
    }
    guard configuration.strictAffinity || configuration.maxBlocksPerHost == 0 else { return .failed() }
    let base = stored.map { Base.revision($0.revision) } ?? .absent
    let change = Change(.configuration, base: base, final: .value(.configuration(configuration)))
    guard case .applied = try await store.commit(Plan([change], durability: .disk), deadline: .distantFuture) else {
      return .failed()
    }
    return StepResult()
  }

  private func release(_ options: ArraySlice<String>) async throws -> StepResult {
    let addresses = options.compactMap { IPAddress(String($0.dropFirst("--ip=".count))) }
    let result = try await run(ReleaseAddresses(addresses.map { ReleaseOption($0) }, time: time))
    return result.error == nil && result.unallocated.isEmpty ? StepResult() : .failed()
  }
}
