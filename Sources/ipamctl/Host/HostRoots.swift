/// Where a host keeps what tells of its containers.
struct HostRoots: Sendable {
  /// Put before every path; empty for the host itself.
  var prefix = ""

  /// The place of a path of the host.
  func path(_ path: String) -> String { prefix + path }

  /// Where libcni writes what it called plugins with: now, and in early releases.
  let resultCaches = ["/var/lib/cni/results", "/var/lib/cni/cache/results"]

  /// Directories with a directory for each container, named for it. `*` is any directory.
  ///
  /// Some hold running containers only, others also those that are stopped and may be started again.
  let containerDirectories = [
    "/run/containerd/io.containerd.runtime.v2.task/*",
    "/run/containerd/io.containerd.runtime.v1.linux/*",
    "/run/containerd/io.containerd.grpc.v1.cri/sandboxes",
    "/run/containerd/runc/*",
    "/run/k3s/containerd/io.containerd.runtime.v2.task/*",
    "/run/k0s/containerd/io.containerd.runtime.v2.task/*",
    "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes",
    "/run/runc",
    "/run/crun",
    "/run/crio",
    "/run/containers/storage/overlay-containers",
    "/run/containers/storage/vfs-containers",
    "/run/containers/storage/btrfs-containers",
    "/var/lib/containers/storage/overlay-containers",
    "/var/lib/containers/storage/vfs-containers",
    "/var/lib/containers/storage/btrfs-containers",
    "/run/docker/runtime-runc/*",
    "/var/lib/docker/containers",
    "/run/vc/sbs",
  ]
}
