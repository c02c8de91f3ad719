import ArgumentParser
import CalicoModel
import Datastore
import Foundation
import IPAddressing
import JSON
import SQLiteDatastore
import Testing

@testable import ipamctl

/// An embedded datastore of one's own beside a ``HostFixture``.
final class CalicoFixture {
  static let bootID = "0e1f2a3b-4c5d-6e7f-8091-a2b3c4d5e6f7"
  static let machineID = "0123456789abcdef0123456789abcdef"

  let host: HostFixture
  let database: SQLiteDatastore
  var session: Session
  /// 2026-08-14T09:12:33Z
  let time = Timestamp(seconds: 1_786_698_753)

  init() throws {
    host = try HostFixture()
    database = SQLiteDatastore(path: host.root + "/ipam.db")
    session = Session(ChosenDatastore(embedded: database))
    let time = time
    session.now = { time }
    try host.write(Self.machineID + "\n", to: "/etc/machine-id")
    try host.write(Self.bootID + "\n", to: "/proc/sys/kernel/random/boot_id")
  }

  /// Writes an entry's text, whatever it is.
  func put(_ key: Key, _ text: String) async throws {
    let change = Change(key, base: .any, final: .value(.resource(Array(text.utf8))))
    _ = try await database.commit(Plan([change]), deadline: .distantFuture)
  }

  func text(_ key: Key) async throws -> String? {
    try await session.entry(key).map { String(decoding: $0.bytes, as: UTF8.self) }
  }

  func pool(_ name: String, _ cidr: String, blockSize: Int = 26, _ more: String = "") async throws {
    try await put(
      .resource(.ipPool, name),
      """
      {"kind":"IPPool","apiVersion":"projectcalico.org/v3","metadata":{"name":"\(name)"},\
      "spec":{"cidr":"\(cidr)","blockSize":\(blockSize),"nodeSelector":"all()"\(more)}}
      """)
  }

  /// An address that a block gives out.
  struct Held {
    var ordinal: Int
    var attribute: String

    init(_ ordinal: Int, _ attribute: String) {
      self.ordinal = ordinal
      self.attribute = attribute
    }

    /// An address of a pod.
    static func pod(_ ordinal: Int, _ handle: String, node: String, _ pod: String = "web") -> Held {
      let owner = #""namespace":"default","node":"\#(node)","pod":"\#(pod)""#
      return Held(ordinal, #"{"handle_id":"\#(handle)","secondary":{\#(owner)}}"#)
    }

    /// An address that cools down.
    static func cooling(_ ordinal: Int, since time: String = "2026-08-14T09:12:30Z") -> Held {
      Held(ordinal, #"{"releasedAt":"\#(time)"}"#)
    }
  }

  /// A block in which some addresses are given out, the ordinal's sequence number being 100 and the ordinal.
  func block(_ cidr: String, _ affinity: String?, _ held: [Held] = []) async throws {
    let key = try #require(CIDR(cidr))
    let size = 1 << key.hostBits
    var allocations = [String](repeating: "null", count: size)
    for (index, entry) in held.enumerated() { allocations[entry.ordinal] = String(index) }
    let free = (0..<size).filter { allocations[$0] == "null" }.map(String.init)
    let numbers = held.map { "\"\($0.ordinal)\":\(100 + $0.ordinal)" }
    try await put(
      .block(key),
      """
      {"cidr":"\(cidr)","affinity":\(affinity.map { "\"\($0)\"" } ?? "null"),\
      "allocations":[\(allocations.joined(separator: ","))],"unallocated":[\(free.joined(separator: ","))],\
      "attributes":[\(held.map(\.attribute).joined(separator: ","))],"sequenceNumber":1000,\
      "sequenceNumberForAllocation":{\(numbers.joined(separator: ","))},"deleted":false}
      """)
  }

  func handle(_ name: String, _ counts: [String: Int]) async throws {
    let members = counts.sorted { $0.key < $1.key }.map { "\"\($0.key)\":\($0.value)" }.joined(separator: ",")
    try await put(.handle(name), "{\"block\":{\(members)},\"deleted\":false}")
  }

  /// What calico-ipam records of an attachment of the network `pods`.
  func evidence(
    _ container: String, boot: String = CalicoFixture.bootID, machine: String = CalicoFixture.machineID,
    namespace: AttachmentEvidence.Namespace? = nil, interface: String = "eth0"
  ) async throws {
    let evidence = AttachmentEvidence(
      handle: "pods." + container, network: "pods", containerID: container, interfaceName: interface,
      machineID: machine, bootID: boot, namespace: namespace, recordedAt: 0)
    try await database.record([evidence], deadline: .distantFuture)
  }

  /// The namespace that a file of the host stands for.
  func namespace(_ path: String) throws -> AttachmentEvidence.Namespace {
    var status = stat()
    try #require(stat(host.root + path, &status) == 0)
    return AttachmentEvidence.Namespace(
      path: path,
      file: AttachmentEvidence.Namespace.File(device: UInt64(status.st_dev), inode: UInt64(status.st_ino)))
  }

  /// What `ipam check` prints, without waiting before it looks again.
  func check(
    _ arguments: [String], _ surroundings: IPAMCheckCommand.Surroundings = .immediate
  ) async throws -> Transcript {
    var output: [UInt8] = []
    let lines = LineOutput { output += $0 }
    let command = try await IPAMCheckCommand.asyncParse(["--root", host.root] + arguments)
    var transcript = try await command.execute(session, .host(host.roots), lines, surroundings)
    lines.flush()
    transcript.output = String(decoding: output, as: UTF8.self) + transcript.output
    return transcript
  }

  /// Every block, handle and affinity as it is stored.
  func contents() async throws -> [Key: [UInt8]] {
    var contents: [Key: [UInt8]] = [:]
    for scope in [Listing.Scope.blocks(nil), .handles, .allAffinities(.host), .allAffinities(.virtual)] {
      for item in try await session.items(scope) { contents[item.key] = item.stored?.bytes }
    }
    return contents
  }

  func evidenceHandles() async throws -> [String] {
    try await database.evidence(deadline: .distantFuture).map(\.handle)
  }

  /// Puts a manifest below the host's root, and returns its path.
  func manifest(_ text: String, _ path: String = "/manifest.yaml") throws -> String {
    try host.write(text, to: path)
    return host.root + path
  }
}

extension IPAMCheckCommand.Surroundings {
  /// Nobody waits, and nobody is asked.
  static var immediate: IPAMCheckCommand.Surroundings {
    IPAMCheckCommand.Surroundings(pause: .zero, now: { 1000 }, wait: { _ in }, ask: nil)
  }
}
