import Datastore
import DatastoreSettings
import Foundation
import Logging
import Routing
import Synchronization
import Testing

@testable import ipam_node

@Suite("Where the agent's facts come from")
struct AgentInputsTests {
  private func inputs(
    _ engine: DatastoreEngine, mode: RoutingConfiguration.Mode = .blocks, nodesFile: String = ""
  ) -> AgentInputs {
    var configuration = AgentConfiguration()
    configuration.datastore.engine = engine
    configuration.datastore.etcd.endpoints = ["http://127.0.0.1:1"]
    configuration.datastore.kubernetes.server = "https://127.0.0.1:1"
    configuration.routing.mode = mode
    configuration.routing.nodeName = "node-1"
    configuration.nodesFile = nodesFile
    return AgentInputs(configuration: configuration)
  }

  @Test("tunnel addresses are allocated wherever there are blocks, and never beside a list of nodes")
  func tunnelAddresses() {
    #expect(inputs(.sqlite).allocatesTunnelAddresses)
    #expect(inputs(.etcd).allocatesTunnelAddresses)
    #expect(inputs(.kubernetes).allocatesTunnelAddresses)
    #expect(!inputs(.kubernetes, mode: .podCIDRs).allocatesTunnelAddresses)
    #expect(!inputs(.sqlite, nodesFile: "/nodes").allocatesTunnelAddresses)
  }

  @Test("affinities from before there were labels exist in Kubernetes alone, where there are blocks")
  func upgrade() throws {
    #expect(try inputs(.sqlite).open(isWritten: true).upgrade == nil)
    #expect(try inputs(.etcd).open(isWritten: true).upgrade == nil)
    #expect(try inputs(.kubernetes).open(isWritten: true).upgrade?.node == "node-1")
    #expect(try inputs(.kubernetes, mode: .podCIDRs).open(isWritten: true).upgrade == nil)
    #expect(try inputs(.kubernetes).open(isWritten: false).upgrade == nil)
  }

  @Test("a list of nodes needs no datastore, however wrong its settings are")
  func nodesFile() throws {
    var inputs = inputs(.etcd, nodesFile: "/nodes")
    var configuration = inputs.configuration
    configuration.datastore.etcd.endpoints = []
    inputs = AgentInputs(configuration: configuration)
    #expect(throws: Never.self) { try inputs.open(isWritten: false) }
    configuration.nodesFile = ""
    #expect(throws: DatastoreError.self) { try AgentInputs(configuration: configuration).open(isWritten: false) }
  }

  @Test("what is to be done at the start is tried again until it is done, and told of meanwhile")
  func retries() async throws {
    let attempts = Mutex(0)
    let pauses = Mutex<[Duration]>([])
    let upgrade = HostUpgrade(node: "node-1") { node, _ in
      #expect(node == "node-1")
      let attempt = attempts.withLock { attempts in
        attempts += 1
        return attempts
      }
      if attempt < 9 { throw DatastoreError(.forbidden, "refused") }
      return 2
    }
    let logger = Logger(label: "test") { _ in SwiftLogNoOpLogHandler() }
    let board = ConditionBoard(logger: logger)
    let service = HostUpgradeService(upgrade: upgrade, conditions: board, logger: logger) { pause in
      let told = board.all.map(\.message)
      #expect(told == ["the affinities of this node cannot be labelled: refused"])
      pauses.withLock { $0.append(pause) }
    }
    await service.attempt()
    #expect(attempts.withLock { $0 } == 9)
    #expect(pauses.withLock { $0 } == [1, 2, 4, 8, 16, 32, 60, 60].map { .seconds($0) })
    #expect(board.all.isEmpty)
  }
}
