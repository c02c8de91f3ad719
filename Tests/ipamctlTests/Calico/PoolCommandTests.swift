import ArgumentParser
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Synchronization
import Testing

@testable import ipamctl

@Suite("ipamctl pool")
struct PoolCommandTests {
  /// A person at a terminal, or nobody.
  final class Person: Sendable {
    private let state = Mutex((lines: [String](), questions: [String]()))
    private let answer: String?
    let isThere: Bool

    init(isThere: Bool = true, answers answer: String? = "y") {
      self.isThere = isThere
      self.answer = answer
    }

    var conversation: Conversation {
      Conversation(
        canAsk: isThere, say: { line in self.state.withLock { $0.lines.append(line) } },
        ask: { question in
          self.state.withLock { $0.questions.append(question) }
          return self.answer
        })
    }

    var questions: [String] { state.withLock { $0.questions } }

    /// What was said since the last call.
    func takeLines() -> [String] {
      state.withLock { state in
        defer { state.lines = [] }
        return state.lines
      }
    }
  }

  private let memory = InMemoryDatastore()
  private var session: Session

  init() {
    session = Session(ChosenDatastore(memory, name: "memory"))
    put(
      .resource(.ipPool, "old"),
      #"{"kind":"IPPool","apiVersion":"projectcalico.org/v3","metadata":{"name":"old"},"spec":{"cidr":"10.65.0.0/29","blockSize":30}}"#
    )
    // A pod, a tunnel, a container that is no pod.
    put(
      .block(CIDR("10.65.0.0/30") ?? CIDR(host: IPAddress(v4: 0))),
      #"""
      {"cidr":"10.65.0.0/30","affinity":"host:node-a","allocations":[0,1,2,null],"unallocated":[3],"attributes":[
      {"handle_id":"h1","secondary":{"node":"node-a","namespace":"default","pod":"web"}},
      {"handle_id":"h2","secondary":{"node":"node-a","type":"vxlanTunnelAddress"}},
      {"handle_id":"net1.c1\u001b[31m","secondary":{"node":"node-a"}}],
      "sequenceNumber":10,"sequenceNumberForAllocation":{"0":7,"1":8,"2":9},"deleted":false}
      """#)
  }

  private func put(_ key: Key, _ text: String) { memory.put(Array(text.utf8), at: KeyPath.path(of: key)) }

  private func migrate(_ arguments: String, _ person: Person) async throws {
    let command = try #require(
      try await IPAMControl.asyncParseAsRoot(["pool", "migrate"] + arguments.split(separator: " ").map(String.init))
        as? PoolMigrateCommand)
    try await command.execute(session, person.conversation)
  }

  private func resize(_ arguments: String, _ person: Person) async throws {
    let command = try #require(
      try await IPAMControl.asyncParseAsRoot(
        ["pool", "resize-blocks"] + arguments.split(separator: " ").map(String.init))
        as? PoolResizeBlocksCommand)
    try await command.execute(session, person.conversation)
  }

  private static let toNew = "old new --cidr 10.66.0.0/28 --timeout 0"

  @Test("shows the plan, and changes nothing where nobody can be asked")
  func nobody() async throws {
    let person = Person(isThere: false)
    let before = memory.dump()
    let failure = await #expect(throws: CommandFailure.self) { try await migrate(Self.toNew, person) }
    #expect(failure?.description == "nothing was changed: there is no terminal to ask at; agree with --yes")
    #expect(
      person.takeLines().prefix(8) == [
        "Migration from IPPool old (10.65.0.0/29, blocks of /30) to IPPool new (10.66.0.0/28, blocks of /30)", "",
        "  1. create IPPool new with 10.66.0.0/28, blocks of /30, and otherwise as old; nothing is given out of it yet",
        "  2. enable IPPool new",
        "  3. disable IPPool old: nothing new is given out of it, and who has an address keeps it",
        "  4. wait until no address of IPPool old is in use (now 3 addresses); restart the workloads meanwhile",
        "  5. delete IPPool old", "",
      ])
    #expect(memory.dump() == before)
  }

  @Test("a person who does not agree changes nothing", arguments: ["n", "", "yep", nil])
  func disagreement(_ answer: String?) async throws {
    let person = Person(answers: answer)
    let before = memory.dump()
    try await migrate(Self.toNew, person)
    #expect(person.questions == ["Go on? [y/N]"])
    #expect(person.takeLines().last == "Nothing was changed.")
    #expect(memory.dump() == before)
  }

  @Test("tells of every step, and who still has addresses; says how to go on; and goes back")
  func thereAndBack() async throws {
    let person = Person()
    let before = memory.dump()
    let failure = await #expect(throws: CommandFailure.self) { try await migrate(Self.toNew, person) }
    #expect(
      failure?.description
        == "3 addresses of IPPool old still in use. 'ipamctl pool migrate --continue old' goes on, "
        + "'ipamctl pool migrate --undo old' goes back")
    #expect(
      person.takeLines().suffix(8) == [
        "1/5 IPPool new is created", "2/5 IPPool new is enabled", "3/5 IPPool old is disabled",
        "4/5 waiting: 3 addresses of IPPool old in use",
        "    ADDRESS    NODE    WORKLOAD",
        "    10.65.0.0  node-a  default/web",
        "    10.65.0.1  node-a  vxlanTunnelAddress of the node",
        "    10.65.0.2  node-a  net1.c1\\x1b[31m",
      ])
    try await migrate("--undo old --yes", person)
    #expect(
      person.takeLines() == [
        "Way back: Migration from IPPool old (10.65.0.0/29, blocks of /30) to IPPool new (10.66.0.0/28, blocks of /30)",
        "",
        "  1. enable IPPool old",
        "  2. disable IPPool new: nothing new is given out of it, and who has an address keeps it",
        "  3. wait until no address of IPPool new is in use; restart the workloads meanwhile",
        "  4. delete IPPool new", "",
        "It may be interrupted at any time: 'ipamctl pool migrate --continue old' goes on.",
        "1/4 IPPool old is enabled", "2/4 IPPool new is disabled", "3/4 no address of IPPool new is in use",
        "4/4 IPPool new is deleted", "Everything is as it was: IPPool old is in use.",
      ])
    #expect(person.questions.count == 1)
    #expect(memory.dump().keys == before.keys)
  }

  @Test("shows how far it is, as a table and as JSON")
  func status() async throws {
    let person = Person()
    try await migrate("--status", person)
    #expect(person.takeLines() == ["No 'pool migrate' is under way in memory."])
    try await migrate("--status -o json", person)
    #expect(person.takeLines() == ["[]"])
    await #expect(throws: CommandFailure.self) { try await migrate(Self.toNew, person) }
    _ = person.takeLines()
    try await migrate("--status new", person)
    let lines = person.takeLines()
    #expect(
      lines.contains(
        "  1. wait until no address of IPPool old is in use (now 3 addresses); restart the workloads meanwhile"))
    #expect(lines.contains("IPPool old: 10.65.0.0/29, blocks of /30, disabled; 3 addresses in use"))
    #expect(lines.contains("IPPool new: 10.66.0.0/28, blocks of /30, enabled; 0 addresses in use"))
    try await migrate("--status -o json", person)
    let document = try JSON(parsing: Array(try #require(person.takeLines().first).utf8)).arrayValue?.first?.objectValue
    #expect(document?["direction"] == "forward")
    #expect(document?["steps"] == ["drain old", "delete old"])
    let source = document?["source"]?.objectValue
    #expect(source?["inUse"] == 3)
    #expect(
      source?["addresses"]?.arrayValue?.first
        == ["address": "10.65.0.0", "node": "node-a", "workload": "default/web"])
    await #expect(throws: CommandFailure.self) { try await resize("--status old", person) }
  }

  @Test("refuses with everything that stands in the way")
  func refusals() async throws {
    let person = Person()
    let failure = await #expect(throws: CommandFailure.self) {
      try await resize("old 31 --temporary-cidr fd00::/112", person)
    }
    #expect(failure?.description.hasPrefix("cannot change the blocks of IPPool old:") == true)
    #expect(failure?.description.contains("fd00::/112 is of another IP version than IPPool old (10.65.0.0/29)") == true)
    #expect(person.takeLines().isEmpty)
    let unknown = await #expect(throws: CommandFailure.self) { try await migrate("--undo nothing", person) }
    #expect(unknown?.description == "no 'pool migrate' of IPPool nothing is under way")
  }

  @Test(
    "a command line that says too little or too much is explained",
    arguments: [
      ("migrate", "name the pool to leave and the pool to go to"),
      ("migrate old", "name the pool to leave and the pool to go to"),
      ("migrate old new --cidr 10.0.0.0", "The value '10.0.0.0' is invalid for '--cidr <cidr>'"),
      ("migrate --undo old new", "takes one of its pools at most, and nothing else"),
      ("migrate --undo --continue", "--continue, --undo and --status exclude one another"),
      ("migrate old new -o json", "--output json is for --status"),
      ("resize-blocks old", "name the pool, and the new size of its blocks"),
      ("resize-blocks old 28", "give --temporary-cidr"),
      ("resize-blocks old x --temporary-cidr 10.0.0.0/24", "The value 'x' is invalid for '<size>'"),
      ("resize-blocks --status old --temporary-name t", "takes one of its pools at most, and nothing else"),
    ])
  func usage(_ arguments: String, _ text: String) async {
    let error = await #expect(throws: (any Error).self) {
      try await IPAMControl.asyncParseAsRoot(["pool"] + arguments.split(separator: " ").map(String.init))
    }
    #expect(error.map { IPAMControl.message(for: $0).contains(text) } == true)
  }

  @Test("the size of blocks may be written with a slash", arguments: ["28", "/28"])
  func sizes(_ text: String) { #expect(BlockSize(argument: text)?.length == 28) }

  @Test("what is no size", arguments: ["", "/", "//28", "-1", "2 8", "１"])
  func noSizes(_ text: String) { #expect(BlockSize(argument: text) == nil) }
}
