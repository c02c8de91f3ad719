/// Why a patch cannot be applied.
struct PatchFailure: Error, Hashable, CustomStringConvertible {
  let description: String

  init(_ description: String) { self.description = description }
}
