import FileSystem
import IPAM
import IPAddressing
import Testing

@testable import HostLocal

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// A network with a data directory of its own, and the files that an allocation finds and leaves there.
final class ScratchNetwork: Sendable {
  let path: String

  init(files: [String: String] = [:]) throws {
    var template = Array("/tmp/host-local-allocation-XXXXXX".utf8CString)
    try #require(mkdtemp(&template) != nil)
    path = String(decoding: template.dropLast().map { UInt8(bitPattern: $0) }, as: UTF8.self)
    mkdir("\(path)/web", 0o755)
    for (name, content) in files {
      let descriptor = open("\(path)/web/\(name)", O_WRONLY | O_CREAT, 0o600)
      try #require(write(descriptor, content, content.utf8.count) == content.utf8.count)
      close(descriptor)
    }
  }

  deinit {
    for name in names { unlink("\(path)/web/\(name)") }
    rmdir("\(path)/web")
    rmdir(path)
  }

  /// The names in the network's directory, sorted.
  var names: [String] {
    guard let directory = try? File.open("\(path)/web", O_RDONLY | O_DIRECTORY) else { return [] }
    let entries = (try? DirectoryListing.entries(in: directory)) ?? []
    return entries.map { String(decoding: $0.name, as: UTF8.self) }.sorted()
  }

  func content(_ name: String) -> String? {
    (try? File.contents(of: "\(path)/web/\(name)")).map { String(decoding: $0, as: UTF8.self) }
  }

  func backend(ranges: String, requesting addresses: [String] = []) throws -> HostLocalBackend {
    let list = addresses.map { "\"\($0)\"" }.joined(separator: ", ")
    let configuration = try ConfigurationDocument.read(
      ipam: "\"dataDir\": \"\(path)\", \"ranges\": \(ranges)",
      beside: "\"args\": {\"cni\": {\"ips\": [\(list)]}}"
    )
    return HostLocalBackend(configuration, log: { _ in })
  }

  /// The addresses that an ADD yields, as the result has them.
  func add(_ containerID: String, ranges: String, requesting addresses: [String] = []) async throws -> [String] {
    let attachment = IPAM.Attachment(containerID: containerID, interfaceName: InterfaceName("eth0"))
    let assignment = try await backend(ranges: ranges, requesting: addresses).assign(AssignmentRequest(attachment))
    return assignment.addresses.map(\.address.description)
  }

  func del(_ containerID: String, ranges: String) async throws {
    let attachment = IPAM.Attachment(containerID: containerID, interfaceName: InterfaceName("eth0"))
    try await backend(ranges: ranges).release(attachment)
  }
}
