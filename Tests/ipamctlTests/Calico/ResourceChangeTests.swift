import ArgumentParser
import CalicoBackend
import CalicoModel
import Datastore
import IPAddressing
import JSON
import Testing

@testable import ipamctl

@Suite("ipamctl replace, patch, label and validate")
final class ResourceChangeTests {
  private let fixture: CalicoFixture

  init() throws { fixture = try CalicoFixture() }

  private static let head = #"{"apiVersion":"projectcalico.org/v3","kind":"IPPool","metadata":{"name":"ippool-name1""#

  private func pool(_ metadata: String = "", _ specification: String = "") -> String {
    Self.head + #"\#(metadata)},"spec":{"cidr":"10.0.1.0/24"\#(specification)}}"#
  }

  private func create(_ text: String) async throws {
    let path = try fixture.manifest(text)
    let transcript = try await CreateCommand.asyncParse(["-f", path]).execute(fixture.session)
    try #require(transcript.status == 0, "\(transcript)")
  }

  private func replace(_ text: String) async throws -> Transcript {
    let path = try fixture.manifest(text)
    return try await ReplaceCommand.asyncParse(["-f", path]).execute(fixture.session)
  }

  private func patch(_ arguments: String...) async throws -> Transcript {
    try await PatchCommand.asyncParse(arguments).execute(fixture.session)
  }

  private func label(_ arguments: String...) async throws -> Transcript {
    try await LabelCommand.asyncParse(arguments).execute(fixture.session)
  }

  private func validate(_ text: String, _ arguments: String...) throws -> Transcript {
    let path = try fixture.manifest(text)
    return try ValidateCommand.parse(["-f", path] + arguments).execute()
  }

  private func stored(_ name: String = "ippool-name1", _ kind: ResourceKind = .ipPool) async throws -> Resource {
    try await fixture.session.resources.get(kind, name)
  }

  // MARK: replace

  @Test("replace gives what exists the file's specification, labels and annotations, and nothing else")
  func replacing() async throws {
    try await create(pool(#","labels":{"a":"1"},"annotations":{"n":"x"}"#, #","natOutgoing":true"#))
    let before = try await stored()
    #expect(
      try await replace(pool(#","labels":{"b":"2"},"uid":"other""#, #","disabled":true"#))
        == Transcript(output: "Successfully replaced 1 'IPPool' resource(s)\n"))
    let after = try await stored()
    #expect(after.metadata["labels"] == ["b": "2"])
    #expect(after.metadata["annotations"] == nil)
    #expect(after.specification["natOutgoing"] == nil)
    #expect(after.specification["disabled"] == true)
    #expect(after.uid == before.uid)
    #expect(after.creationTimestamp == before.creationTimestamp)
  }

  @Test("replace fails for what does not exist, or has changed since")
  func replacingFailures() async throws {
    #expect(
      try await replace(pool())
        == .failed(
          "failed to replace 'IPPool' resource: "
            + "[resource does not exist: IPPool(ippool-name1) with error: <nil>]"))
    try await create(pool())
    #expect(
      try await replace(pool(#","resourceVersion":"1""#))
        == .failed("failed to replace 'IPPool' resource: [update conflict: IPPool(ippool-name1)]"))
    let version = try #require(try await stored().resourceVersion)
    #expect(try await replace(pool(#","resourceVersion":"\#(version)""#, #","disabled":true"#)).status == 0)
  }

  @Test("replace counts what was replaced, where calicoctl counts what failed as well")
  func partialReplacement() async throws {
    try await create(pool())
    let other = pool().replacing("ippool-name1", with: "blah").replacing("10.0.1", with: "10.0.2")
    let transcript = try await replace("[\(pool()),\(pool()),\(other)]")
    #expect(transcript.output == "Partial success: replaced the first 2 out of 3 'IPPool' resources:\n")
    #expect(transcript.errors == "hit error: [resource does not exist: IPPool(blah) with error: <nil>]\n")
    #expect(transcript.status == 1)
  }

  // MARK: patch

  @Test("patch changes a field, and keeps labels and annotations")
  func patching() async throws {
    try await create(pool(#","labels":{"test-label":"label-1"},"annotations":{"test-annotation":"annotation-1"}"#))
    let success = Transcript(output: "Successfully patched 1 'IPPool' resource\n")
    #expect(try await patch("ippool", "ippool-name1", "-p", #"{"spec":{"natOutgoing": true}}"#) == success)
    let patched = try await stored()
    #expect(patched.specification["natOutgoing"] == true)
    #expect(patched.metadata["labels"] == ["test-label": "label-1"])
    #expect(patched.metadata["annotations"] == ["test-annotation": "annotation-1"])
    #expect(
      try await patch("--patch", #"{"metadata":{"labels":{"test-label":null,"x":"y"}}}"#, "IPPools", "ippool-name1")
        == success)
    #expect(try await stored().metadata["labels"] == ["x": "y"])
    #expect(try await patch("ippool/ippool-name1", "-p", "spec: {disabled: true}") == success)
    #expect(try await stored().specification["disabled"] == true)
  }

  @Test("the type of a patch counts")
  func patchTypes() async throws {
    try await create(pool(#","labels":{"a":"1"}"#))
    let steps = """
      [{"op":"test","path":"/spec/cidr","value":"10.0.1.0/24"},{"op":"add","path":"/spec/disabled","value":true},
       {"op":"remove","path":"/metadata/labels/a"}]
      """
    #expect(try await patch("ippool", "ippool-name1", "-t", "json", "-p", steps).status == 0)
    #expect(try await stored().specification["disabled"] == true)
    #expect(try await stored().metadata["labels"] == nil)
    #expect(
      try await patch("ippool", "ippool-name1", "--type=merge", "-p", #"{"spec":{"disabled":null}}"#).status == 0)
    #expect(try await stored().specification["disabled"] == nil)
    #expect(
      try await patch("ippool", "ippool-name1", "--type=jso", "-p", "[]")
        == .failed("unknown patch type 'jso', expected one of: strategic, merge, json\ndid you mean 'json'?"))
  }

  @Test(
    "a patch that cannot be applied changes nothing",
    arguments: [
      (
        #"{"spec":{"natOutgong":true}}"#,
        "field in document is not recognized or is in the wrong location: natOutgong\n"
          + "spec.natOutgong: did you mean 'natOutgoing'?"
      ),
      (
        #"{"spec":{"disabled":"True"}}"#,
        "hit error: creating resource from patched data: cannot unmarshal string into Go struct field "
          + "IPPoolSpec.spec.disabled of type bool\nspec.disabled: has to be true or false, without quotes"
      ),
      (
        #"{"spec":{"cidr":"10.9.0.0/24"}}"#,
        "hit error: updating existing resource: error with field IPPool.Spec.CIDR = '10.9.0.0/24' "
          + "(IPPool CIDR cannot be modified)"
      ),
      (
        #"{"metadata":{"resourceVersion":"1"}}"#,
        "hit error: updating existing resource: update conflict: IPPool(ippool-name1)"
      ),
      (
        #"{"metadata":{"name":"other"}}"#,
        "hit error: creating resource from patched data: metadata.name is 'ippool-name1' and cannot be changed"
      ),
      (#"{"spec":{"#, "the patch is no JSON: unexpected end of JSON input"),
      (#"[]"#, "hit error: performing strategic merge patch: a patch is an object, such as {\"spec\":{…}}"),
    ])
  func badPatches(_ text: String, _ reason: String) async throws {
    try await create(pool())
    let before = try await fixture.text(.resource(.ipPool, "ippool-name1"))
    #expect(try await patch("ippool", "ippool-name1", "-p", text) == .failed(reason))
    #expect(try await fixture.text(.resource(.ipPool, "ippool-name1")) == before)
  }

  @Test("patch wants a kind and a name that exist")
  func patchTargets() async throws {
    try await create(pool())
    #expect(try await patch("ippool", "-p", "{}") == .failed("accepts 2 arg(s), received 1"))
    #expect(try await patch("ippool", "a", "b", "-p", "{}") == .failed("accepts 2 arg(s), received 3"))
    #expect(
      try await patch("ippol", "a", "-p", "{}")
        == .failed("resource type 'ippol' is not supported\ndid you mean 'ippool'?"))
    #expect(
      try await patch("ippool", "ippool-nam1", "-p", "{}")
        == .failed(
          "hit error: resource does not exist: IPPool(ippool-nam1) with error: <nil>\n"
            + "IPPool(ippool-nam1): did you mean 'ippool-name1'?"))
    #expect(
      try await patch("ippool", "ippool-name1", "-n", "x", "-p", "{}").errors.contains("IPPool is not namespaced"))
  }

  @Test("the switches of address management can be patched")
  func patchedConfiguration() async throws {
    try await fixture.put(.configuration, #"{"strict_affinity":true,"auto_allocate_blocks":true}"#)
    #expect(try await patch("ipamconfig", "default", "-p", #"{"spec":{"maxBlocksPerHost":4}}"#).status == 0)
    #expect(
      try await fixture.text(.configuration)
        == #"{"strict_affinity":true,"auto_allocate_blocks":true,"maxBlocksPerHost":4}"#)
  }

  // MARK: label

  @Test("labels are set, updated and removed, in the words that were written")
  func labels() async throws {
    try await create(#"{"apiVersion":"projectcalico.org/v3","kind":"Node","metadata":{"name":"n1"},"spec":{}}"#)
    #expect(try await label("nodes", "n1", "rack=r1").output == "Successfully set label rack on nodes n1\n")
    #expect(try await label("Node", "n1", "rack=r1").output == "Successfully updated label rack on Node n1\n")
    #expect(
      try await label("node", "n1", "rack=r2")
        == .failed(
          "failed to update label of node n1, key rack is already present. please use '--overwrite' to set a new value")
    )
    #expect(
      try await label("node", "n1", "rack=r2", "--overwrite").output == "Successfully updated label rack on node n1\n")
    #expect(try await stored("n1", .node).metadata["labels"] == ["rack": "r2"])
    #expect(
      try await label("node", "n1", "rack", "--remove").output == "Successfully removed label rack from node n1\n")
    #expect(try await stored("n1", .node).metadata["labels"] == nil)
    #expect(
      try await label("node/n1", "a=1", "b=").output
        == "Successfully set label a on node n1\nSuccessfully set label b on node n1\n")
    #expect(try await stored("n1", .node).metadata["labels"] == ["a": "1", "b": ""])
  }

  @Test(
    "labels that cannot be changed are told, and none is changed",
    arguments: [
      (["node", "n1", "rack"], "invalid label rack"), (["node", "n1", "a=b=c"], "invalid label a=b=c"),
      (["node", "n1", "=x"], "invalid label =x"), (["node", "n1", "a=b", "--remove"], "invalid label a=b"),
      (["node", "n1"], "requires at least 3 arg(s), only received 2"),
      (["node"], "requires at least 3 arg(s), only received 1"),
      (
        ["node", "n1", "old", "gone", "--remove"],
        "cannot remove label of node n1, key gone does not exist"
      ),
      (
        ["node", "n1", "odl", "--remove"],
        "cannot remove label of node n1, key odl does not exist\ndid you mean 'old'?"
      ),
      (["no", "n2x", "a=b"], "no n2x not found\ndid you mean 'n1'?"),
      (["nodes", "other", "a=b"], "nodes other not found"),
      (["nod", "n1", "a=b"], "resource type 'nod' is not supported\ndid you mean 'node'?"),
      (
        ["node", "n1", "a=b", "c d=e"],
        "failed to update node n1, label not changed: error with field Metadata.Labels (label) = 'c d' (name part must "
          + "consist of alphanumeric characters, '-', '_' or '.', and must start and end with an alphanumeric character)"
      ),
    ])
  func badLabels(_ arguments: [String], _ reason: String) async throws {
    try await create(
      #"{"apiVersion":"projectcalico.org/v3","kind":"Node","metadata":{"name":"n1","labels":{"old":"1"}},"spec":{}}"#)
    // A name of two letters is too short to be taken for another.
    let reason = reason.replacing("\ndid you mean 'n1'?", with: "")
    #expect(try await LabelCommand.asyncParse(arguments).execute(fixture.session) == .failed(reason))
    #expect(try await stored("n1", .node).metadata["labels"] == ["old": "1"])
  }

  // MARK: validate

  @Test("validate needs no datastore, and finds what is wrong with a resource alone")
  func validation() throws {
    #expect(try validate(pool()) == Transcript(output: "Successfully validated 1 'IPPool' resource(s)\n"))
    let bad = pool("", #","blockSize":33"#)
    #expect(
      try validate("[\(pool()),\(pool()),\(bad)]")
        == Transcript(
          output: "Partial success: validated the first 2 out of 3 'IPPool' resources:\n",
          errors: """
            hit error: [error with field spec (blockSize must be between 20 and 32 for IPv4 pools, and between 116 and 128 \
            for IPv6 pools)]
            \(fixture.host.root)/manifest.yaml, line 1, IPPool(ippool-name1)

            """, status: 1))
    #expect(
      try validate(pool("", #","disabled":"Maybe""#)).errors.hasPrefix(
        "failed to execute command: cannot unmarshal string into Go struct field IPPoolSpec.spec.disabled of type bool\n"
      ))
    #expect(
      try validate(pool("", #","foo":1"#)).errors.hasPrefix(
        "field in document is not recognized or is in the wrong location: foo\n"))
    #expect(try ValidateCommand.parse([]).execute().status == 1)
    #expect(try validate(pool(), "-n", "x").errors.contains("IPPool is not namespaced"))
  }

  @Test(
    "pools that break a rule are named by field and value",
    arguments: [
      ("10.0.1.0/33", "CIDR = '10.0.1.0/33'"), ("10.0.256.0/24", "CIDR = '10.0.256.0/24'"),
      (
        "10.0.0.1/32",
        "field spec (IP pool size is too small for use with Calico IPAM. It must be equal to or greater than the block "
          + "size.)"
      ),
      ("::/128", "field spec (IP pool size is too small"), ("fd5f::2::1/32", "CIDR = 'fd5f::2::1/32'"),
      ("fd5f::1/123", "IPPool.Spec.CIDR = 'fd5f::/123'"),
    ])
  func badPools(_ cidr: String, _ text: String) throws {
    let transcript = try validate(pool().replacing("10.0.1.0/24", with: cidr))
    #expect(transcript.errors.contains(text))
    #expect(transcript.status == 1)
  }
}
