import ArgumentParser
import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Testing

@testable import ipamctl

extension Replay {
  /// Does what a command of `calicoctl` does: by the commands of `ipamctl` that speak as it does, and for resources by the
  /// calls that they make, which here take time and identifiers from the replay.
  func performTool(_ step: RecordedStep, _ words: [String]) async throws -> Replayed {
    let arguments = step.arguments
    let options = Array(arguments.dropFirst(2))
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
    case "ipam configure":
      return .done(Self.result(try await IPAMConfigureCommand.asyncParse(options).execute(session)))
    case "ipam release":
      return .done(Self.result(try await IPAMReleaseCommand.asyncParse(options).execute(session)))
    case "ipam show":
      return .done(Self.result(try await IPAMShowCommand.asyncParse(options).execute(session)))
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
        }), configurationPlaces: cluster == nil ? .keyAndResource : .keyAlone)
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

  /// What a command of `ipamctl` says.
  private static func result(_ transcript: Transcript) -> StepResult {
    StepResult(
      exitCode: Int(transcript.status), output: .string(transcript.output), diagnostics: transcript.errors)
  }

  private var session: Session {
    let time = time
    var session = Session(ChosenDatastore(store, name: "vectors"))
    session.now = { time }
    return session
  }
}
