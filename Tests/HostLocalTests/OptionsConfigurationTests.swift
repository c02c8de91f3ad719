import CNI
import Testing

@testable import HostLocal

@Suite("Options of our own")
struct OptionsConfigurationTests {
  private static func options(_ members: String) throws -> HostLocalOptions {
    try ConfigurationDocument.read(ipam: #""subnet": "10.0.0.0/24""# + (members.isEmpty ? "" : ", " + members)).options
  }

  struct Case: Sendable, CustomTestStringConvertible {
    var members: String
    var collects = true
    var reclaimsAfterReboot = false
    var isAddIdempotent = false
    var reportsExhaustion = false
    var testDescription: String { members }

    var options: HostLocalOptions {
      var options = HostLocalOptions()
      options.collects = collects
      options.reclaimsAfterReboot = reclaimsAfterReboot
      options.isAddIdempotent = isAddIdempotent
      options.reportsExhaustion = reportsExhaustion
      return options
    }
  }

  @Test(
    "each option has a key, and upstream's behaviour without it",
    arguments: [
      Case(members: ""),
      Case(members: #""gc": true, "reclaimAfterReboot": false, "idempotentAdd": false, "reportExhaustion": false"#),
      Case(members: #""gc": false"#, collects: false),
      Case(members: #""reclaimAfterReboot": true"#, reclaimsAfterReboot: true),
      Case(members: #""idempotentAdd": true"#, isAddIdempotent: true),
      Case(members: #""reportExhaustion": true"#, reportsExhaustion: true),
      Case(
        members: #""gc": false, "reclaimAfterReboot": true, "idempotentAdd": true, "reportExhaustion": true"#,
        collects: false,
        reclaimsAfterReboot: true,
        isAddIdempotent: true,
        reportsExhaustion: true
      ),
      Case(members: #""gc": null, "reclaimAfterReboot": null, "idempotentAdd": null, "reportExhaustion": null"#),
      Case(members: #""gc": false, "gc": true, "idempotentAdd": false, "idempotentAdd": true"#, isAddIdempotent: true),
      Case(members: #""gc": false, "gc": null"#, collects: false),
    ])
  func keys(example: Case) throws {
    #expect(try Self.options(example.members) == example.options)
  }

  @Test("a key of our own is matched exactly")
  func letterCase() throws {
    let members = #""GC": false, "reclaimafterreboot": true, "IdempotentAdd": true, "REPORTEXHAUSTION": 5"#
    #expect(try Self.options(members) == HostLocalOptions())
  }

  @Test("an option is true or false", arguments: ["gc", "reclaimAfterReboot", "idempotentAdd", "reportExhaustion"])
  func types(key: String) throws {
    for (value, kind) in [("1", "number"), (#""true""#, "string"), ("[]", "array"), ("{}", "object")] {
      let problem = try ConfigurationDocument.problem(ipam: #""subnet": "10.0.0.0/24", "\#(key)": \#(value)"#)
      #expect(
        problem == "json: cannot unmarshal \(kind) into Go struct field IPAMConfig.ipam.\(key) of type bool")
    }
  }
}

@Suite("What GC and STATUS need of a configuration")
struct OtherVerbsConfigurationTests {
  private static func forCollection(_ text: String) throws -> HostLocalConfiguration {
    try HostLocalConfiguration(forCollection: try NetworkConfiguration(parsing: Array(text.utf8)))
  }

  private static func forStatus(_ text: String) throws -> HostLocalConfiguration {
    try HostLocalConfiguration(forStatus: try NetworkConfiguration(parsing: Array(text.utf8)))
  }

  private static let missing = "IPAM config missing 'ipam' key"

  @Test("GC needs the directory and its option, and no ranges")
  func collection() throws {
    let configuration = try Self.forCollection(#"{"name": "web", "ipam": {"dataDir": "/x", "gc": false}}"#)
    #expect(configuration.networkDirectory == "/x/web")
    #expect(!configuration.options.collects)
    #expect(configuration.rangeSets.isEmpty)
    #expect(configuration.requestedAddresses.isEmpty)
    #expect(try Self.forCollection(#"{"name": "web", "ipam": {}}"#).networkDirectory == "/var/lib/cni/networks/web")
  }

  @Test("GC does not judge ranges, but takes no document that cannot be read")
  func collectionFaults() throws {
    _ = try Self.forCollection(#"{"name": "web", "ipam": {"ranges": [[]], "subnet": "10.0.0.0/32"}}"#)
    _ = try Self.forCollection(#"{"name": "web", "ipam": {}, "runtimeConfig": {"ips": [null]}}"#)
    #expect(throws: HostLocalError(.configuration, Self.missing)) { try Self.forCollection(#"{"name": "web"}"#) }
    #expect(throws: HostLocalError(.configuration, "invalid CIDR address: x")) {
      try Self.forCollection(#"{"name": "web", "ipam": {"subnet": "x"}}"#)
    }
    let error = try #require(throws: HostLocalError.self) {
      try Self.forCollection(#"{"name": "web", "ipam": {"dataDir": 5}}"#)
    }
    #expect(error.message.hasPrefix("json: cannot unmarshal number into "))
  }

  @Test("STATUS validates the ranges that there are")
  func status() throws {
    let configuration = try Self.forStatus(
      #"""
      {"name": "web", "cniVersion": "1.1.0", "ipam": {"subnet": "10.0.1.0/24", "ranges": [[{"subnet": "10.0.2.0/24"}]],
       "reportExhaustion": true}, "runtimeConfig": {"ipRanges": [[{"subnet": "10.0.0.0/24"}]]}}
      """#)
    #expect(
      configuration.rangeSets.map(\.description)
        == ["10.0.0.1-10.0.0.254", "10.0.1.1-10.0.1.254", "10.0.2.1-10.0.2.254"])
    #expect(configuration.options.reportsExhaustion)
    #expect(configuration.networkDirectory == "/var/lib/cni/networks/web")
    #expect(throws: HostLocalError(.configuration, "range set 0 overlaps with 1")) {
      try Self.forStatus(
        #"{"name": "web", "cniVersion": "1.1.0", "ipam": {"subnet": "10.0.0.0/8", "#
          + #""ranges": [[{"subnet": "10.0.0.0/24"}]]}}"#)
    }
    #expect(throws: HostLocalError(.configuration, Self.missing)) { try Self.forStatus(#"{"name": "web"}"#) }
  }

  @Test(
    "STATUS misses no ranges that come by the ipRanges capability",
    arguments: [
      (#"{"ipRanges": true}"#, true), (#"{"ips": true, "ipRanges": true}"#, true), (#"{"ipRanges": false}"#, false),
      (#"{"ips": true}"#, false), ("{}", false), ("null", false), (#"{"ipRanges": "true"}"#, false), ("[]", false),
    ])
  func capability(capabilities: String, takesRanges: Bool) throws {
    let text = #"{"name": "web", "capabilities": \#(capabilities), "ipam": {}}"#
    guard takesRanges else {
      #expect(throws: HostLocalError(.configuration, "no IP ranges specified")) { try Self.forStatus(text) }
      return
    }
    #expect(try Self.forStatus(text).rangeSets.isEmpty)
  }

  @Test("the capability excuses no faulty range")
  func faultyRange() {
    let text = #"{"name": "web", "capabilities": {"ipRanges": true}, "ipam": {"ranges": [[]]}}"#
    #expect(throws: HostLocalError(.configuration, "invalid range set 0: empty range set")) {
      try Self.forStatus(text)
    }
  }

  @Test("ADD takes no capability for ranges")
  func addNeedsRanges() throws {
    let text = #"{"name": "web", "capabilities": {"ipRanges": true}, "ipam": {}}"#
    #expect(try ConfigurationDocument.problem(text) == "no IP ranges specified")
  }
}
