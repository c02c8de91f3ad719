// swift-tools-version: 6.2
import PackageDescription

/// Every target: async functions stay on their caller's thread, so that an async `main` starts none.
let common: [SwiftSetting] = [
  .enableUpcomingFeature("NonisolatedNonsendingByDefault"),
  .enableUpcomingFeature("ExistentialAny"),
  .enableUpcomingFeature("InternalImportsByDefault"),
  .enableUpcomingFeature("MemberImportVisibility"),
  .treatAllWarnings(as: .error),
]

/// A plugin lives for a millisecond: one fully static file, small and quick to load. The functions that it executes lie
/// side by side, because the kernel maps code in pieces of 64 KiB; `integration/link-order` writes the list.
let pluginSwift: [SwiftSetting] = common + [.unsafeFlags(["-Osize"], .when(configuration: .release))]
func pluginLink(_ plugin: String, _ further: [String] = []) -> [LinkerSetting] {
  [
    .unsafeFlags(
      [
        "-static-executable", "-use-ld=lld", "-Xlinker", "-s",
        "-Xlinker", "--symbol-ordering-file=\(Context.packageDirectory)/Plugins/\(plugin)/link-order.txt",
        "-Xlinker", "--no-warn-symbol-ordering",
      ] + further,
      .when(platforms: [.linux], configuration: .release)
    )
  ]
}

let package = Package(
  name: "swift-ipam",
  products: [
    .executable(name: "host-local", targets: ["HostLocalPlugin"]),
    .executable(name: "calico-ipam", targets: ["CalicoIPAMPlugin"]),
    .executable(name: "calico-ipam-etcdv3", targets: ["CalicoIPAMEtcdPlugin"]),
    .executable(name: "calico-ipam-kubernetes", targets: ["CalicoIPAMKubernetesPlugin"]),
    .executable(name: "ipamctl", targets: ["ipamctl"]),
    .executable(name: "ipam-node", targets: ["ipam-node"]),
  ],
  dependencies: [
    .package(url: "https://github.com/apple/swift-argument-parser", from: "1.8.2"),
    // The distributed datastores': host-local and calico-ipam itself depend on none of these.
    .package(url: "https://github.com/apple/swift-nio", from: "2.101.0"),
    .package(url: "https://github.com/apple/swift-nio-ssl", from: "2.37.0"),
    .package(url: "https://github.com/apple/swift-nio-http2", from: "1.46.0"),
    .package(url: "https://github.com/apple/swift-protobuf", from: "1.39.0", traits: []),
    .package(url: "https://github.com/swift-server/async-http-client", from: "1.37.0"),
    // The agent's alone.
    .package(url: "https://github.com/apple/swift-log", from: "1.16.2"),
    .package(url: "https://github.com/apple/swift-metrics", from: "2.13.0"),
    .package(url: "https://github.com/swift-server/swift-service-lifecycle", from: "2.13.0"),
    .package(url: "https://github.com/hummingbird-project/hummingbird", from: "2.28.1", traits: []),
    .package(url: "https://github.com/apple/swift-http-types", from: "1.8.0", traits: []),
  ],
  targets: [
    .target(name: "IPAddressing", swiftSettings: common),
    .target(name: "JSON", swiftSettings: common),
    .target(name: "IPAM", dependencies: ["IPAddressing", "JSON"], swiftSettings: common),
    .target(name: "CNI", dependencies: ["CLinux", "IPAM", "IPAddressing", "JSON"], swiftSettings: common),
    .target(name: "CLinux"),
    .target(name: "FileSystem", dependencies: ["CLinux"], swiftSettings: common),
    .target(name: "CalicoModel", dependencies: ["IPAddressing", "JSON"], swiftSettings: common),
    .target(name: "Datastore", dependencies: ["CalicoModel", "IPAddressing"], swiftSettings: common),
    .target(name: "CalicoEngine", dependencies: ["Datastore", "CalicoModel", "IPAddressing"], swiftSettings: common),
    .target(
      name: "CalicoBackend",
      dependencies: [
        "CalicoEngine", "Datastore", "CalicoModel", "CNI", "IPAM", "IPAddressing", "JSON", "CLinux", "FileSystem",
      ],
      swiftSettings: common
    ),
    // Carries out what an ADD does on a copy of what it reads, and tells why it comes to what it comes to.
    .target(
      name: "AssignmentExplanation",
      dependencies: [
        "CalicoBackend", "CalicoEngine", "Datastore", "CalicoModel", "CNI", "IPAM", "IPAddressing", "JSON", "Terminal",
      ],
      swiftSettings: common
    ),
    .target(
      name: "HostLocal",
      dependencies: ["CLinux", "DatastoreSettings", "FileSystem", "CNI", "IPAM", "IPAddressing", "JSON"],
      swiftSettings: common
    ),
    .systemLibrary(name: "CYAML", pkgConfig: "yaml-0.1", providers: [.apt(["libyaml-dev"])]),
    .target(name: "Terminal", swiftSettings: common),
    .target(name: "YAML", dependencies: ["CYAML", "JSON"], swiftSettings: common),
    .systemLibrary(name: "CSQLite", pkgConfig: "sqlite3", providers: [.apt(["libsqlite3-dev"])]),
    .target(
      name: "SQLiteDatastore",
      dependencies: ["CLinux", "FileSystem", "CSQLite", "Datastore", "CalicoModel", "IPAddressing"],
      swiftSettings: common
    ),
    .target(name: "DatastoreSettings", dependencies: ["JSON"], swiftSettings: common),
    // Generated: not held to the rules of what people write.
    .target(
      name: "EtcdMessages",
      dependencies: [.product(name: "SwiftProtobuf", package: "swift-protobuf")],
      exclude: ["etcd.proto", "generate"]
    ),
    .target(
      name: "EtcdDatastore",
      dependencies: [
        "EtcdMessages", "DatastoreSettings", "Datastore", "CalicoModel", "CLinux", "FileSystem", "IPAddressing",
        .product(name: "SwiftProtobuf", package: "swift-protobuf"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
        .product(name: "NIOHPACK", package: "swift-nio-http2"),
      ],
      swiftSettings: common
    ),
    .target(
      name: "KubernetesClient",
      dependencies: [
        "DatastoreSettings", "Datastore", "CLinux", "FileSystem", "IPAddressing", "JSON", "YAML",
        .product(name: "AsyncHTTPClient", package: "async-http-client"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "NIOHTTP1", package: "swift-nio"),
        .product(name: "NIOSSL", package: "swift-nio-ssl"),
        .product(name: "NIOHTTP2", package: "swift-nio-http2"),
      ],
      swiftSettings: common
    ),
    .target(
      name: "KubernetesWorkloads",
      dependencies: [
        "KubernetesClient", "CalicoBackend", "CalicoEngine", "DatastoreSettings", "Datastore", "FileSystem", "CNI",
        "IPAddressing", "JSON",
      ],
      swiftSettings: common
    ),
    .target(
      name: "KubernetesDatastore",
      dependencies: ["KubernetesClient", "Datastore", "CalicoModel", "CLinux", "FileSystem", "IPAddressing", "JSON"],
      swiftSettings: common
    ),
    .target(
      name: "CalicoctlConfiguration",
      dependencies: ["DatastoreSettings", "FileSystem", "CLinux", "JSON", "YAML"],
      swiftSettings: common
    ),
    .target(
      name: "DatastoreAccess",
      dependencies: [
        "DatastoreSettings", "SQLiteDatastore", "EtcdDatastore", "KubernetesDatastore", "KubernetesClient",
        "Datastore", "CalicoModel", "FileSystem", "CLinux",
      ],
      swiftSettings: common
    ),
    .target(
      name: "PoolProcedures",
      dependencies: ["CalicoBackend", "CalicoEngine", "Datastore", "CalicoModel", "IPAddressing", "JSON"],
      swiftSettings: common
    ),
    .target(
      name: "IntegrityCheck",
      dependencies: ["Datastore", "CalicoModel", "FileSystem", "CLinux", "IPAddressing", "JSON", "Terminal"],
      swiftSettings: common
    ),
    .target(
      name: "DatastoreMigration",
      dependencies: ["CalicoBackend", "Datastore", "CalicoModel", "IPAddressing", "JSON", "YAML"],
      swiftSettings: common
    ),
    .target(
      name: "PoolMap",
      dependencies: ["CalicoModel", "IPAddressing", "JSON", "Terminal"],
      swiftSettings: common
    ),
    .systemLibrary(name: "CNetlink", pkgConfig: "libnl-3.0", providers: [.apt(["libnl-3-dev"])]),
    .target(name: "Netlink", dependencies: ["CNetlink", "CLinux", "IPAddressing"], swiftSettings: common),
    .target(name: "Routing", dependencies: ["Netlink", "CLinux", "IPAddressing"], swiftSettings: common),
    .target(
      name: "RouteReports",
      dependencies: ["Routing", "Netlink", "IPAddressing", "JSON", "Terminal"],
      swiftSettings: common
    ),
    .target(
      name: "RouteSources",
      dependencies: ["Routing", "Netlink", "Datastore", "CalicoModel", "IPAddressing", "JSON"],
      swiftSettings: common
    ),
    // What calico-ipam does on every datastore; CalicoIPAM is that on the embedded one.
    .target(
      name: "CalicoPlugin",
      dependencies: [
        "CalicoBackend", "CalicoEngine", "DatastoreSettings", "Datastore", "CalicoModel", "FileSystem", "HostLocal",
        "CNI", "IPAM", "IPAddressing", "JSON",
      ],
      swiftSettings: common
    ),
    .target(
      name: "CalicoIPAM",
      dependencies: [
        "CalicoPlugin", "CalicoBackend", "CalicoEngine", "SQLiteDatastore", "Datastore", "CalicoModel", "FileSystem",
        "HostLocal", "CNI", "IPAM", "IPAddressing", "JSON",
      ],
      swiftSettings: common
    ),

    // What a container runtime executes lies in Plugins/: "plugin" in the sense of CNI, not of the package manager.
    .executableTarget(
      name: "HostLocalPlugin",
      dependencies: ["HostLocal", "CNI"],
      path: "Plugins/host-local",
      exclude: ["link-order.txt"],
      swiftSettings: pluginSwift,
      linkerSettings: pluginLink("host-local")
    ),
    .executableTarget(
      name: "CalicoIPAMPlugin",
      dependencies: ["CalicoIPAM"],
      path: "Plugins/calico-ipam",
      exclude: ["link-order.txt"],
      swiftSettings: pluginSwift,
      // A static program registers its unwind tables itself, and finds nothing by this index of them. Functions of the same
      // code become one: nothing here tells functions apart by their addresses.
      linkerSettings: pluginLink("calico-ipam", ["-Xlinker", "--no-eh-frame-hdr", "-Xlinker", "--icf=all"])
    ),
    // These two are fully static as well, but position-independent, which only `integration/package` can ask for.
    .executableTarget(
      name: "CalicoIPAMEtcdPlugin",
      dependencies: [
        "CalicoPlugin", "CalicoBackend", "EtcdDatastore", "KubernetesWorkloads", "KubernetesClient",
        "DatastoreSettings", "Datastore",
      ],
      path: "Plugins/calico-ipam-etcdv3",
      exclude: ["link-order.txt"],
      swiftSettings: pluginSwift
    ),
    .executableTarget(
      name: "CalicoIPAMKubernetesPlugin",
      dependencies: [
        "CalicoPlugin", "CalicoBackend", "KubernetesDatastore", "KubernetesWorkloads", "KubernetesClient",
        "DatastoreSettings", "Datastore",
      ],
      path: "Plugins/calico-ipam-kubernetes",
      exclude: ["link-order.txt"],
      swiftSettings: pluginSwift
    ),
    .executableTarget(
      name: "ipamctl",
      dependencies: [
        "CalicoBackend", "CalicoEngine", "CalicoctlConfiguration", "DatastoreAccess", "DatastoreMigration",
        "AssignmentExplanation", "CLinux", "CNI", "CalicoModel", "Datastore", "DatastoreSettings", "FileSystem",
        "HostLocal", "IPAM", "IPAddressing", "IntegrityCheck", "JSON", "KubernetesClient", "KubernetesWorkloads",
        "Netlink", "PoolMap", "PoolProcedures", "RouteReports", "RouteSources", "Routing", "SQLiteDatastore",
        "Terminal", "YAML", .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: common
    ),

    .executableTarget(
      name: "ipam-node",
      dependencies: [
        "RouteReports", "RouteSources", "Routing", "Netlink", "CalicoBackend", "DatastoreAccess", "DatastoreSettings",
        "SQLiteDatastore", "Datastore", "CalicoModel", "CLinux", "FileSystem", "CNI", "IPAddressing", "JSON",
        "Terminal", "YAML",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "ServiceLifecycle", package: "swift-service-lifecycle"),
        .product(name: "UnixSignals", package: "swift-service-lifecycle"),
        .product(name: "HummingbirdCore", package: "hummingbird"),
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
        .product(name: "HTTPTypes", package: "swift-http-types"),
      ],
      swiftSettings: common
    ),

    // Times the engine without a store; `integration/benchmark calico` runs it.
    .executableTarget(
      name: "EngineBenchmark",
      dependencies: ["CalicoEngine", "Datastore", "CalicoModel", "IPAddressing"],
      path: "integration/benchmarks/engine",
      swiftSettings: common
    ),

    // Leads one route hither and thither under traffic, by the agent's own reconciling.
    .executableTarget(
      name: "RouteFlips",
      dependencies: ["Routing", "Netlink", "IPAddressing"],
      path: "integration/benchmarks/flips",
      swiftSettings: common
    ),

    .target(name: "TestSupport", dependencies: ["CLinux"], path: "Tests/TestSupport", swiftSettings: common),

    // Interleaves operations of the engine on a store of its own; the program runs more histories than tests can.
    .target(
      name: "ModelChecker",
      dependencies: ["CalicoEngine", "Datastore", "CalicoModel", "IPAddressing", "TestSupport"],
      path: "Tests/ModelChecker",
      swiftSettings: common
    ),
    .executableTarget(
      name: "check-model",
      dependencies: ["ModelChecker"],
      path: "Tests/check-model",
      swiftSettings: common
    ),
    .executableTarget(
      name: "replay-model",
      dependencies: ["ModelChecker", "EtcdDatastore", "DatastoreSettings", "Datastore", "TestSupport"],
      path: "Tests/replay-model",
      swiftSettings: common
    ),
    .testTarget(
      name: "ModelCheckerTests",
      dependencies: ["ModelChecker", "Datastore", "CalicoModel"],
      swiftSettings: common
    ),

    .target(
      name: "DatastoreContract",
      dependencies: ["Datastore", "CalicoModel", "IPAddressing"],
      path: "Tests/DatastoreContract",
      swiftSettings: common
    ),
    .testTarget(name: "IPAddressingTests", dependencies: ["IPAddressing", "TestSupport"], swiftSettings: common),
    .testTarget(name: "JSONTests", dependencies: ["JSON", "TestSupport"], swiftSettings: common),
    .testTarget(name: "TerminalTests", dependencies: ["Terminal"], swiftSettings: common),
    .testTarget(name: "YAMLTests", dependencies: ["YAML", "JSON"], swiftSettings: common),
    .testTarget(
      name: "CalicoModelTests",
      dependencies: ["CalicoModel", "IPAddressing", "JSON", "TestSupport"],
      exclude: ["Fixtures"],
      swiftSettings: common
    ),
    .testTarget(
      name: "CalicoEngineTests",
      dependencies: [
        "CalicoEngine", "CalicoBackend", "Datastore", "CalicoModel", "IPAddressing", "JSON", "TestSupport",
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "AssignmentExplanationTests",
      dependencies: [
        "AssignmentExplanation", "CalicoBackend", "CalicoEngine", "Datastore", "CalicoModel", "CNI", "IPAM",
        "IPAddressing", "JSON", "TestSupport",
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "CalicoBackendTests",
      dependencies: [
        "CalicoBackend", "CalicoEngine", "CalicoModel", "Datastore", "IPAddressing", "JSON", "TestSupport",
      ],
      exclude: ["Fixtures"],
      swiftSettings: common
    ),
    .testTarget(
      name: "PoolMapTests",
      dependencies: ["PoolMap", "CalicoModel", "IPAddressing", "JSON"],
      swiftSettings: common
    ),
    .testTarget(
      name: "VectorTests",
      dependencies: [
        "ipamctl", "CalicoBackend", "CalicoEngine", "CalicoModel", "SQLiteDatastore", "EtcdDatastore",
        "KubernetesDatastore", "KubernetesWorkloads", "KubernetesClient", "DatastoreSettings", "Datastore",
        "FileSystem", "CNI", "IPAddressing", "JSON", "TestSupport",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "DatastoreSettingsTests",
      dependencies: ["DatastoreSettings", "JSON"],
      swiftSettings: common
    ),
    .testTarget(
      name: "CalicoctlConfigurationTests",
      dependencies: ["CalicoctlConfiguration", "DatastoreSettings"],
      swiftSettings: common
    ),
    .testTarget(
      name: "DatastoreAccessTests",
      dependencies: ["DatastoreAccess", "DatastoreSettings", "SQLiteDatastore", "Datastore", "CalicoModel"],
      swiftSettings: common
    ),
    .testTarget(
      name: "PoolProceduresTests",
      dependencies: [
        "PoolProcedures", "CalicoBackend", "CalicoEngine", "Datastore", "CalicoModel", "IPAddressing", "JSON",
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "DatastoreMigrationTests",
      dependencies: [
        "DatastoreMigration", "SQLiteDatastore", "CalicoBackend", "CalicoEngine", "Datastore", "CalicoModel",
        "IPAddressing", "JSON",
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "EtcdDatastoreTests",
      dependencies: [
        "EtcdDatastore", "EtcdMessages", "DatastoreSettings", "Datastore", "DatastoreContract", "CalicoModel",
        "IPAddressing", "ModelChecker", "TestSupport",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "KubernetesClientTests",
      dependencies: [
        "KubernetesClient", "DatastoreSettings", "Datastore", "JSON", "TestSupport",
        .product(name: "NIOCore", package: "swift-nio"),
        .product(name: "NIOPosix", package: "swift-nio"),
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "KubernetesWorkloadsTests",
      dependencies: [
        "KubernetesWorkloads", "KubernetesClient", "CalicoBackend", "CalicoEngine", "DatastoreSettings", "Datastore",
        "CNI", "IPAddressing", "JSON", "TestSupport",
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "KubernetesDatastoreTests",
      dependencies: [
        "KubernetesDatastore", "KubernetesClient", "DatastoreSettings", "Datastore", "DatastoreContract", "CalicoModel",
        "FileSystem", "IPAddressing", "JSON", "TestSupport",
      ],
      swiftSettings: common
    ),
    .testTarget(name: "CNITests", dependencies: ["CNI", "IPAM", "JSON", "IPAddressing"], swiftSettings: common),
    .testTarget(
      name: "DatastoreTests",
      dependencies: ["Datastore", "DatastoreContract", "CalicoModel", "IPAddressing"],
      swiftSettings: common
    ),
    .testTarget(
      name: "HostLocalTests",
      dependencies: ["HostLocal", "FileSystem", "CNI", "IPAM", "JSON", "IPAddressing", "TestSupport"],
      swiftSettings: common
    ),
    .testTarget(
      name: "SQLiteDatastoreTests",
      dependencies: [
        "SQLiteDatastore", "CSQLite", "Datastore", "DatastoreContract", "CalicoModel", "FileSystem", "IPAddressing",
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "NetlinkTests",
      dependencies: ["Netlink", "CNetlink", "CLinux", "IPAddressing", "TestSupport"],
      swiftSettings: common
    ),
    .testTarget(
      name: "RoutingTests",
      dependencies: ["Routing", "Netlink", "IPAddressing", "TestSupport"],
      swiftSettings: common
    ),
    .testTarget(
      name: "RouteReportsTests",
      dependencies: ["RouteReports", "Routing", "Netlink", "IPAddressing", "JSON"],
      swiftSettings: common
    ),
    .testTarget(
      name: "RouteSourcesTests",
      dependencies: [
        "RouteSources", "Routing", "Netlink", "SQLiteDatastore", "Datastore", "CalicoModel", "IPAddressing", "JSON",
        "TestSupport",
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "CalicoIPAMTests",
      dependencies: [
        "CalicoIPAM", "ipamctl", "CalicoBackend", "CalicoEngine", "SQLiteDatastore", "Datastore", "CalicoModel",
        "CalicoPlugin", "HostLocal", "CNI", "IPAM", "IPAddressing",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "CalicoPluginTests",
      dependencies: [
        "CalicoPlugin", "CalicoBackend", "CalicoEngine", "DatastoreSettings", "Datastore", "CalicoModel", "HostLocal",
        "CNI", "IPAM", "IPAddressing", "JSON", "TestSupport",
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "ipam-nodeTests",
      dependencies: [
        "ipam-node", "DatastoreSettings", "Datastore", "Routing", "Netlink", "IPAddressing", "JSON",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
        .product(name: "Logging", package: "swift-log"),
        .product(name: "CoreMetrics", package: "swift-metrics"),
        .product(name: "NIOCore", package: "swift-nio"),
      ],
      swiftSettings: common
    ),
    .testTarget(
      name: "ipamctlTests",
      dependencies: [
        "ipamctl", "CalicoIPAM", "CalicoPlugin", "CalicoBackend", "CalicoEngine", "DatastoreAccess",
        "DatastoreMigration", "DatastoreSettings", "SQLiteDatastore", "Datastore", "CalicoModel", "HostLocal", "IPAM",
        "IPAddressing", "JSON", "Netlink", "PoolMap", "Routing", "Terminal",
        .product(name: "ArgumentParser", package: "swift-argument-parser"),
      ],
      swiftSettings: common
    ),
  ],
  swiftLanguageModes: [.v6]
)
