import ArgumentParser

/// `ipamctl datastore`
struct DatastoreCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "datastore",
    abstract: "Moves pools, blocks and handles from one datastore to another.",
    discussion: """
      Example:
        ipamctl datastore migrate export --datastore etcdv3 > calico.yaml
      """,
    subcommands: [MigrateCommand.self]
  )
}

/// `ipamctl datastore migrate`
struct MigrateCommand: AsyncParsableCommand {
  static let configuration = CommandConfiguration(
    commandName: "migrate",
    abstract: "Moves everything of address management from any datastore to any other.",
    discussion: """
      The file is the one that 'calicoctl datastore migrate' writes and reads. What moves is all that address management \
      knows: pools, reservations, nodes, tiers, the switches, and every block, affinity and handle. Policies, BGP peers \
      and the like are not; calicoctl moves them.

      A lock is a mark in the datastore: Calico's main plugin gives no pod a network while it is there. Whatever else \
      gives addresses out has to be stopped, on every host; what changes during an export makes it fail. While the source \
      is locked nothing is lost by giving up: unlock it, and all is as it was.

      Example: from etcd to Kubernetes, the whole way.
        ipamctl datastore migrate lock   --datastore etcdv3 --config etcd.cfg
        ipamctl datastore migrate export --datastore etcdv3 --config etcd.cfg > calico.yaml
        ipamctl datastore migrate import --datastore kubernetes --kubeconfig cluster.kubeconfig -f calico.yaml
          (change the configuration of plugins, agents and Calico on every host)
        ipamctl datastore migrate unlock --datastore kubernetes --kubeconfig cluster.kubeconfig

      Example: from the embedded datastore of one host to etcd.
        ipamctl datastore migrate lock   --database /var/lib/swift-ipam/ipam.db
        ipamctl datastore migrate export --database /var/lib/swift-ipam/ipam.db > host.yaml
        ETCD_ENDPOINTS=https://10.0.0.1:2379 ipamctl datastore migrate import -f host.yaml
        ETCD_ENDPOINTS=https://10.0.0.1:2379 ipamctl datastore migrate unlock
      """,
    subcommands: [
      MigrateLockCommand.self, MigrateUnlockCommand.self, MigrateExportCommand.self, MigrateImportCommand.self,
    ]
  )
}
