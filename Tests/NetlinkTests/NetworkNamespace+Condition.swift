import TestSupport
import Testing

extension NetworkNamespace {
  /// Why tests that need one may be left out.
  static let condition: ConditionTrait = .enabled(
    if: isPossible, "needs the rights of root, to make network namespaces")
}
