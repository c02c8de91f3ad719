import CalicoModel
import JSON
public import Testing

@testable public import PoolProcedures

extension PoolProcedure: CustomTestStringConvertible {
  public var testDescription: String {
    "\(kind.rawValue) \(direction.rawValue)\(createsStandIn ? "" : " to a pool that exists")"
  }
}

@Suite("Planning the steps of procedures")
struct ProcedurePlanningTests {
  static func procedure(
    _ kind: PoolProcedure.Kind, _ direction: PoolProcedure.Direction = .forward, createsStandIn: Bool = true
  ) -> PoolProcedure {
    let source = Resource(.ipPool, name: "old", specification: ["cidr": "10.65.0.0/24", "blockSize": 26])
    var procedure = PoolProcedure(
      kind, source: source, standIn: "new", createsStandIn: createsStandIn,
      blockSize: kind == .resizing ? 28 : nil, turn: "t", beganAt: "2026-08-14T09:12:33Z")
    procedure.direction = direction
    return procedure
  }

  private static func words(_ steps: [ProcedureStep]) -> [String] { steps.map { "\($0.action) \($0.role)" } }

  /// An inhabited source, and nothing else.
  private static let start = Situation(
    source: .enabled, form: .original, standIn: .absent, sourceUse: .init(blocks: 2, addresses: 2, sizeInUse: 26))

  @Test("a migration creates, enables, disables, waits, deletes")
  func migration() {
    #expect(
      Self.words(Self.procedure(.migration).foreseen(from: Self.start)) == [
        "create standIn", "claim source", "enable standIn", "disable source", "drain source", "delete source",
        "forget standIn",
      ])
  }

  @Test("a change of the block size leads out, and back into the pool made anew")
  func resizing() {
    #expect(
      Self.words(Self.procedure(.resizing).foreseen(from: Self.start)) == [
        "create standIn", "claim source", "enable standIn", "disable source", "drain source", "delete source",
        "create source", "enable source", "disable standIn", "drain standIn", "release source", "delete standIn",
      ])
  }

  @Test("the way back of a migration opens the source before it closes the stand-in")
  func back() {
    let situation = Situation(
      source: .disabled, form: .original, claim: .earlier, standIn: .enabled, hasRecord: true,
      sourceUse: .init(blocks: 1, addresses: 1, sizeInUse: 26),
      standInUse: .init(blocks: 1, addresses: 1, sizeInUse: 26))
    #expect(
      Self.words(Self.procedure(.migration, .back).steps(from: situation)) == [
        "enable source", "claim source", "disable standIn", "drain standIn", "release source", "delete standIn",
      ])
    #expect(
      Self.words(Self.procedure(.migration, .back, createsStandIn: false).steps(from: situation)) == [
        "enable source", "release source", "forget standIn",
      ])
  }

  @Test("an address that was given out while the source was deleted brings the source back")
  func lateAddress() {
    var situation = Situation(source: .absent, standIn: .enabled, hasRecord: true)
    situation.sourceUse = .init(blocks: 1, addresses: 1, sizeInUse: 26)
    for kind in PoolProcedure.Kind.allCases {
      #expect(Self.procedure(kind).next(situation) == ProcedureStep(.putBack, .source))
    }
    situation.sourceUse = .init(blocks: 1)
    for kind in PoolProcedure.Kind.allCases {
      #expect(Self.procedure(kind).next(situation) == ProcedureStep(.clear, .source))
    }
  }

  /// Every situation that the pools can be in.
  private static func situations() -> [Situation] {
    let states: [Situation.PoolState] = [.absent, .disabled, .enabled, .unusable, .leaving]
    let uses = [Situation.Use(), .init(blocks: 1), .init(blocks: 1, addresses: 1, sizeInUse: 26)]
    var situations: [Situation] = []
    for source in states {
      for form in source == .absent ? [nil] : [PoolProcedure.Form.original, .resized] {
        for claim in source == .absent ? [Situation.Claim.none] : [.none, .earlier, .own] {
          for standIn in states {
            for hasRecord in standIn == .absent ? [false] : [true, false] {
              for sourceUse in uses {
                for standInUse in standIn == .absent ? [uses[0]] : uses {
                  var situation = Situation(source: source, form: form, claim: claim, standIn: standIn)
                  (situation.hasRecord, situation.sourceUse, situation.standInUse) = (hasRecord, sourceUse, standInUse)
                  situations.append(situation)
                }
              }
            }
          }
        }
      }
    }
    return situations
  }

  private static let all: [PoolProcedure] = [
    procedure(.migration), procedure(.migration, createsStandIn: false), procedure(.migration, .back),
    procedure(.migration, .back, createsStandIn: false), procedure(.resizing), procedure(.resizing, .back),
  ]

  @Test("from every situation the steps lead to the goal, and no further", arguments: all)
  func everySituation(_ procedure: PoolProcedure) {
    for situation in Self.situations() where procedure.kind == .resizing || situation.form != .resized {
      var end = situation
      let steps = procedure.steps(from: situation)
      #expect(steps.count < 32, "\(situation) leads in circles: \(Self.words(steps))")
      for step in steps { end.take(step, of: procedure) }
      #expect(end.form == procedure.goal, "\(situation)")
      #expect(end.claim == .none)
      if procedure.goal == nil {
        #expect(end.standIn == .enabled && end.source == .absent && end.sourceUse.blocks == 0)
      } else {
        #expect(end.source == .enabled)
        if procedure.createsStandIn { #expect(end.standIn == .absent) }
      }
      #expect(!end.hasRecord)
    }
  }

  @Test("a pool is closed only while the other serves, and deleted only when nothing of it is in use", arguments: all)
  func neverWithout(_ procedure: PoolProcedure) {
    for situation in Self.situations() {
      guard let step = procedure.next(situation) else { continue }
      let other: PoolProcedure.Role = step.role == .source ? .standIn : .source
      switch step.action {
      case .disable where situation.claim == .foreign: #expect(step.role == .standIn)
      case .disable: #expect(situation[other] == .enabled && situation.claim == .own)
      case .delete:
        #expect(situation[step.role] == .disabled && situation[other] == .enabled)
        #expect(situation.use(step.role).addresses == 0)
        #expect(step.role == .source ? situation.claim == .own : situation.claim == .none)
      case .create, .putBack: #expect(situation[step.role] == .absent)
      default: break
      }
    }
  }

  @Test("a procedure that another one has outrun leaves the source alone", arguments: all)
  func outrun(_ procedure: PoolProcedure) {
    for var situation in Self.situations() where situation.source != .absent {
      situation.claim = .foreign
      let steps = procedure.steps(from: situation)
      #expect(steps.allSatisfy { $0.role == .standIn })
      for step in steps { situation.take(step, of: procedure) }
      #expect(!situation.hasRecord)
    }
  }

  @Test("a record is read as it was written", arguments: all)
  func records(_ procedure: PoolProcedure) throws {
    #expect(try PoolProcedure(record: procedure.record, standIn: "new") == procedure)
  }

  @Test(
    "a record that cannot be read says why, and where it is",
    arguments: [
      ("", "JSON"), ("[]", "not an object"), (#"{"version":2}"#, "not of version 1"),
      (#"{"version":1,"kind":"migrate"}"#, "missing or of the wrong type"),
    ])
  func damagedRecords(_ text: String, _ reason: String) {
    let error = #expect(throws: ProcedureError.self) { try PoolProcedure(record: text, standIn: "new") }
    #expect(error?.code == .unreadable)
    #expect(error?.description.contains("swift-ipam/pool-procedure of IPPool new") == true)
    if reason != "JSON" { #expect(error?.description.contains(reason) == true) }
  }

  @Test("the size of blocks belongs to one kind of procedure")
  func inconsistentRecords() throws {
    let record = Self.procedure(.resizing).record.replacing("resize-blocks", with: "migrate")
    let error = #expect(throws: ProcedureError.self) { try PoolProcedure(record: record, standIn: "new") }
    #expect(error?.description.contains("do not fit together") == true)
  }
}
