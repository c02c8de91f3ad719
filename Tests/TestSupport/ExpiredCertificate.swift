import Glibc

/// A certificate whose time is over, and its key, made by openssl.
public struct ExpiredCertificate: Sendable {
  /// The paths of the PEM files.
  public let certificate: String
  public let key: String

  /// Whether openssl is there to make one.
  public static var isPossible: Bool { (try? ChildProcess.run(["openssl", "version"]).status) == 0 }

  /// Makes one for 127.0.0.1, for a server as for a client.
  ///
  /// - Parameters:
  ///   - folder: where the files go.
  ///   - subject: such as `/CN=admin/O=system:masters`.
  ///   - authority: the folder with `ca.crt` and `ca.key` that sign it; nil when it signs itself.
  /// - Throws: ``SetupFailure``.
  public init(in folder: String, subject: String, authority: String? = nil) throws {
    certificate = folder + "/expired.crt"
    key = folder + "/expired.key"
    let signer = authority.map { "-CA '\($0)/ca.crt' -CAkey '\($0)/ca.key'" } ?? "-signkey '\(key)'"
    let command = """
      openssl ecparam -name prime256v1 -genkey -noout -out '\(key)' &&
      openssl req -new -key '\(key)' -subj '\(subject)' -out '\(folder)/expired.csr' &&
      printf 'subjectAltName=IP:127.0.0.1\\n' > '\(folder)/expired.ext' &&
      openssl x509 -req -in '\(folder)/expired.csr' \(signer) -set_serial 7 -days -1 -extfile '\(folder)/expired.ext' \
      -out '\(certificate)'
      """
    let status = try ChildProcess.run(["sh", "-c", command]).status
    guard status == 0 else { throw SetupFailure("openssl makes no certificate", status) }
  }
}

/// A server that does nothing but TLS handshakes, on a free port of loopback.
public final class HandshakeServer: Sendable {
  public let port: Int
  private let process: pid_t
  private let input: Int32
  private let output: Int32

  /// Starts one.
  ///
  /// - Parameter certificate: what it shows.
  /// - Throws: ``SetupFailure``.
  public init(_ certificate: ExpiredCertificate) throws {
    let child = try ChildProcess.start(
      [
        "openssl", "s_server", "-accept", "127.0.0.1:0", "-cert", certificate.certificate, "-key", certificate.key,
      ], errors: "/dev/null")
    process = child.process
    input = child.input
    output = child.output
    // ACCEPT 127.0.0.1:40391
    while let line = ChildProcess.readLine(child.output) {
      if line.hasPrefix("ACCEPT "), let port = line.split(separator: ":").last.flatMap({ Int($0) }) {
        self.port = port
        return
      }
    }
    throw SetupFailure("openssl s_server does not listen", 0)
  }

  deinit {
    // Threads of a task block other signals, and the commands that they start inherit that.
    kill(process, SIGKILL)
    close(input)
    close(output)
    waitpid(process, nil, 0)
  }
}
