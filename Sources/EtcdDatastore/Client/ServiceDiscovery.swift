import Datastore

/// Finds the members of a cluster by the SRV records of a domain.
enum ServiceDiscovery {
  static func endpoints(of domain: String) throws(DatastoreError) -> [EtcdEndpoint] {
    throw DatastoreError(.unsupported, "cannot discover")
  }
}
