import ArgumentParser
import CalicoBackend
import Datastore
import PoolProcedures

/// A procedure on pools as a person at a terminal goes through it: shows the plan, asks, and tells of every step.
struct ProcedureSession {
  private let conversation: Conversation
  private let options: ProcedureOptions
  private let kind: PoolProcedure.Kind
  private let session: Session
  private let storeName: String

  init(_ session: Session, _ conversation: Conversation, _ options: ProcedureOptions, _ kind: PoolProcedure.Kind) {
    self.session = session
    self.conversation = conversation
    self.options = options
    self.kind = kind
    storeName = session.store.name
  }

  private var surroundings: ProcedureSurroundings {
    ProcedureSurroundings(
      now: session.now, makeUUID: { RandomUUID.text() }, pause: { try await Task.sleep(for: $0) },
      milliseconds: { Deadline.now.nanoseconds / 1_000_000 })
  }

  private func runner(_ report: @escaping @Sendable (ProcedureEvent) -> Void = { _ in }) -> ProcedureRunner<
    ChosenDatastore
  > {
    ProcedureRunner(session.store, surroundings, report: report)
  }

  /// Shows what would be done, asks, and does it.
  func begin(_ request: ProcedureRequest) async throws {
    try await advising(nil) {
      let proposal = try await runner().propose(request)
      let text = ProcedureText(proposal)
      text.plan(notes: proposal.notes, holdings: [.source: proposal.holdings]).forEach(conversation.say)
      guard try confirm() else { return conversation.say("Nothing was changed.") }
      // Minutes may have passed over the question.
      let fresh = try await runner().propose(request)
      try await advising(fresh.procedure) {
        try await runner(text.reporter(conversation)).begin(fresh, patience: options.patience)
      }
      conversation.say(text.ending)
    }
  }

  /// Goes on or back with what was begun, or shows it.
  ///
  /// - Parameter pool: the name of one of its pools; nil where there is but one.
  /// - Throws: `CommandFailure`.
  func continueOrShow(_ pool: String?) async throws {
    try await advising(nil) {
      guard case .proceed(let direction) = options.mode else { return try await show(pool) }
      let procedure = try await runner().procedure(kind, of: pool)
      let (observation, steps) = try await runner().outlook(of: procedure, direction)
      let text = ProcedureText(procedure, direction ?? procedure.direction, steps, observation)
      text.plan(holdings: observation.holdings).forEach(conversation.say)
      guard try confirm() else { return conversation.say("Nothing was changed.") }
      try await advising(procedure) {
        try await runner(text.reporter(conversation)).resume(procedure, direction, patience: options.patience)
      }
      conversation.say(text.ending)
    }
  }

  private func show(_ pool: String?) async throws {
    let all = try await runner().procedures().filter { $0.kind == kind }
    let chosen = try pool == nil ? all : [await runner().procedure(kind, of: pool)]
    var views: [ProcedureStatusView] = []
    for procedure in chosen {
      let (observation, steps) = try await runner().outlook(of: procedure)
      views.append(ProcedureStatusView(procedure, observation, steps))
    }
    if options.output == .json {
      conversation.say(ProcedureStatusView.document(views).text)
    } else if views.isEmpty {
      conversation.say("No 'pool \(kind.rawValue)' is under way in \(storeName).")
    } else {
      for view in views { view.lines.forEach(conversation.say) }
    }
  }

  /// Asks whether to go on.
  ///
  /// - Throws: `CommandFailure` when there is nobody to ask.
  private func confirm() throws -> Bool {
    if options.yes { return true }
    guard conversation.canAsk else {
      throw CommandFailure("nothing was changed: there is no terminal to ask at; agree with --yes")
    }
    return conversation.confirms("Go on?")
  }

  /// Gives errors their words, and says how to go on where a procedure was begun.
  private func advising(_ procedure: PoolProcedure?, _ body: () async throws -> Void) async throws {
    do {
      try await body()
    } catch let error as CommandFailure {
      throw error
    } catch let error as ExitCode {
      throw error
    } catch {
      guard let procedure, (error as? ProcedureError)?.leavesNothingToContinue != true else {
        throw CommandFailure(error.advised)
      }
      let command = "ipamctl pool \(kind.rawValue)"
      throw CommandFailure(
        "\(error.advised). '\(command) --continue \(procedure.source)' goes on, "
          + "'\(command) --undo \(procedure.source)' goes back")
    }
  }
}

extension ProcedureError {
  /// Whether going on or back would make no sense, or is another run's.
  fileprivate var leavesNothingToContinue: Bool {
    switch code {
    case .refused, .notFound, .ambiguous, .unreadable, .overtaken: true
    case .conflict, .stuck, .waiting: false
    }
  }
}
