import CalicoModel
import JSON
import Testing

@Suite("Mistakes in documents")
struct ResourceMistakeTests {
  private func failure(_ text: String) throws -> ResourceError {
    try #require(#expect(throws: ResourceError.self) { try Resource.resources(inManifest: Array(text.utf8)) })
  }

  private func pool(_ members: String) -> String {
    #"{"apiVersion":"projectcalico.org/v3","kind":"IPPool","metadata":{"name":"p"},\#(members)}"#
  }

  @Test(
    "are told with their place, and with what was probably meant",
    arguments: [
      (#""spec":{"cidr":"10.0.0.0/24","natOutgong":true}"#, "spec.natOutgong", "did you mean 'natOutgoing'?"),
      (#""spec":{"CIDRR":"10.0.0.0/24"}"#, "spec.CIDRR", "did you mean 'cidr'?"),
      (#""cidr":"10.0.0.0/24""#, "cidr", "did you mean 'spec.cidr'?"),
      (#""spec":{"labels":{}}"#, "spec.labels", "did you mean 'metadata.labels'?"),
      (#""spce":{"cidr":"10.0.0.0/24"}"#, "spce", "did you mean 'spec'?"),
      (#""spec":{"disabled":"True"}"#, "spec.disabled", "has to be true or false, without quotes"),
      (#""spec":{"blockSize":"26"}"#, "spec.blockSize", "has to be a whole number"),
      (#""spec":{"allowedUses":"Workload"}"#, "spec.allowedUses", "has to be a list"),
      (
        #""spec":{"allowedUses":["Workload",1]}"#, "spec.allowedUses[1]",
        "has to be text; put a value that looks like something else in quotes"
      ),
      (#""spec":[]"#, "spec", "has to be an object"),
      (#""spec":{"cidr":"a","cidr":"b"}"#, "spec.cidr", "remove one of the two"),
      (#""metadata":{"name":"q"}"#, "metadata", "remove one of the two"),
    ])
  func places(_ members: String, _ place: String, _ advice: String) throws {
    let error = try failure(pool(members))
    #expect(error.place?.description == place)
    #expect(error.advice == advice)
  }

  @Test("of a field that is like none come with no advice")
  func unlike() throws {
    let error = try failure(pool(#""spec":{"frobnicate":1}"#))
    #expect(error.description == "field in document is not recognized or is in the wrong location: frobnicate")
    #expect(error.place?.description == "spec.frobnicate")
    #expect(error.advice == nil)
  }

  @Test("in lists are told with the index")
  func lists() throws {
    let good = pool(#""spec":{}"#)
    let bad = pool(#""spec":{"cidrs":""}"#)
    #expect(try failure("[\(good),\(bad)]").place?.description == "[1].spec.cidrs")
    let list = #"{"apiVersion":"projectcalico.org/v3","kind":"IPPoolList","items":[\#(good),\#(bad)]}"#
    #expect(try failure(list).place?.description == "items[1].spec.cidrs")
  }

  @Test(
    "of kinds and versions suggest the right one",
    arguments: [
      ("projectcalico.org/v3", "IPpool", "kind", "did you mean 'IPPool'?"),
      ("projectcalico.org/v3", "IPReservatoin", "kind", "did you mean 'IPReservation'?"),
      ("projectcalico.org/v3", "IPAMBlock", "kind", "has to be one of IPPool, IPReservation, IPAMConfiguration, Node"),
      ("projectcalico.org/v1", "IPPool", "apiVersion", "has to be projectcalico.org/v3"),
      ("crd.projectcalico.org/v1", "IPPool", "apiVersion", "has to be projectcalico.org/v3"),
    ])
  func kinds(_ version: String, _ kind: String, _ place: String, _ advice: String) throws {
    let error = try failure(#"{"apiVersion":"\#(version)","kind":"\#(kind)","metadata":{"name":"p"}}"#)
    #expect(error.description == "unknown resource type (\(kind)) and/or version (\(version))")
    #expect(error.place?.description == place)
    #expect(error.advice == advice)
  }
}

@Suite("A changed document")
struct ResourceChangeTests {
  private let pool: Resource

  init() throws {
    let text = #"""
      {"kind":"IPPool","apiVersion":"projectcalico.org/v3","metadata":{"name":"p","uid":"u","newer":1},
      "spec":{"cidr":"10.0.0.0/24","blockSize":26,"newer":{"a":1}},"other":true}
      """#
    pool = try Resource(stored: Array(text.utf8), kind: .ipPool, name: "p", version: "7")
  }

  @Test("keeps what this version does not know, and takes what was changed")
  func unknownMembers() throws {
    var document = pool.document
    document["spec"] = ["cidr": "10.0.0.0/24", "disabled": true, "newer": ["a": 1]]
    let changed = try pool.changed(to: document)
    #expect(changed.specification["disabled"] == true)
    #expect(changed.specification["newer"] == ["a": 1])
    #expect(changed.specification["blockSize"] == nil)
    #expect(changed.metadata["newer"] == 1)
    #expect(changed.document["other"] == true)
    #expect(changed.resourceVersion == "7")
  }

  @Test("has no unknown field that was not there")
  func newUnknown() {
    var document = pool.document
    document["spec"] = ["cidr": "10.0.0.0/24", "newest": 1]
    let error = #expect(throws: ResourceError.self) { try pool.changed(to: document) }
    #expect(error?.code == .unknownField("newest"))
  }

  @Test("is of the same resource", arguments: ["kind", "name", "apiVersion"])
  func identity(_ member: String) {
    var document = pool.document
    switch member {
    case "kind":
      document["kind"] = "IPReservation"
      document["spec"] = [:]
    case "name": document["metadata"] = ["name": "q"]
    default: document["apiVersion"] = "v1"
    }
    #expect(throws: ResourceError.self) { try pool.changed(to: document) }
  }
}
