import CalicoModel
import Datastore
import IPAddressing
import TestSupport
import Testing

@testable import CalicoEngine

/// The recipe of specification section 6.1: random interleavings of operations whose answers get lost.
@Suite("Simulated clusters")
struct SimulationTests {
  /// The addresses that pods believe to have.
  private final class Ledger {
    var held: [IPAddress: String] = [:]
  }

  /// A pod that gets addresses, keeps them for some turns and gives them back, a few times over.
  private final class Pod: Participant {
    private let calico: Cluster
    private let ledger: Ledger
    private let name: String
    private let host: String
    private let count: Int
    private var rounds: Int
    private var idleTurns: Int
    private var assigning: Process<AutoAssign>?
    private var releasing: Process<ReleaseByHandle>?
    private(set) var errors: [EngineError] = []

    init(_ name: String, host: String, count: Int, rounds: Int, idleTurns: Int, _ calico: Cluster, _ ledger: Ledger) {
      (self.name, self.host, self.count, self.rounds) = (name, host, count, rounds)
      (self.idleTurns, self.calico, self.ledger) = (idleTurns, calico, ledger)
    }

    var isFinished: Bool { rounds == 0 }
    var isWriting: Bool { assigning?.isWriting ?? false || releasing?.isWriting ?? false }

    func takeTurn(_ fate: StagedCommit.Fate) async throws {
      if let assigning {
        try await assigning.takeTurn(fate)
        if assigning.isFinished { try receive(assigning) }
      } else if let releasing {
        try await releasing.takeTurn(fate)
        if releasing.isFinished { finishRound(releasing) }
      } else if ledger.held.values.contains(name), idleTurns > 0 {
        idleTurns -= 1
      } else if ledger.held.values.contains(name) || !errors.isEmpty {
        ledger.held = ledger.held.filter { $0.value != name }
        releasing = calico.process(ReleaseByHandle([name], time: calico.tick()))
      } else {
        assigning = try calico.assigning(count, handle: name, host: host)
      }
    }

    private func receive(_ process: Process<AutoAssign>) throws {
      assigning = nil
      if let error = process.error ?? process.result?.error { errors.append(error) }
      let addresses = process.result?.v4 ?? []
      for address in addresses {
        if let other = ledger.held.updateValue(name, forKey: address) {
          Issue.record("\(address) was given to \(other) and to \(name)")
        }
        let block = try calico.block(of: address)
        let attribute = block.ordinal(of: address).flatMap { block.attribute(at: $0) }
        if attribute?.handleID != name { Issue.record("\(address) of \(name) is \(String(describing: attribute))") }
      }
      if addresses.isEmpty { rounds -= 1 }
    }

    private func finishRound(_ process: Process<ReleaseByHandle>) {
      releasing = nil
      if let error = process.error { errors.append(error) }
      rounds -= 1
    }
  }

  private func pods(_ calico: Cluster, _ generator: inout SeededGenerator) -> [Pod] {
    let ledger = Ledger()
    return (0..<12).map { number in
      Pod(
        "pod-\(number)", host: "host-\(number % 5)", count: Int.random(in: 1...5, using: &generator), rounds: 3,
        idleTurns: Int.random(in: 0...20, using: &generator), calico, ledger)
    }
  }

  private func expectEmpty(_ calico: Cluster, at location: SourceLocation = #_sourceLocation) throws {
    for block in try calico.blocks().values {
      #expect(block.isEmpty, "\(block.cidr)", sourceLocation: location)
    }
  }

  @Test("I1 to I9: pods come and go, and nothing is left", arguments: modes, 0..<8 as Range<UInt64>)
  func withoutFaults(mode: Mode, seed: UInt64) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/27", blockSize: 30)
    var generator = SeededGenerator(seed: seed)
    let pods = pods(calico, &generator)
    try await calico.interleave(pods, &generator)
    #expect(pods.flatMap(\.errors).isEmpty)
    try expectEmpty(calico)
    for number in 0..<12 { #expect(try calico.handle("pod-\(number)") == nil) }
  }

  @Test(
    "I1 to I9: answers get lost, and no address is given out twice or kept", arguments: modes, 0..<24 as Range<UInt64>)
  func withFaults(mode: Mode, seed: UInt64) async throws {
    let calico = Cluster(mode)
    calico.pool("10.0.0.0/27", blockSize: 30)
    var generator = SeededGenerator(seed: seed)
    let pods = pods(calico, &generator)
    try await calico.interleave(pods, &generator) { generator in
      switch Int.random(in: 0..<20, using: &generator) {
      case 0: .answerLost
      case 1: .cutOff
      default: .proceed
      }
    }
    #expect(pods.flatMap(\.errors).isEmpty)
    try expectEmpty(calico)
  }
}
