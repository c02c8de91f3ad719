// Which step comes next follows from what the pools are. So a procedure that was cut off at any point goes on, and one
// that turns back needs no list of what was done: going back is going to another end by the same rules.
//
// In whatever state the rules leave the pools, one that the other's workloads can use gives addresses out: a pool is
// disabled only while the other one is usable, and deleted only when nothing of it is in use.

extension PoolProcedure {
  /// The next step; nil when there is nothing left to do.
  func next(_ situation: Situation) -> ProcedureStep? {
    if situation.claim == .foreign { return retreat(situation) }
    guard let goal else { return untilSourceIsGone(situation) }
    if situation.form == goal, situation.source != .leaving { return untilSourceServes(situation) }
    return wayOut(situation) ?? sourceAnew(situation)
  }

  /// The steps until the goal, from a situation on, if nobody interferes.
  func steps(from situation: Situation) -> [ProcedureStep] {
    var situation = situation
    var steps: [ProcedureStep] = []
    // No way is longer; a rule that led in circles would be seen by the tests of all situations.
    while steps.count < 32, let step = next(situation) {
      steps.append(step)
      situation.take(step, of: self)
    }
    return steps
  }

  /// Another procedure was faster. The source is claimed before the stand-in is enabled, so nothing was given out yet.
  private func retreat(_ situation: Situation) -> ProcedureStep? {
    guard createsStandIn else { return situation.hasRecord ? ProcedureStep(.forget, .standIn) : nil }
    switch situation.standIn {
    case .enabled, .unusable: return ProcedureStep(.disable, .standIn)
    case .disabled: return ProcedureStep(situation.standInUse.addresses > 0 ? .drain : .delete, .standIn)
    case .leaving: return ProcedureStep(.awaitDeletion, .standIn)
    case .absent: return nil
    }
  }

  /// A forward migration: everybody leaves the source, and it goes.
  private func untilSourceIsGone(_ situation: Situation) -> ProcedureStep? {
    if let step = wayOut(situation) { return step }
    if let step = leftovers(situation) { return step }
    return situation.hasRecord ? ProcedureStep(.forget, .standIn) : nil
  }

  /// The source is what it shall be: it has to give addresses out, and the stand-in to go.
  private func untilSourceServes(_ situation: Situation) -> ProcedureStep? {
    switch situation.source {
    case .disabled: return ProcedureStep(.enable, .source)
    case .unusable: return ProcedureStep(.awaitUse, .source)
    case .absent, .leaving: return nil
    case .enabled: break
    }
    let release = situation.claim == .none ? nil : ProcedureStep(.release, .source)
    guard createsStandIn else {
      return release ?? (situation.hasRecord ? ProcedureStep(.forget, .standIn) : nil)
    }
    switch situation.standIn {
    case .enabled, .unusable:
      return situation.claim == .own ? ProcedureStep(.disable, .standIn) : ProcedureStep(.claim, .source)
    case .disabled:
      if situation.standInUse.addresses > 0 { return ProcedureStep(.drain, .standIn) }
      return release ?? ProcedureStep(.delete, .standIn)
    case .leaving: return ProcedureStep(.awaitDeletion, .standIn)
    case .absent: return release
    }
  }

  /// The source is not what it shall be: the stand-in takes over, and the source goes. Nil when it is gone and the
  /// stand-in serves.
  private func wayOut(_ situation: Situation) -> ProcedureStep? {
    switch situation.standIn {
    case .absent: return ProcedureStep(.create, .standIn)
    case .leaving: return ProcedureStep(.awaitDeletion, .standIn)
    case .disabled:
      let isClaimed = situation.claim == .own || situation.source == .absent
      return isClaimed ? ProcedureStep(.enable, .standIn) : ProcedureStep(.claim, .source)
    case .unusable: return ProcedureStep(.awaitUse, .standIn)
    case .enabled: break
    }
    switch situation.source {
    case .absent: return nil
    case .leaving: return ProcedureStep(.awaitDeletion, .source)
    case .enabled, .unusable, .disabled:
      guard situation.claim == .own else { return ProcedureStep(.claim, .source) }
      guard situation.source == .disabled else { return ProcedureStep(.disable, .source) }
      return ProcedureStep(situation.sourceUse.addresses > 0 ? .drain : .delete, .source)
    }
  }

  /// What an assignment left that began before the source was disabled and ended after it was gone.
  private func leftovers(_ situation: Situation) -> ProcedureStep? {
    if situation.sourceUse.addresses > 0 { return ProcedureStep(.putBack, .source) }
    return situation.sourceUse.blocks > 0 ? ProcedureStep(.clear, .source) : nil
  }

  private func sourceAnew(_ situation: Situation) -> ProcedureStep {
    leftovers(situation) ?? ProcedureStep(.create, .source)
  }
}

extension Situation {
  /// The situation after a step that went as it should.
  mutating func take(_ step: ProcedureStep, of procedure: PoolProcedure) {
    switch (step.action, step.role) {
    case (.claim, _): claim = .own
    case (.create, .source):
      (source, form, claim) = (.disabled, procedure.goal, .own)
    case (.putBack, .source):
      let size = sourceUse.sizeInUse
      (source, form, claim) = (.disabled, size.map { procedure.form(ofBlockSize: $0) } ?? .original, .own)
    case (.create, .standIn), (.putBack, .standIn): (standIn, hasRecord) = (.disabled, true)
    case (.enable, let role), (.awaitUse, let role): self[role] = .enabled
    case (.disable, let role): self[role] = .disabled
    case (.drain, .source): sourceUse = Use(blocks: sourceUse.blocks)
    case (.drain, .standIn): standInUse = Use(blocks: standInUse.blocks)
    case (.delete, .source), (.awaitDeletion, .source):
      (source, form, claim, sourceUse) = (.absent, nil, .none, Use())
    case (.delete, .standIn), (.awaitDeletion, .standIn): (standIn, hasRecord, standInUse) = (.absent, false, Use())
    case (.clear, .source): sourceUse = Use()
    case (.clear, .standIn): standInUse = Use()
    case (.release, _): claim = .none
    case (.forget, _): hasRecord = false
    }
  }
}
