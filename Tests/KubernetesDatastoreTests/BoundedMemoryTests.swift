import CalicoModel
import Datastore
import Testing

@testable import KubernetesDatastore

@Suite("What a store remembers")
struct BoundedMemoryTests {
  @Test("Above its number of entries a memory forgets a quarter, the oldest first")
  func number() {
    var memory = BoundedMemory<Int, String>(capacity: 8)
    for number in 0..<8 { memory[number] = "\(number)" }
    #expect((0..<8).allSatisfy { memory[$0] == "\($0)" })
    // What is put in once more is the youngest.
    memory[0] = "again"
    memory[8] = "8"
    #expect((0..<9).filter { memory[$0] != nil } == [0, 4, 5, 6, 7, 8])
    #expect(memory.weight == 6)
    memory[0] = nil
    #expect(memory[0] == nil)
    #expect(memory.weight == 5)
  }

  @Test("Entries of different sizes never come to more bytes than there may be")
  func bytes() {
    var memory = BoundedMemory<Int, [UInt8]>(capacity: 1000) { $0.count }
    for number in 0..<200 {
      memory[number % 50] = [UInt8](repeating: 0, count: number * 37 % 251)
      #expect(memory.weight <= 1000)
      #expect(memory.weight == (0..<50).reduce(0) { $0 + (memory[$1]?.count ?? 0) })
      #expect(memory[number % 50] != nil)
    }
  }

  @Test("An entry that is larger than the memory is not kept")
  func tooLarge() {
    var memory = BoundedMemory<String, [UInt8]>(capacity: 100) { $0.count }
    memory["small"] = [1]
    memory["large"] = [UInt8](repeating: 0, count: 101)
    #expect(memory["large"] == nil)
    #expect(memory.weight <= 100)
    memory["small"] = [2]
    #expect(memory["small"] == [2])
  }

  @Test("The values that a store keeps are bounded in bytes, however large blocks are")
  func store() {
    var state = KubernetesDatastore.State()
    for number in 0..<256 {
      let bytes = [UInt8](repeating: 0, count: 16 << 10)
      state.bodies[.handle("h\(number)")] = .init(revision: .init("\(number)", identity: nil), bytes: bytes)
    }
    #expect(state.bodies.weight <= 512 << 10)
    #expect(state.bodies[.handle("h255")] != nil)
  }
}
