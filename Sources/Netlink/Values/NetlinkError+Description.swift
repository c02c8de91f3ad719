import Glibc

extension KernelRefusal: CustomStringConvertible {
  /// The error's usual words, and the kernel's own behind them.
  public var description: String {
    var text = errorText(errno)
    if let explanation { text += ": \(explanation)" }
    if errno == EPERM { text += " (the process needs the capability CAP_NET_ADMIN in its network namespace)" }
    return text
  }
}

extension NetlinkError: CustomStringConvertible {
  /// What was attempted, what became of it, and what to do.
  public var description: String {
    let reason =
      switch code {
      case .unusable: "the netlink socket cannot be used"
      case .timeout: "the kernel did not answer in time; whether it was done is not known until it is looked up"
      case .overflow: "answers of the kernel were lost; whether it was done is not known until it is looked up"
      case .interrupted: "the table changed each time while it was being listed; try again when it is quieter"
      case .refused(let refusal): "the kernel refused: \(refusal)"
      case .malformed: "the kernel's answer makes no sense"
      }
    // A refusal has told the number already.
    if case .refused = code { return "cannot \(attempt): \(reason)" }
    return "cannot \(attempt): \(reason)" + (errno == 0 ? "" : " (\(errorText(errno)))")
  }
}

/// The words for an error number, and the number.
private func errorText(_ number: Int32) -> String {
  guard let words = strerror(number) else { return "error \(number)" }
  return "\(String(cString: words)) (error \(number))"
}
