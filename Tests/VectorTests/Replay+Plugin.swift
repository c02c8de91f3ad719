import CNI
import CalicoBackend
import JSON
import KubernetesWorkloads
import Testing

extension Replay {
  /// Calls the plugin in this process, on the replay's store.
  func performPlugin(_ step: RecordedStep) async throws -> StepResult {
    var configuration = try step.inputs.object("netconf")
    configuration["ipam_lock_file"] = .string(folder.path + "/ipam.lock")
    var surroundings = Surroundings(
      memoryDirectory: remembers ? folder.path + "/memory" : nil, log: { _ in })
    // Nothing listens at this port.
    let isReachable = configuration["etcd_endpoints"]?.stringValue != "http://127.0.0.1:9"
    let store = isReachable ? store : ReplayStore(base: UnreachableStore())
    let (time, starts) = (time, starts)
    surroundings.now = { time }
    surroundings.monotonic = { 0 }
    surroundings.start = { starts.start($0) }
    if let cluster {
      surroundings.workloads = { KubernetesWorkloads(cluster) }
      surroundings.readsAhead = true
    }
    let plugin = CNIPlugin(name: "calico-ipam", version: "0.0.0") { [surroundings] invocation in
      try CalicoBackend(invocation, surroundings: surroundings) { _, _ in store }
    }
    let input = try StreamFile(JSON.object(configuration).encoded())
    let output = try StreamFile()
    let diagnostics = try StreamFile()
    let exitCode = await plugin.run(
      environment: Self.environment(try step.inputs.object("env")),
      streams: CNIStreams(
        input: input.descriptor, output: output.descriptor, diagnostics: diagnostics.descriptor))
    let text = output.bytes
    return StepResult(exitCode: Int(exitCode), output: text.isEmpty ? "" : try JSON(parsing: text))
  }

  private static func environment(_ variables: JSONObject) -> CNIEnvironment {
    func variable(_ name: String) -> String { variables[name]?.stringValue ?? "" }
    return CNIEnvironment(
      command: variable("CNI_COMMAND"), containerID: variable("CNI_CONTAINERID"),
      networkNamespace: variable("CNI_NETNS"), interfaceName: variable("CNI_IFNAME"),
      arguments: variable("CNI_ARGS"), path: variable("CNI_PATH"))
  }
}
