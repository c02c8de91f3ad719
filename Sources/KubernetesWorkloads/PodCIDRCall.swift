import CNI
public import CalicoBackend
import Datastore
import DatastoreSettings
import FileSystem
import JSON
public import KubernetesClient

#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

/// What `calico-ipam-kubernetes pod-cidrs` does: it asks the API server which networks this node's pods have addresses
/// from, for a plugin that does not speak to the network itself.
///
/// The network configuration is on stdin. On stdout comes one line of JSON:
///
/// ```json
/// {"node":"a","uid":"4118312b-2c56-4df5-a388-0803109a8553","server":"https://10.0.0.1:6443","podCIDRs":["10.65.3.0/24"]}
/// ```
///
/// The list is not empty, its elements are CIDRs, and there are two of a family only if there is one of the other; of
/// each family the last one counts. When it cannot be had, stderr has why on its first line and what to do on its second.
public struct PodCIDRCall: Sendable {
  /// The command line's only word.
  public static let word = "pod-cidrs"

  /// An answer.
  public struct Answer: Hashable, Sendable {
    public var node: NodeFacts
    /// The server's URL, which tells clusters apart.
    public var server: String

    /// The line without its end.
    public var line: [UInt8] {
      let document: JSON = [
        "node": .string(node.name), "uid": .string(node.uid), "server": .string(server),
        "podCIDRs": .array(node.podCIDRs.map { .string($0) }),
      ]
      return document.encoded()
    }
  }

  private let environment: KubernetesEnvironment
  private let milliseconds: UInt64

  /// A call.
  ///
  /// - Parameters:
  ///   - environment: what a pod gives its processes, for a configuration that names no server.
  ///   - milliseconds: how long it may take.
  public init(environment: KubernetesEnvironment = .process, milliseconds: UInt64 = 10_000) {
    self.environment = environment
    self.milliseconds = milliseconds
  }

  /// Serves the one call this process was started for.
  ///
  /// - Parameters:
  ///   - input: the descriptor of stdin.
  ///   - output: the descriptor of stdout.
  ///   - diagnostics: the descriptor of stderr.
  /// - Returns: the exit status.
  public func run(
    input: Int32 = 0, output: Int32 = 1, diagnostics: Int32 = 2
  ) async -> Int32 {
    let streams = CNIStreams(input: input, output: output, diagnostics: diagnostics)
    do throws(CalicoFailure) {
      let answer = try await answer(to: try Self.contents(of: input))
      try Self.write(answer.line + [UInt8(ascii: "\n")], to: output)
      return 0
    } catch {
      streams.log(error.message)
      if !error.details.isEmpty { streams.log(error.details) }
      return 1
    }
  }

  /// Finds the answer.
  ///
  /// - Parameter document: the network configuration.
  /// - Returns: the node, whose networks can be used, and the server.
  /// - Throws: ``CalicoFailure`` when the configuration cannot be read, the server cannot be asked, or the node is not
  ///   there or has no usable networks.
  public func answer(to document: [UInt8]) async throws(CalicoFailure) -> Answer {
    let configuration: NetworkConfiguration
    do throws(CNIError) {
      configuration = try NetworkConfiguration(parsing: document)
    } catch {
      throw CalicoFailure(error.message)
    }
    let network = NetworkConnection(configuration.document)
    let name = try Self.nodeName(configuration, network)
    let client: KubernetesClient
    do throws(KubernetesTransportError) {
      client = try KubernetesClient(network.clientSettings(), environment: environment)
    } catch {
      throw CalicoFailure(error.description, details: error.advice)
    }
    let node = try await KubernetesWorkloads(client).node(name, deadline: .after(milliseconds: milliseconds))
    _ = try PodCIDRs(node)
    return Answer(node: node, server: client.server)
  }

  /// `kubernetes.node_name`, or else the plugin's own node (front-end specification, sections 1.5 and 2.1).
  private static func nodeName(
    _ configuration: NetworkConfiguration, _ network: NetworkConnection
  ) throws(CalicoFailure) -> String {
    if !network.nodeName.isEmpty { return network.nodeName }
    // Only what names the node counts: the rest of the document is another plugin's.
    var names = JSONObject([JSONObject.Member(key: "name", value: .string(configuration.name))])
    let keys = ["nodename", "nodename_file", "hostname"]
    names.members += configuration.document.members.filter { member in
      keys.contains { member.key.matchesFieldName($0) }
    }
    do {
      let reduced = try NetworkConfiguration(parsing: JSON.object(names).encoded())
      return NodeName.find(try CalicoConfiguration(reduced)) { CNIStreams.ofProcess.log($0) }
    } catch let failure as CalicoFailure {
      throw failure
    } catch {
      throw CalicoFailure("\(error)")
    }
  }

  private static func contents(of input: Int32) throws(CalicoFailure) -> [UInt8] {
    // Read through a name of its own, so that the process's stdin is not closed.
    let copy = dup(input)
    guard copy >= 0 else { throw CalicoFailure("error reading from stdin: \(systemReason(errno))") }
    do throws(SystemError) {
      return try File.contents(ofStream: FileDescriptor(adopting: copy))
    } catch {
      throw CalicoFailure("error reading from stdin: \(systemReason(error.number))")
    }
  }

  private static func write(_ line: [UInt8], to output: Int32) throws(CalicoFailure) {
    let copy = dup(output)
    guard copy >= 0 else { throw CalicoFailure("error writing to stdout: \(systemReason(errno))") }
    do throws(SystemError) {
      try File.writeAll(line, to: FileDescriptor(adopting: copy))
    } catch {
      throw CalicoFailure("error writing to stdout: \(systemReason(error.number))")
    }
  }
}
