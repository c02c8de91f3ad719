import Foundation
import IPAddressing
import Testing

@testable import ipamctl

@Suite("The survey of network namespaces")
final class NamespaceSurveyTests {
  private let host: HostFixture

  init() throws { host = try HostFixture() }

  @Test("finds the addresses of every process's namespace and says whose it is")
  func processes() throws {
    try host.addProcess("4711", addresses: ["10.1.2.2"], v6: ["20010db8000100000000000000000002"])
    let survey = NamespaceSurvey(host.roots)
    #expect(survey.obstacles.isEmpty)
    #expect(survey.count == 2)
    #expect(survey.holders[try address("10.1.2.2")] == "network namespace of process 4711 (pause)")
    #expect(survey.holders[try address("2001:db8:1::2")] == "network namespace of process 4711 (pause)")
    #expect(survey.holders[try address("10.1.2.3")] == nil)
  }

  @Test("calls a process's namespace by the place where it is mounted")
  func mounted() throws {
    try host.addProcess("4711", addresses: ["10.1.2.2"])
    let inode = try HostFiles.inode(of: host.root + "/proc/4711/ns/net")
    try host.write(
      "67 42 0:4 net:[\(inode)] /run/netns/web rw shared:3 - nsfs nsfs rw\n",
      to: "/proc/self/mountinfo"
    )
    #expect(NamespaceSurvey(host.roots).holders[try address("10.1.2.2")] == "network namespace /run/netns/web")
  }

  @Test("passes over a process that ends meanwhile, and over names that are no processes")
  func ended() throws {
    try host.makeDirectory("/proc/4712/net")
    try host.makeDirectory("/proc/sys/net")
    let survey = NamespaceSurvey(host.roots)
    #expect(survey.obstacles.isEmpty)
    #expect(survey.count == 1)
  }

  @Test("is incomplete when processes are hidden")
  func hidden() throws {
    try host.remove("/proc/1")
    #expect(NamespaceSurvey(host.roots).obstacles.first?.contains("does not list process 1") == true)
    try host.remove("/proc")
    #expect(NamespaceSurvey(host.roots).obstacles.first?.contains("processes cannot be listed") == true)
  }

  @Test("is incomplete when a process's lists cannot be read")
  func unreadable() throws {
    try host.addProcess("4711", addresses: ["10.1.2.2"])
    // Even root cannot read a directory as if it were a file.
    try host.remove("/proc/4711/net/fib_trie")
    try host.makeDirectory("/proc/4711/net/fib_trie")
    let obstacles = NamespaceSurvey(host.roots).obstacles
    #expect(obstacles.count == 1)
    #expect(obstacles.first?.contains("/proc/4711/net/fib_trie: is a directory") == true)
  }

  @Test("passes over a mounted namespace that another mount hides")
  func shadowed() throws {
    try host.write("", to: "/run/netns/web")
    try host.write(
      "67 42 0:4 net:[999] \(host.root)/run/netns/web rw - nsfs nsfs rw\n68 42 0:4 net:[998] /missing rw - nsfs nsfs rw\n",
      to: "/proc/self/mountinfo"
    )
    let survey = NamespaceSurvey(host.roots)
    #expect(survey.obstacles.isEmpty)
    #expect(survey.count == 1)
  }

  @Test(
    "looks into a real namespace that no process is in, and comes back",
    .enabled(if: RealNamespace.isPossible, "needs root and ip(8)"))
  func real() throws {
    let before = try HostFiles.inode(of: "/proc/thread-self/ns/net")
    let namespace = try RealNamespace(addresses: ["10.231.7.2/24", "2001:db8:e7::2/64"])
    let survey = NamespaceSurvey(HostRoots())
    #expect(survey.holders[try address("10.231.7.2")] == "network namespace \(namespace.path)")
    #expect(survey.holders[try address("2001:db8:e7::2")] == "network namespace \(namespace.path)")
    #expect(try HostFiles.inode(of: "/proc/thread-self/ns/net") == before)
  }

  @Test("reads the mounts of namespaces of the network, and no others")
  func mountInfo() {
    let text = """
      22 27 0:21 / /proc rw,relatime - proc proc rw
      67 42 0:4 net:[4026532178] /run/netns/web rw shared:3 - nsfs nsfs rw
      68 42 0:4 mnt:[4026532179] /run/containers/mnt rw shared:4 - nsfs nsfs rw
      69 42 0:4 net:[4026532180] /run/my\\040place/a\\134b rw - nsfs nsfs rw
      70 42
      """
    #expect(
      NamespaceMounts.mounts(mountInfo: Array(text.utf8)) == [
        NamespaceMounts.Mount(inode: 4_026_532_178, path: "/run/netns/web"),
        NamespaceMounts.Mount(inode: 4_026_532_180, path: "/run/my place/a\\b"),
      ]
    )
  }

  private func address(_ text: String) throws -> IPAddress { try #require(IPAddress(text)) }
}

/// A named network namespace whose loopback has addresses; it is deleted at the end of its life.
final class RealNamespace {
  static var isPossible: Bool { geteuid() == 0 && FileManager.default.isExecutableFile(atPath: ip) }

  let name = "ipamctl-\(UUID().uuidString.prefix(8))"
  var path: String { "/run/netns/" + name }

  init(addresses: [String]) throws {
    try Self.run("netns", "add", name)
    for address in addresses {
      // Without duplicate address detection, so that the address is there at once.
      try Self.run(["-n", name, "address", "add", address, "dev", "lo"] + (address.contains(":") ? ["nodad"] : []))
    }
    try Self.run("-n", name, "link", "set", "lo", "up")
  }

  deinit {
    // A namespace that cannot be deleted is left to its name's owner; the test has its result.
    try? Self.run("netns", "delete", name)
  }

  private static let ip = "/usr/sbin/ip"

  private static func run(_ arguments: String...) throws { try run(arguments) }

  private static func run(_ arguments: [String]) throws {
    let process = Process()
    process.executableURL = URL(filePath: ip)
    process.arguments = arguments
    try process.run()
    process.waitUntilExit()
    try #require(process.terminationStatus == 0, "ip \(arguments.joined(separator: " "))")
  }
}
