/// Carries out requests that do not depend on each other.
enum Parallel {
  /// Applies a function to each element, to some of them at the same time.
  ///
  /// - Parameters:
  ///   - elements: what to do it for.
  ///   - limit: how many at once.
  ///   - body: the function.
  /// - Returns: the results, in the order of the elements.
  static func map<Element: Sendable, Output: Sendable>(
    _ elements: [Element], limit: Int, _ body: @escaping @Sendable (Element) async -> Output
  ) async -> [Output] {
    if elements.count == 1 { return [await body(elements[0])] }
    return await withTaskGroup(of: (Int, Output).self) { group in
      var outputs = [Output?](repeating: nil, count: elements.count)
      var next = 0
      while next < min(limit, elements.count) {
        let index = next
        group.addTask { (index, await body(elements[index])) }
        next += 1
      }
      while let (index, output) = await group.next() {
        outputs[index] = output
        if next < elements.count {
          let index = next
          group.addTask { (index, await body(elements[index])) }
          next += 1
        }
      }
      return outputs.compactMap(\.self)
    }
  }
}
