import DatastoreSettings
import TestSupport

/// Certificates that openssl makes in a folder: an authority's, and what it and another one have signed.
struct Certificates {
  let folder: String

  /// Makes an authority and the certificate of a server at 127.0.0.1.
  init(in folder: String) throws {
    self.folder = folder
    for authority in ["ca", "other-ca"] {
      try Self.openssl(
        "req -x509 -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -days 2 -subj /CN=\(authority) "
          + "-keyout \(folder)/\(authority).key -out \(folder)/\(authority).crt")
    }
    try sign("server", name: "etcd", alternative: "IP:127.0.0.1")
  }

  /// Makes a key, and a certificate that an authority has signed.
  func sign(
    _ file: String, name: String, alternative: String = "", authority: String = "ca", days: Int = 2
  ) throws {
    let path = folder + "/" + file
    try Self.openssl(
      "req -newkey ec -pkeyopt ec_paramgen_curve:P-256 -nodes -subj /CN=\(name) -keyout \(path).key -out \(path).csr")
    let extensions = alternative.isEmpty ? "basicConstraints=CA:FALSE" : "subjectAltName=" + alternative
    _ = try Command.output(["sh", "-c", "echo '\(extensions)' > \(path).ext"])
    try Self.openssl(
      "x509 -req -in \(path).csr -CA \(folder)/\(authority).crt -CAkey \(folder)/\(authority).key -CAcreateserial "
        + "-days \(days) -extfile \(path).ext -out \(path).crt")
  }

  private static func openssl(_ arguments: String) throws {
    _ = try Command.output(["openssl"] + arguments.split(separator: " ").map(String.init))
  }

  func text(_ file: String) throws -> String {
    try Command.output(["cat", folder + "/" + file])
  }
}

/// A server that speaks TLS.
extension EtcdServer {
  /// Starts a server that wants certificates of its clients.
  static func secure(
    arguments: [String] = ["--client-cert-auth"], _ prepare: (Certificates) throws -> Void = { _ in }
  ) throws -> EtcdServer {
    try EtcdServer(
      scheme: "https",
      arguments: [
        "--cert-file", "FOLDER/server.crt", "--key-file", "FOLDER/server.key", "--trusted-ca-file", "FOLDER/ca.crt",
      ] + arguments,
      controlArguments: ["--cacert", "FOLDER/ca.crt", "--cert", "FOLDER/root.crt", "--key", "FOLDER/root.key"]
    ) { folder in
      let certificates = try Certificates(in: folder)
      try certificates.sign("root", name: "root")
      try prepare(certificates)
    }
  }

  /// How to reach the server as one to whom a certificate was given.
  func settings(as client: String?, authority: String? = "ca") -> EtcdSettings {
    var settings = EtcdSettings()
    settings.endpoints = ["https://127.0.0.1:\(port)"]
    settings.authority = authority.map { .file("\(folder)/\($0).crt") }
    settings.certificate = client.map { .file("\(folder)/\($0).crt") }
    settings.key = client.map { .file("\(folder)/\($0).key") }
    return settings
  }
}
