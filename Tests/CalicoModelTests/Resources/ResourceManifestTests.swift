import CalicoModel
import JSON
import Testing

@Suite("Resources as people write them")
struct ResourceManifestTests {
  private static func read(_ text: String) throws -> [Resource] {
    try Resource.resources(inManifest: Array(text.utf8))
  }

  private static let head = #""apiVersion":"projectcalico.org/v3","kind":"IPPool""#

  @Test("one resource, a list in brackets, and a list object whose items need not repeat their kind")
  func shapes() throws {
    let one = #"{\#(Self.head),"metadata":{"name":"a"},"spec":{"cidr":"10.0.0.0/24"}}"#
    #expect(try Self.read(one).map(\.name) == ["a"])
    #expect(try Self.read("[\(one),\(one)]").count == 2)
    let list = #"{"apiVersion":"projectcalico.org/v3","kind":"IPPoolList","items":[{"metadata":{"name":"x"}},\#(one)]}"#
    #expect(try Self.read(list).map(\.name) == ["x", "a"])
    #expect(try Self.read("[]").isEmpty)
    #expect(try Self.read(#"{\#(Self.head)}"#).map(\.name) == [""])
  }

  struct Refusal: Sendable, CustomTestStringConvertible {
    var text: String
    var message: String
    var testDescription: String { message }
  }

  @Test(
    "what a kind does not have, and what is of another type, is refused in the words of the originals",
    arguments: [
      Refusal(
        text: #"{\#(head),"spec":{"cidr":"10.0.0.0/24","cidrr":1}}"#,
        message: "field in document is not recognized or is in the wrong location: cidrr"),
      Refusal(
        text: #"{\#(head),"metadata":{"title":"x"}}"#,
        message: "field in document is not recognized or is in the wrong location: title"),
      Refusal(
        text: #"{\#(head),"spec":{"disabled":"True"}}"#,
        message: "cannot unmarshal string into Go struct field IPPoolSpec.spec.disabled of type bool"),
      Refusal(
        text: #"{\#(head),"spec":{"disabled":1}}"#,
        message: "cannot unmarshal number into Go struct field IPPoolSpec.spec.disabled of type bool"),
      Refusal(
        text: #"{\#(head),"spec":{"blockSize":26.5}}"#,
        message: "cannot unmarshal number 26.5 into Go struct field IPPoolSpec.spec.blockSize of type int"),
      Refusal(
        text: #"{\#(head),"spec":{"cidr":10}}"#,
        message: "cannot unmarshal number into Go struct field IPPoolSpec.spec.cidr of type string"),
      Refusal(
        text: #"{\#(head),"spec":{"allowedUses":"Workload"}}"#,
        message: "cannot unmarshal string into Go struct field IPPoolSpec.spec.allowedUses of type "
          + "[]v3.IPPoolAllowedUse"),
      Refusal(
        text: #"{\#(head),"spec":{"allowedUses":[true]}}"#,
        message: "cannot unmarshal bool into Go struct field IPPoolSpec.spec.allowedUses of type v3.IPPoolAllowedUse"),
      Refusal(
        text: #"{\#(head),"spec":[]}"#,
        message: "cannot unmarshal array into Go struct field IPPool.spec of type v3.IPPoolSpec"),
      Refusal(
        text: #"{\#(head),"metadata":{"labels":{"a":1}}}"#,
        message: "cannot unmarshal number into Go struct field ObjectMeta.metadata.labels of type string"),
      Refusal(
        text:
          #"{"apiVersion":"projectcalico.org/v3","kind":"IPAMConfiguration","spec":{"maxBlocksPerHost":3000000000}}"#,
        message: "cannot unmarshal number 3000000000 into Go struct field "
          + "IPAMConfigurationSpec.spec.maxBlocksPerHost of type int32"),
      Refusal(text: #"{\#(head),"spec":{"cidr":"a","cidr":"b"}}"#, message: #"key "cidr" already set in map"#),
      Refusal(text: #"{\#(head),"metadata":{"labels":{"a":"","a":""}}}"#, message: #"key "a" already set in map"#),
      Refusal(
        text: #"{"apiVersion":"projectcalico.org/v3","kind":"IPAMBlock"}"#,
        message: "unknown resource type (IPAMBlock) and/or version (projectcalico.org/v3)"),
      Refusal(
        text: #"{"apiVersion":"projectcalico.org/v3","kind":"BlockAffinityList","items":[]}"#,
        message: "unknown resource type (BlockAffinityList) and/or version (projectcalico.org/v3)"),
      Refusal(
        text: #"{"apiVersion":"v1","kind":"IPPool"}"#, message: "unknown resource type (IPPool) and/or version (v1)"),
      Refusal(text: "{}", message: "unknown resource type () and/or version ()"),
      Refusal(text: "7", message: "cannot unmarshal number into Go value of type unstructured.resource"),
      Refusal(text: "{]", message: "invalid character ']' looking for beginning of object key string"),
      Refusal(
        text: #"{\#(head),"metadata":{"name":"a","namespace":"b"}}"#,
        message: "namespace should not be specified for a non-namespaced resource. "
          + "IPPool is not a namespaced resource"),
      Refusal(
        text: #"{\#(head),"metadata":{"creationTimestamp":"yesterday"}}"#,
        message: #"parsing time "yesterday": not a time in RFC 3339, in metadata.creationTimestamp"#),
    ])
  func strictness(refusal: Refusal) {
    #expect(Documents.failure { _ = try Self.read(refusal.text) } == refusal.message)
  }

  @Test("keys may be written in any case, as in Go; null is absence")
  func leniency() throws {
    let pool = try #require(
      try Self.read(#"{\#(Self.head),"metadata":null,"spec":{"CIDR":"10.0.0.0/24","disabled":null}}"#).first)
    #expect(pool.specification["cidr"]?.stringValue == "10.0.0.0/24")
    #expect(pool.specification.members.count == 1)
  }

  @Test("a document that is too large is not parsed")
  func size() {
    let text = [UInt8](repeating: UInt8(ascii: " "), count: Resource.maximumDocumentSize + 1)
    #expect(Documents.failure { _ = try Resource.resources(inManifest: text) }?.contains("10000001 bytes") == true)
  }

  @Test("kinds on a command line")
  func arguments() throws {
    let names: [(ResourceKind, [String])] = [
      (.ipPool, ["ippool", "ippools", "ipp", "ipps", "pool", "POOLS"]),
      (.ipReservation, ["ipreservation", "ipreservations", "reservation", "reservations"]),
      (.ipamConfiguration, ["ipamconfiguration", "ipamconfigurations", "IPAMConfig", "ipamconfigs"]),
      (.node, ["node", "nodes", "no", "nos"]),
    ]
    for (kind, arguments) in names {
      for argument in arguments { #expect(try ResourceKind(argument: argument) == kind) }
    }
    for argument in ["blockaffinity", "BlockAffinities", "ipamblock", ""] {
      let message = "resource type '\(argument)' is not supported"
      #expect(Documents.failure { _ = try ResourceKind(argument: argument) } == message)
    }
  }
}
