import CalicoModel
import Datastore
import IPAddressing
import JSON
import Testing

@testable import DatastoreMigration

@Suite("The document of a migration")
struct MigrationDocumentTests {
  @Test("has calicoctl's three parts: lists in YAML, ClusterInformation, and the entries with their paths")
  func form() async throws {
    let text = String(decoding: try await MigrationWorld().export().text(), as: UTF8.self)
    let parts = text.split(separator: "===\n", omittingEmptySubsequences: false).map(String.init)
    #expect(parts.count == 3)
    let lists = parts[0].split(separator: "---\n").map(String.init)
    #expect(lists.count == 4)
    #expect(
      lists[0].split(separator: "\n").dropFirst().joined(separator: "\n") == """
        apiVersion: projectcalico.org/v3
        items:
        - apiVersion: projectcalico.org/v3
          kind: IPPool
          metadata:
            labels:
              a: b
            name: four
          spec:
            blockSize: 30
            cidr: 10.0.0.0/16
        - apiVersion: projectcalico.org/v3
          kind: IPPool
          metadata:
            name: six
          spec:
            blockSize: 126
            cidr: fd00::/64
        kind: IPPoolList
        metadata: {}
        """)
    #expect(lists[1].contains("kind: TierList") && lists[2].contains("kind: NodeList"))
    #expect(lists[3].contains("kind: IPReservationList"))
    #expect(parts[1].hasPrefix("{\n  \"kind\": \"ClusterInformation\",\n"))
    #expect(parts[1].contains("\"clusterGUID\": \"0123\""))
    #expect(
      parts[2].hasPrefix(
        """
        {
          "block_affinities": [
            {
              "Key": "/calico/ipam/v2/host/kube-a/ipv4/block/10.0.0.0-30",
              "Value": {
                "state": "confirmed",
                "deleted": false
              },
              "TTL": 0
            },

        """))
    #expect(parts[2].contains("  \"config\":\n  {\n    \"Key\": \"/calico/ipam/v2/config\""))
  }

  @Test("says of itself how much is in it, in a comment that other programs pass over")
  func comment() async throws {
    let document = try await MigrationWorld().export()
    let text = String(decoding: try document.text(), as: UTF8.self)
    #expect(
      text.hasPrefix(
        """
        # ipamctl datastore migrate export: {"pools":2,"blocks":2,"affinities":3,"handles":3,"allocations":3,\
        "coolingDown":1,"digest":"
        """))
    #expect(try MigrationDocument(parsing: try document.text(), name: "f").recordedSummary == document.summary())
  }

  @Test("is read as it was written")
  func roundTrip() async throws {
    let document = try await MigrationWorld().export()
    let read = try MigrationDocument(parsing: try document.text(), name: "f")
    #expect(read.entries.map(\.key) == document.entries.map(\.key))
    #expect(read.resources.map(\.key) == document.resources.map(\.key))
    for (left, right) in zip(read.entries, document.entries) { #expect(try left.value().means(right.value())) }
    #expect(read.clusterInformation.specification["clusterGUID"] == "0123")
    #expect(try read.text() == document.text())
  }

  @Test("of calicoctl is read too: other kinds are counted, absent members and empty lists are none")
  func foreign() throws {
    let text = """
      apiVersion: projectcalico.org/v3
      items:
      - metadata: {name: p}
        spec: {cidr: 10.0.0.0/24}
      kind: IPPoolList
      ---
      apiVersion: projectcalico.org/v3
      items: []
      kind: BGPPeerList
      ---
      apiVersion: projectcalico.org/v3
      items:
      - {apiVersion: projectcalico.org/v3, kind: FelixConfiguration, metadata: {name: default}}
      kind: FelixConfigurationList
      ---
      ===
      {"kind": "ClusterInformation", "spec": {}}
      ===
      {"handles": null, "blocks": []}
      """
    let document = try MigrationDocument(parsing: Array(text.utf8), name: "f")
    #expect(document.resources.map(\.key) == [.resource(.ipPool, "p")])
    #expect(document.otherKinds == ["FelixConfiguration": 1])
    #expect(document.entries.isEmpty)
    #expect(document.recordedSummary == nil)
  }

  @Test("that is none is refused, with the file's name and what is wrong")
  func refusals() {
    let good = "{}\n===\n{}\n===\n"
    let cases = [
      ("", "imported file: f is improperly formatted. Try recreating with"),
      ("===\n", "imported file: f is improperly formatted"),
      ("===\n{}\n===\n{}\n===\n", "imported file: f is improperly formatted"),
      ("- 1\n===\n{}\n===\n{}", "f: a array where there should be a list of resources"),
      ("kind: IPPool\n===\n{}\n===\n{}", "f: there is IPPool without a name"),
      ("===\n[]\n===\n{}", "f: the second part is not the ClusterInformation"),
      ("\(good)[]", "f: the third part is not the data of address management"),
      ("\(good){\"blocks\":[{\"Key\":\"/nowhere\",\"Value\":{}}]}", "f: there is no such entry as /nowhere"),
      (
        "\(good){\"handles\":[{\"Key\":\"/calico/ipam/v2/handle/h\",\"Value\":{\"block\":7}}]}",
        "IPAMHandleKey(id=h) cannot be understood"
      ),
      (
        "\(good){\"handles\":[{\"Key\":\"/calico/ipam/v2/handle/h\",\"Value\":{}},"
          + "{\"Key\":\"/calico/ipam/v2/handle/h\",\"Value\":{}}]}",
        "/calico/ipam/v2/handle/h is there twice"
      ),
    ]
    for (text, message) in cases {
      let error = #expect(throws: MigrationError.self) { try MigrationDocument(parsing: Array(text.utf8), name: "f") }
      #expect(error?.description.contains(message) == true, "\(text): \(error?.description ?? "")")
    }
  }

  @Test("has a digest that changes with every address, handle, attribute and sequence number, and not with the order")
  func digest() async throws {
    let document = try await MigrationWorld().export()
    let digest = try document.summary().digest
    var reordered = document
    reordered.entries.reverse()
    #expect(try reordered.summary().digest == digest)
    let changes = [("pod.1", "pod.2"), ("\"web\"", "\"wob\""), ("\"1\":8", "\"1\":9"), ("09:12:30", "09:12:31")]
    for (old, new) in changes {
      var changed = document
      changed.entries = document.entries.map { entry in
        guard case .block = entry.key else { return entry }
        let text = String(decoding: entry.text, as: UTF8.self)
        return MigrationEntry(entry.key, Array(text.replacing(old, with: new).utf8))
      }
      #expect(try changed.summary().digest != digest, "\(old)")
    }
  }

  @Test(
    "is checked with FNV-1a of 128 bits",
    arguments: [
      ("", "6c62272e07bb014262b821756295c58d"), ("a", "d228cb696f1a8caf78912b704e4a8964"),
      ("foobar", "343e1662793c64bf6f0d3597ba446f18"),
    ])
  func checksum(_ text: String, _ digest: String) {
    var checksum = Checksum()
    checksum.add(text.utf8)
    #expect(checksum.text == digest)
  }
}
