import CalicoBackend
import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Testing

extension Replay {
  /// Does what a call of the library's interface does, by an operation of the engine.
  func performLibrary(_ call: String, _ inputs: JSONObject) async throws -> StepResult {
    do {
      return StepResult(output: .object(try await callLibrary(call, inputs)))
    } catch let error as LibraryError {
      return .failed(.object(error.output))
    } catch let error as EngineError {
      var output = Self.emptyOutput(call)
      output["error"] = .string(error.description)
      return .failed(.object(output))
    }
  }

  /// A failure that comes with a result.
  private struct LibraryError: Error {
    var output: JSONObject
  }

  /// What the recording program prints besides the error.
  private static func emptyOutput(_ call: String) -> JSONObject {
    switch call {
    case "claim-affinity": ["claimed": [], "unclaimed": []]
    case "ips-by-handle": ["ips": nil]
    default: [:]
    }
  }

  private func callLibrary(_ call: String, _ inputs: JSONObject) async throws -> JSONObject {
    switch call {
    case "auto-assign": return try await autoAssign(inputs)
    case "assign-ip": return try await assign(inputs)
    case "claim-affinity": return try await claim(inputs)
    case "release-affinity":
      let target = ReleaseAffinities.Target.network(try inputs.network("CIDR"), try owner(inputs))
      return try await giveUp(target, mustBeEmpty: inputs["MustBeEmpty"]?.boolValue == true)
    case "release-host-affinities":
      return try await giveUp(.owner(try owner(inputs)), mustBeEmpty: inputs["MustBeEmpty"]?.boolValue == true)
    case "remove-host": return try await giveUp(.removedHost(try owner(inputs)), mustBeEmpty: false)
    case "release-handle": return try await releaseHandle(try inputs.text("Handle"))
    case "release-ips": return try await release(inputs)
    case "ips-by-handle":
      let addresses = try await run(AddressesOfHandle(try inputs.text("Handle"), time: time))
      return ["ips": .array(addresses.map { .string($0.address.address.description) })]
    case "get-attrs": return try await attributes(try inputs.address("IP"))
    case "ensure-block": return try await ensureBlock(inputs)
    case "utilization": return ["pools": .array(try await utilization())]
    default: throw LibraryError(output: ["error": "no such call"])
    }
  }

  private func owner(_ inputs: JSONObject) throws -> BlockOwner { BlockOwner(.host, try inputs.text("Host")) }

  // MARK: - Assigning

  private func autoAssign(_ inputs: JSONObject) async throws -> JSONObject {
    var families: [AutoAssignRequest.Family] = []
    for (family, key) in [(AddressFamily.v4, "4"), (.v6, "6")] {
      let count = Int(inputs["Num" + key]?.numberValue?.int64 ?? 0)
      let pools = inputs.texts("Pools" + key).compactMap { CIDR($0) }
      if count > 0 { families.append(AutoAssignRequest.Family(family, count: count, pools: pools)) }
    }
    let host = try inputs.text("Host")
    var request = AutoAssignRequest(
      families, handleID: inputs["Handle"]?.stringValue, attributes: inputs.strings("Attrs"), host: host,
      use: try inputs.use(), time: time)
    request.start = starts.start(host)
    request.maxPerHandle = Int(inputs["MaxAllocToHandlePerIPVersion"]?.numberValue?.int64 ?? 0)
    request.namespaceLabels = inputs.strings("NamespaceLabels")
    let result = try await run(try AutoAssign(request))
    if let error = result.error { throw error }
    func output(_ family: AddressFamily) -> JSON {
      guard let found = result.family(family) else { return nil }
      return [
        "ips": .array(found.addresses.map { .string($0.address.description) }),
        "requested": .number(JSONNumber(found.requested)),
      ]
    }
    return ["v4": output(.v4), "v6": output(.v6)]
  }

  private func assign(_ inputs: JSONObject) async throws -> JSONObject {
    let request = AssignAddress.Request(
      try inputs.address("IP"), handleID: inputs["Handle"]?.stringValue, attributes: inputs.strings("Attrs"),
      host: try inputs.text("Host"), use: try inputs.use(), time: time)
    _ = try await run(AssignAddress(request))
    return [:]
  }

  /// Only families with a reservation are served (Calico IPAM specification, section 3.16).
  private func ensureBlock(_ inputs: JSONObject) async throws -> JSONObject {
    var output = JSONObject()
    for (family, key) in [(AddressFamily.v4, "4"), (.v6, "6")] {
      guard let reserve = inputs["Reserve" + key]?.objectValue else { continue }
      let reservation = HostReservation(
        startOfBlock: try reserve.integer("StartOfBlock"), endOfBlock: try reserve.integer("EndOfBlock"),
        handleID: try reserve.text("Handle"), note: try reserve.text("Note"))
      let wanted = AutoAssignRequest.Family(
        family, count: 0, pools: inputs.texts("Pools" + key).compactMap { CIDR($0) }, reservation: reservation)
      let host = try inputs.text("Host")
      let block = try await run(try EnsureBlock(host: host, wanted, time: time, start: starts.start(host)))
      output["v" + key] = .string(block.description)
    }
    return output
  }

  // MARK: - Affinities

  private func claim(_ inputs: JSONObject) async throws -> JSONObject {
    let result = try await run(ClaimAffinity(try inputs.network("CIDR"), for: try owner(inputs), time: time))
    return [
      "claimed": .array(result.claimed.map { .string($0.description) }),
      "unclaimed": .array(result.failed.map { .string($0.description) }),
    ]
  }

  private func giveUp(_ target: ReleaseAffinities.Target, mustBeEmpty: Bool) async throws -> JSONObject {
    _ = try await run(ReleaseAffinities(target, mustBeEmpty: mustBeEmpty, time: time))
    return [:]
  }

  // MARK: - Releasing

  private func releaseHandle(_ handleID: String) async throws -> JSONObject {
    let result = try await run(ReleaseByHandle([handleID], time: time))
    guard result.counts[handleID] != nil else {
      // The operation takes several handles and leaves it to the caller to mind one that is missing.
      throw LibraryError(
        output: ["error": .string("resource does not exist: \(Key.handle(handleID)) with error: <nil>")])
    }
    return [:]
  }

  private func release(_ inputs: JSONObject) async throws -> JSONObject {
    let options = try #require(inputs["Releases"]?.arrayValue).map { item in
      let item = try #require(item.objectValue)
      return ReleaseOption(
        try item.address("Address"), handleID: item["Handle"]?.stringValue,
        sequenceNumber: item["SequenceNumber"]?.numberValue?.uint64)
    }
    let result = try await run(ReleaseAddresses(options, time: time))
    var output: JSONObject = [
      "released": .array(
        result.released.map { option in
          [
            "Address": .string(option.address.description), "Handle": .string(option.handleID ?? ""),
            "SequenceNumber": option.sequenceNumber.map { .number(JSONNumber($0)) } ?? nil,
          ]
        }),
      "unallocated": .array(result.unallocated.map { .string($0.description) }),
    ]
    guard let error = result.error else { return output }
    output["error"] = .string(error.description)
    throw LibraryError(output: output)
  }

  // MARK: - Looking

  private func attributes(_ address: IPAddress) async throws -> JSONObject {
    let found = try await run(AttributesOfAddress(address, time: time))
    var attributes = JSONObject()
    attributes["handle_id"] = found.handleID.map { .string($0) }
    attributes["secondary"] = .object(
      JSONObject(found.owner.sorted { $0.key < $1.key }.map { .init(key: $0.key, value: .string($0.value)) }))
    return ["attrs": .object(attributes)]
  }

  private func utilization() async throws -> [JSON] {
    let scopes: [Listing.Scope] = [.resources(.ipPool), .resources(.ipReservation), .blocks(nil)]
    var pools: [IPPool] = []
    var reserved = ReservedAddresses()
    var blocks: [IPAMBlock] = []
    for case .list(let list) in try await store.read(scopes.map { .list(Listing($0)) }, deadline: .distantFuture) {
      for item in list.items {
        let stored = try #require(item.stored)
        switch item.key {
        case .resource(.ipPool, let name): pools.append(try IPPool(decoding: stored.bytes, name: name))
        case .resource: try reserved.add(decoding: stored.bytes)
        case .block(let cidr): blocks.append(try stored.block(cidr))
        default: continue
        }
      }
    }
    return UtilizationReport(pools: pools, reserved: reserved, blocks: blocks).pools.map { pool in
      var output = Self.numbers(pool.numbers)
      output["name"] = .string(pool.name)
      output["cidr"] = .string(pool.cidr)
      output["blocks"] = .array(
        pool.blocks.map { block in
          var output = Self.numbers(block.numbers)
          output["cidr"] = .string(block.cidr.description)
          return .object(output)
        })
      return .object(output)
    }
  }

  private static func numbers(_ numbers: Utilization) -> JSONObject {
    [
      "available": .number(JSONNumber(numbers.available)), "capacity": .number(JSONNumber(numbers.capacity)),
      "in_use": .number(JSONNumber(numbers.inUse)), "reserved": .number(JSONNumber(numbers.reserved)),
    ]
  }
}

extension JSONObject {
  fileprivate func address(_ key: String) throws -> IPAddress { try #require(IPAddress(try text(key))) }

  fileprivate func network(_ key: String) throws -> CIDR { try #require(CIDR(try text(key))) }

  fileprivate func use() throws -> IPPool.AllowedUse { try #require(IPPool.AllowedUse(rawValue: try text("Use"))) }

  fileprivate func strings(_ key: String) -> [String: String] {
    (self[key]?.objectValue?.members ?? []).reduce(into: [:]) { $0[$1.key] = $1.value.stringValue }
  }
}
