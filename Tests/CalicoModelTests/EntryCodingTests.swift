import CalicoModel
import IPAddressing
import Testing

private func text(_ bytes: [UInt8]) -> String { String(decoding: bytes, as: UTF8.self) }

@Suite("Stored affinities")
struct BlockAffinityTests {
  private func affinity(_ text: String) throws(ModelError) -> BlockAffinity {
    try BlockAffinity(decoding: Array(text.utf8))
  }

  @Test("every state is read and written")
  func states() throws {
    let states: [(String, BlockAffinity.State)] = [
      ("pending", .pending), ("confirmed", .confirmed), ("pendingDeletion", .pendingDeletion), ("", .unstated),
      ("Confirmed", .other("Confirmed")), ("later", .other("later")),
    ]
    for (name, state) in states {
      let document = #"{"state":"\#(name)","deleted":false}"#
      #expect(try affinity(document).state == state)
      #expect(text(try affinity(document).encoded()) == document)
      #expect(text(BlockAffinity(state).encoded()) == document)
    }
  }

  // Sections 1.7 and 1.12.
  @Test(
    "very old data has no state, and may be nothing at all",
    arguments: ["", "{}", #"{"state":null}"#, #"{"deleted":null}"#])
  func oldData(document: String) throws {
    let affinity = try affinity(document)
    #expect(affinity.state == .unstated)
    #expect(!affinity.isDeleted)
    #expect(text(affinity.encoded()) == #"{"state":"","deleted":false}"#)
  }

  @Test("unknown members and the mark of deletion are kept")
  func unknownMembers() throws {
    var affinity = try affinity(#"{"x":[1e2],"state":"pending","deleted":true,"y":{}}"#)
    #expect(affinity.isDeleted)
    affinity.state = .confirmed
    #expect(text(affinity.encoded()) == #"{"state":"confirmed","deleted":true,"x":[1e2],"y":{}}"#)
  }

  @Test(
    "what is no affinity is malformed", arguments: ["[]", "null", "x", " ", #"{"state":1}"#, #"{"deleted":"false"}"#])
  func malformed(document: String) {
    #expect(throws: ModelError.self) { try affinity(document) }
  }
}

@Suite("Stored handles")
struct IPAMHandleTests {
  private func handle(_ text: String) throws(ModelError) -> IPAMHandle { try IPAMHandle(decoding: Array(text.utf8)) }

  @Test("addresses are counted in and out by block")
  func counting() throws {
    let (v4, v6) = (try network("10.65.0.0/26"), try network("fd00::/122"))
    var handle = IPAMHandle()
    #expect(handle.isEmpty)
    handle.increment(v4, by: 2)
    handle.increment(v6, by: 1)
    handle.increment(v4, by: 1)
    #expect(handle.counts == [v4: 3, v6: 1])
    #expect(handle.count(.v4) == 3)
    #expect(handle.count(.v6) == 1)
    #expect(text(handle.encoded()) == #"{"block":{"10.65.0.0/26":3,"fd00::/122":1},"deleted":false}"#)
    #expect(handle.decrement(v4, by: 4) == false)
    #expect(handle.counts[v4] == 3)
    #expect(handle.decrement(v4, by: 3) == true)
    #expect(handle.counts[v4] == nil)
    #expect(handle.decrement(v4, by: 1) == false)
    handle.setCount(0, of: v6)
    #expect(handle.isEmpty)
    handle.setCount(5, of: v6)
    #expect(handle.count(.v6) == 5)
  }

  @Test("blocks are written in the order of their texts")
  func order() throws {
    var handle = IPAMHandle()
    for text in ["9.0.0.0/26", "10.65.0.128/26", "10.65.0.64/26", "fd00::/122"] {
      handle.increment(try network(text), by: 1)
    }
    #expect(
      text(handle.encoded())
        == #"{"block":{"10.65.0.128/26":1,"10.65.0.64/26":1,"9.0.0.0/26":1,"fd00::/122":1},"deleted":false}"#)
  }

  // Section 8.3, D22, and section 1.8.
  @Test("a missing map is an empty one", arguments: ["{}", #"{"block":null}"#, #"{"block":{},"deleted":null}"#])
  func missingMap(document: String) throws {
    let handle = try handle(document)
    #expect(handle.isEmpty)
    #expect(text(handle.encoded()) == #"{"block":{},"deleted":false}"#)
  }

  @Test("entries that name no block or count nothing are kept, and unknown members as well")
  func oddEntries() throws {
    let handle = try handle(
      #"{"block":{"x":1,"10.65.0.1/26":2,"10.65.0.0/26":-1,"10.65.1.0/26":0,"10.65.2.0/26":4},"deleted":true,"n":[ ]}"#)
    #expect(handle.counts == [try network("10.65.2.0/26"): 4])
    #expect(!handle.isEmpty)
    #expect(handle.isDeleted)
    #expect(
      text(handle.encoded())
        == #"{"block":{"10.65.0.0/26":-1,"10.65.0.1/26":2,"10.65.1.0/26":0,"10.65.2.0/26":4,"x":1},"deleted":true,"n":[ ]}"#
    )
  }

  @Test("counts that cannot be added end at the greatest number")
  func overflow() throws {
    let largest = "9223372036854775807"
    var handle = try handle(
      #"{"block":{"10.65.0.0/26":\#(largest),"10.65.0.0/26":\#(largest),"10.65.1.0/26":\#(largest)}}"#)
    let block = try network("10.65.0.0/26")
    #expect(handle.counts[block] == .max)
    #expect(handle.count(.v4) == .max)
    handle.increment(block, by: 1)
    #expect(handle.counts[block] == .max)
  }

  @Test(
    "what is no handle is malformed",
    arguments: [
      "", "[]", #"{"block":[]}"#, #"{"block":{"10.65.0.0/26":"1"}}"#, #"{"block":{"10.65.0.0/26":null}}"#,
      #"{"block":{"10.65.0.0/26":1.5}}"#, #"{"block":{"10.65.0.0/26":9223372036854775808}}"#,
    ])
  func malformed(document: String) {
    #expect(throws: ModelError.self) { try handle(document) }
  }
}

// Section 1.9.
@Suite("Stored configuration")
struct IPAMConfigurationTests {
  private func configuration(_ text: String) throws(ModelError) -> IPAMConfiguration {
    try IPAMConfiguration(decoding: Array(text.utf8))
  }

  @Test("without an entry, blocks are claimed and borrowed")
  func absent() {
    let configuration = IPAMConfiguration()
    #expect(!configuration.strictAffinity)
    #expect(configuration.autoAllocateBlocks)
    #expect(configuration.maxBlocksPerHost == 0)
    #expect(configuration.virtualMachineAddressPersistence == .enabled)
    #expect(configuration.cooldownSeconds == 0)
    // What v3.32 creates in this case (section 1.13, O1).
    #expect(text(configuration.encoded()) == #"{"auto_allocate_blocks":true,"kubeVirtVMAddressPersistence":"Enabled"}"#)
  }

  @Test(
    "in an entry, a missing member is false: no blocks are claimed",
    arguments: ["{}", #"{"auto_allocate_blocks":null}"#])
  func trap(document: String) throws {
    let configuration = try configuration(document)
    #expect(!configuration.autoAllocateBlocks)
    #expect(configuration.virtualMachineAddressPersistence == nil)
    #expect(configuration == (try self.configuration("{}")))
    #expect(text(configuration.encoded()) == "{}")
  }

  @Test("every member is read and written")
  func members() throws {
    let document =
      #"{"strict_affinity":true,"auto_allocate_blocks":true,"maxBlocksPerHost":4,"#
      + #""kubeVirtVMAddressPersistence":"Disabled","ipCooldownSeconds":30}"#
    let configuration = try configuration(document)
    #expect(configuration.strictAffinity)
    #expect(configuration.autoAllocateBlocks)
    #expect(configuration.maxBlocksPerHost == 4)
    #expect(configuration.virtualMachineAddressPersistence == .disabled)
    #expect(configuration.cooldownSeconds == 30)
    #expect(text(configuration.encoded()) == document)
  }

  @Test("unknown members are kept, and nothing is written before a missing one")
  func unknownMembers() throws {
    #expect(text(try configuration(#"{"x":1e2,"strict_affinity":false}"#).encoded()) == #"{"x":1e2}"#)
    #expect(
      text(try configuration(#"{"x":{},"strict_affinity":true,"y":[]}"#).encoded())
        == #"{"strict_affinity":true,"x":{},"y":[]}"#)
  }

  @Test(
    "what is no configuration is malformed",
    arguments: [
      "", "[]", "null", #"{"strict_affinity":"true"}"#, #"{"maxBlocksPerHost":1.5}"#, #"{"ipCooldownSeconds":"5"}"#,
    ])
  func malformed(document: String) {
    #expect(throws: ModelError.self) { try configuration(document) }
  }
}

@Suite("Labels of resources")
struct ResourceLabelsTests {
  @Test("labels are those of the metadata")
  func labels() throws {
    func labels(_ text: String) throws -> [String: String] { try ResourceLabels.decode(Array(text.utf8)) }
    #expect(
      try labels(#"{"spec":{"labels":{"x":"y"}},"metadata":{"name":"n","labels":{"a":"1","b":""}},"labels":{"z":"z"}}"#)
        == ["a": "1", "b": ""])
    for text in ["{}", #"{"metadata":null}"#, #"{"metadata":{}}"#, #"{"metadata":{"labels":null}}"#] {
      #expect(try labels(text).isEmpty)
    }
    for text in ["", "[]", #"{"metadata":{"labels":{"a":1}}}"#, #"{"metadata":{"labels":[]}}"#] {
      #expect(throws: ModelError.self) { try labels(text) }
    }
  }
}
