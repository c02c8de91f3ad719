import Testing

@testable import HostLocal

@Suite("Allocation as upstream tests it")
struct AllocationTests {
  private static let eight = #"[[{"subnet": "10.0.0.0/29"}]]"#
  private static let two = #"[[{"subnet": "10.0.0.0/30"}, {"subnet": "10.0.1.0/30"}]]"#
  private static let three = #"[[{"subnet": "10.0.0.0/30"}, {"subnet": "10.0.1.0/30"}, {"subnet": "10.0.2.0/30"}]]"#

  struct Case: Sendable, CustomTestStringConvertible {
    var ranges: String
    var taken: String = ""
    var cursor: String?
    var result: String?
    var testDescription: String { "\(ranges), taken \(taken), cursor \(cursor ?? "none")" }

    /// The files that make up the state before the call.
    var files: [String: String] {
      var files = Dictionary(uniqueKeysWithValues: taken.split(separator: " ").map { (String($0), "id\r\nethX") })
      files["last_reserved_ip.0"] = cursor
      return files
    }
  }

  @Test(
    "the first free address behind the cursor is given",
    arguments: [
      Case(ranges: eight, result: "10.0.0.2/29"),
      Case(ranges: #"[[{"subnet": "2001:db8:1::0/64"}]]"#, result: "2001:db8:1::2/64"),
      Case(ranges: #"[[{"subnet": "10.0.0.0/30"}]]"#, result: "10.0.0.2/30"),
      Case(ranges: eight, taken: "10.0.0.2", result: "10.0.0.3/29"),
      Case(ranges: eight, cursor: "10.0.0.5", result: "10.0.0.6/29"),
      Case(ranges: eight, taken: "10.0.0.4 10.0.0.5", cursor: "10.0.0.3", result: "10.0.0.6/29"),
      Case(ranges: eight, taken: "10.0.0.6", cursor: "10.0.0.5", result: "10.0.0.2/29"),
      Case(ranges: eight, taken: "10.0.0.2", cursor: "10.0.0.128", result: "10.0.0.3/29"),
      Case(ranges: eight, taken: "10.0.0.2 10.0.0.4 10.0.0.5 10.0.0.6", cursor: "10.0.0.3", result: "10.0.0.3/29"),
      Case(ranges: two, result: "10.0.0.2/30"),
      Case(ranges: two, cursor: "10.0.0.2", result: "10.0.1.2/30"),
      Case(ranges: three, cursor: "10.0.2.2", result: "10.0.0.2/30"),
      Case(ranges: eight, cursor: "10.0.0.5\n", result: "10.0.0.2/29"),
      Case(ranges: eight, cursor: "", result: "10.0.0.2/29"),
      Case(ranges: eight, cursor: "::ffff:10.0.0.5", result: "10.0.0.6/29"),
    ])
  func free(example: Case) async throws {
    let network = try ScratchNetwork(files: example.files)
    let result = try #require(example.result)
    #expect(try await network.add("ID", ranges: example.ranges) == [result])
    let address = String(result.prefix { $0 != "/" })
    #expect(network.content(address) == "ID\r\neth0")
    #expect(network.content("last_reserved_ip.0") == address)
  }

  @Test(
    "a full set is reported with all its ranges",
    arguments: [
      Case(ranges: #"[[{"subnet": "10.0.0.0/30"}]]"#, taken: "10.0.0.2", result: "10.0.0.1-10.0.0.2"),
      Case(
        ranges: eight,
        taken: "10.0.0.2 10.0.0.3 10.0.0.4 10.0.0.5 10.0.0.6",
        result: "10.0.0.1-10.0.0.6"
      ),
      Case(ranges: two, taken: "10.0.0.2 10.0.1.2", result: "10.0.0.1-10.0.0.2,10.0.1.1-10.0.1.2"),
    ])
  func exhausted(example: Case) async throws {
    let network = try ScratchNetwork(files: example.files)
    let error = try await #require(throws: HostLocalError.self) {
      try await network.add("ID", ranges: example.ranges)
    }
    let set = try #require(example.result)
    #expect(error.message == "failed to allocate for range 0: no IP addresses available in range set: \(set)")
    #expect(error.code == .exhausted)
    #expect(network.content("last_reserved_ip.0") == nil)
  }

  @Test("addresses are given in turn until none is left, and a released one comes last")
  func turns() async throws {
    let network = try ScratchNetwork()
    for number in 2...6 {
      #expect(try await network.add("c\(number)", ranges: Self.eight) == ["10.0.0.\(number)/29"])
    }
    await #expect(throws: HostLocalError.self) { try await network.add("c7", ranges: Self.eight) }
    try await network.del("c3", ranges: Self.eight)
    #expect(try await network.add("c7", ranges: Self.eight) == ["10.0.0.3/29"])
    let other = try ScratchNetwork()
    #expect(try await other.add("a", ranges: Self.eight) == ["10.0.0.2/29"])
    try await other.del("a", ranges: Self.eight)
    #expect(try await other.add("b", ranges: Self.eight) == ["10.0.0.3/29"])
  }

  @Test("an attachment that has an address of the set gets no second one")
  func duplicates() async throws {
    let network = try ScratchNetwork(files: ["10.0.0.4": "c1\r\neth1", "10.9.9.9": "c1\r\neth0"])
    #expect(try await network.add("c1", ranges: Self.eight) == ["10.0.0.2/29"])
    let error = try await #require(throws: HostLocalError.self) { try await network.add("c1", ranges: Self.eight) }
    #expect(
      error.message
        == "failed to allocate for range 0: 10.0.0.2 has been allocated to c1, duplicate allocation is not allowed")
    #expect(error.code == .duplicate)
  }

  @Test("of several addresses the first by the bytes of its name is reported")
  func duplicateOrder() async throws {
    let network = try ScratchNetwork(files: ["10.1.2.9": "c1\r\neth0", "10.1.2.10": " c1\r\neth0\n", "x": "c1\r\neth0"])
    let ranges = #"[[{"subnet": "10.1.2.0/24"}]]"#
    let error = try await #require(throws: HostLocalError.self) { try await network.add("c1", ranges: ranges) }
    #expect(
      error.message
        == "failed to allocate for range 0: 10.1.2.10 has been allocated to c1, duplicate allocation is not allowed")
  }

  @Test("an old-format entry of the container counts for every interface")
  func oldFormat() async throws {
    let network = try ScratchNetwork(files: ["10.0.0.3": "c1"])
    let error = try await #require(throws: HostLocalError.self) { try await network.add("c1", ranges: Self.eight) }
    #expect(error.code == .duplicate)
    #expect(error.message.hasPrefix("failed to allocate for range 0: 10.0.0.3 has been allocated to c1,"))
  }

  private static let twoSets = #"[[{"subnet": "10.1.2.0/24"}], [{"subnet": "10.1.3.0/24"}]]"#

  @Test("requests are served by the sets that contain them, and the other sets freely")
  func requests() async throws {
    let network = try ScratchNetwork()
    #expect(
      try await network.add("a", ranges: Self.twoSets, requesting: ["10.1.3.77", "10.1.2.88"])
        == ["10.1.2.88/24", "10.1.3.77/24"])
    #expect(network.content("last_reserved_ip.0") == "10.1.2.88")
    #expect(network.content("last_reserved_ip.1") == "10.1.3.77")
    #expect(
      try await network.add("b", ranges: Self.twoSets, requesting: ["10.1.3.5"]) == ["10.1.2.89/24", "10.1.3.5/24"])
    let mixed = #"[[{"subnet": "172.16.1.0/24"}, {"subnet": "10.1.2.0/24"}], [{"subnet": "2001:db8:1::/48"}]]"#
    #expect(
      try await ScratchNetwork().add("a", ranges: mixed, requesting: ["10.1.2.88", "2001:db8:1::999"])
        == ["10.1.2.88/24", "2001:db8:1::999/48"])
  }

  @Test("a request passes the check for duplicates")
  func requestedTwice() async throws {
    let network = try ScratchNetwork()
    #expect(try await network.add("a", ranges: Self.eight, requesting: ["10.0.0.4"]) == ["10.0.0.4/29"])
    #expect(try await network.add("a", ranges: Self.eight, requesting: ["10.0.0.6"]) == ["10.0.0.6/29"])
    #expect(network.content("10.0.0.4") == "a\r\neth0")
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    var requested: [String]
    var problem: String
    var testDescription: String { "\(requested)" }
  }

  @Test(
    "a request that cannot be served leaves nothing behind",
    arguments: [
      Refusal(
        requested: ["10.1.2.9"],
        problem: "failed to allocate for range 0: requested IP address 10.1.2.9 is not available in range set "
          + "10.1.2.1-10.1.2.254"
      ),
      Refusal(
        requested: ["10.1.3.9"],
        problem: "failed to allocate for range 1: requested IP address 10.1.3.9 is not available in range set "
          + "10.1.3.1-10.1.3.254"
      ),
      Refusal(
        requested: ["10.1.2.1"],
        problem: "failed to allocate for range 0: requested ip 10.1.2.1 is subnet's gateway"
      ),
      Refusal(requested: ["10.9.9.9"], problem: "failed to allocate all requested IPs: 10.9.9.9"),
      Refusal(requested: ["10.1.2.0"], problem: "failed to allocate all requested IPs: 10.1.2.0"),
      Refusal(requested: ["10.1.2.255"], problem: "failed to allocate all requested IPs: 10.1.2.255"),
      Refusal(requested: ["2001:db8::1"], problem: "failed to allocate all requested IPs: 2001:db8::1"),
      Refusal(requested: ["10.1.2.88", "10.1.2.77"], problem: "failed to allocate all requested IPs: 10.1.2.77"),
    ])
  func refusedRequests(example: Refusal) async throws {
    let network = try ScratchNetwork(files: ["10.1.2.9": "x\r\neth0", "10.1.3.9": "x\r\neth0"])
    let error = try await #require(throws: HostLocalError.self) {
      try await network.add("a", ranges: Self.twoSets, requesting: example.requested)
    }
    #expect(error.message == example.problem)
    #expect(error.code == .requestRefused)
    #expect(network.names.filter { $0.hasPrefix("10.") } == ["10.1.2.9", "10.1.3.9"])
  }

  @Test("the gateway of another set is an address like any other")
  func foreignGateway() async throws {
    let ranges = #"[[{"subnet": "10.0.0.0/29", "gateway": "10.0.1.2"}], [{"subnet": "10.0.1.0/29"}]]"#
    #expect(try await ScratchNetwork().add("a", ranges: ranges) == ["10.0.0.1/29", "10.0.1.2/29"])
  }
}
