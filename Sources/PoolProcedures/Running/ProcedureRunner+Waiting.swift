import IPAddressing

extension ProcedureRunner {
  /// Looks again a little later.
  ///
  /// - Throws: ``ProcedureError`` of code `waiting` when workloads have had the time they were given, `stuck` when other
  ///   programs have.
  func wait(_ step: ProcedureStep, _ run: inout ProcedureRun, _ observation: ProcedureObservation) async throws {
    let time = surroundings.milliseconds()
    let holdings = observation.holdings(step.role)
    if let waiting = run.waiting, waiting.step == step {
      if step.action == .drain {
        let present = Set(holdings.holders)
        let left = waiting.holders.filter { !present.contains($0) }
        if !left.isEmpty { report(.left(left, remaining: holdings)) }
        run.waiting?.holders = holdings.holders
      }
    } else {
      run.waiting = (step, time, holdings.holders)
      run.announced = step
      if step.isShown { report(.begins(step)) }
      if step.action == .drain { report(.waits(step.role, holdings)) }
    }
    let elapsed = time &- (run.waiting?.since ?? time)
    if step.action == .drain {
      if let patience = run.patience, elapsed >= patience {
        throw ProcedureError.stillInUse(step.role, run.procedure, holdings)
      }
    } else if elapsed >= Self.patience {
      throw ProcedureError.hopeless(step, run.procedure)
    }
    try await surroundings.pause(Self.lookPause)
  }
}

extension ProcedureRunner {
  /// Reports that what was waited for has come, when another step is next.
  func endWaiting(_ run: inout ProcedureRun, for next: ProcedureStep) {
    guard let waiting = run.waiting, waiting.step != next else { return }
    run.waiting = nil
    guard waiting.step.isShown else { return }
    if !waiting.holders.isEmpty { report(.left(waiting.holders, remaining: PoolHoldings())) }
    report(.done(waiting.step))
    run.drained = waiting.step.role
  }
}

extension ProcedureError {
  fileprivate static func stillInUse(
    _ role: PoolProcedure.Role, _ procedure: PoolProcedure, _ holdings: PoolHoldings
  ) -> ProcedureError {
    let count = holdings.holders.count
    var text = "\(count) \(count == 1 ? "address" : "addresses") of IPPool \(procedure.name(of: role)) still in use"
    if holdings.coolingDown > 0 { text += ", \(holdings.coolingDown) cooling down" }
    return ProcedureError(.waiting, text)
  }

  fileprivate static func hopeless(_ step: ProcedureStep, _ procedure: PoolProcedure) -> ProcedureError {
    let name = procedure.name(of: step.role)
    if step.action == .awaitUse {
      return ProcedureError(
        .stuck,
        "IPPool \(name) is enabled and cannot be used: its condition Allocatable stays False. "
          + "The controller of IP pools in calico-kube-controllers sets it; continue when that runs, or go back")
    }
    return ProcedureError(
      .stuck,
      "IPPool \(name) is deleted and stays: a finalizer holds it, which calico-kube-controllers removes; "
        + "continue when that runs")
  }
}
