import Testing

@testable import ipamctl

@Suite("The runtimes' state")
final class RuntimeStateTests {
  private let host: HostFixture

  init() throws { host = try HostFixture() }

  @Test(
    "knows a container by its directory",
    arguments: [
      "/run/containerd/io.containerd.runtime.v2.task/k8s.io/c1", "/run/containerd/runc/k8s.io/c1", "/run/runc/c1",
      "/run/crun/c1", "/run/crio/c1", "/var/lib/containers/storage/overlay-containers/c1",
      "/var/lib/containers/storage/vfs-containers/c1", "/run/containers/storage/overlay-containers/c1",
      "/run/docker/runtime-runc/moby/c1", "/var/lib/docker/containers/c1",
    ]
  )
  func knows(_ path: String) throws {
    try host.makeDirectory(path)
    let state = RuntimeState(host.roots)
    #expect(state.containers["c1"] == path)
    #expect(state.containers["c2"] == nil)
    #expect(state.places.count == 1)
    #expect(state.obstacles.isEmpty)
  }

  @Test("knows a container of nerdctl by the name that plugins are given, its namespace in front")
  func nerdctl() throws {
    try host.makeDirectory("/run/containerd/io.containerd.runtime.v2.task/default/c1")
    #expect(
      RuntimeState(host.roots).containers["default-c1"] == "/run/containerd/io.containerd.runtime.v2.task/default/c1"
    )
  }

  @Test("takes no file for a container")
  func files() throws {
    try host.write("{}", to: "/var/lib/containers/storage/overlay-containers/containers.json")
    let state = RuntimeState(host.roots)
    #expect(state.containers.isEmpty)
    #expect(state.places == ["/var/lib/containers/storage/overlay-containers"])
  }

  @Test("is nothing on a host without runtimes")
  func nothing() throws {
    let state = RuntimeState(host.roots)
    #expect(state.places.isEmpty)
    #expect(state.obstacles.isEmpty)
  }
}
