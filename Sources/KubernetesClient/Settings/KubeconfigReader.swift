import JSON

/// Reads the members of one kubeconfig.
struct KubeconfigReader {
  /// What to call the file in messages.
  let name: String
  /// The folder that paths are relative to; nil for the one that the program runs in.
  let folder: String?

  /// - Throws: ``KubernetesTransportError`` with the code `settings`, naming the member that is malformed.
  mutating func read(_ document: JSON, into kubeconfig: inout Kubeconfig) throws(KubernetesTransportError) {
    guard let document = document.objectValue else { throw malformed("the document", "an object") }
    kubeconfig.currentContext = try text(document, "current-context", of: "")
    for entry in try entries(document, "clusters", "cluster") where kubeconfig.clusters[entry.name] == nil {
      kubeconfig.clusters[entry.name] = try cluster(entry)
    }
    for entry in try entries(document, "users", "user") where kubeconfig.users[entry.name] == nil {
      kubeconfig.users[entry.name] = try user(entry)
    }
    for entry in try entries(document, "contexts", "context") where kubeconfig.contexts[entry.name] == nil {
      var context = Kubeconfig.Context()
      context.cluster = try text(entry.content, "cluster", of: entry.place)
      context.user = try text(entry.content, "user", of: entry.place)
      context.namespace = try text(entry.content, "namespace", of: entry.place)
      kubeconfig.contexts[entry.name] = context
    }
  }

  private struct Entry {
    var name: String
    var content: JSONObject
    /// Such as `users[alice].`.
    var place: String
  }

  private func entries(
    _ document: JSONObject, _ list: String, _ member: String
  ) throws(KubernetesTransportError) -> [Entry] {
    let value = document[list] ?? .null
    if case .null = value { return [] }
    guard let elements = value.arrayValue else { throw malformed(list, "a list") }
    var entries: [Entry] = []
    for element in elements {
      guard let element = element.objectValue else { throw malformed("an entry of \(list)", "an object") }
      let name = try text(element, "name", of: "\(list)[].")
      let content = element[member] ?? .null
      if case .null = content {
        entries.append(Entry(name: name, content: JSONObject(), place: "\(list)[\(name)]."))
        continue
      }
      guard let content = content.objectValue else { throw malformed("\(list)[\(name)].\(member)", "an object") }
      entries.append(Entry(name: name, content: content, place: "\(list)[\(name)]."))
    }
    return entries
  }

  private func cluster(_ entry: Entry) throws(KubernetesTransportError) -> Kubeconfig.Cluster {
    var cluster = Kubeconfig.Cluster()
    cluster.server = try text(entry.content, "server", of: entry.place)
    cluster.authority = try origin(entry, "certificate-authority")
    cluster.serverName = try text(entry.content, "tls-server-name", of: entry.place)
    cluster.proxy = try text(entry.content, "proxy-url", of: entry.place)
    switch entry.content["insecure-skip-tls-verify"] ?? .null {
    case .null: break
    case .bool(let flag): cluster.skipsVerification = flag
    default: throw malformed(entry.place + "insecure-skip-tls-verify", "true or false")
    }
    return cluster
  }

  private func user(_ entry: Entry) throws(KubernetesTransportError) -> Kubeconfig.User {
    var user = Kubeconfig.User()
    user.certificate = try origin(entry, "client-certificate")
    user.key = try origin(entry, "client-key")
    user.token = try text(entry.content, "token", of: entry.place)
    user.tokenFile = path(try text(entry.content, "tokenFile", of: entry.place))
    user.username = try text(entry.content, "username", of: entry.place)
    user.password = try text(entry.content, "password", of: entry.place)
    for method in ["exec", "auth-provider"] {
      if case .object? = entry.content[method] { user.unsupported = method }
    }
    return user
  }

  /// The data of a member, which counts when it is there, or its file.
  private func origin(_ entry: Entry, _ member: String) throws(KubernetesTransportError) -> Kubeconfig.PEMOrigin? {
    let data = try text(entry.content, member + "-data", of: entry.place)
    if !data.isEmpty {
      guard let bytes = Base64Text.decode(data) else { throw malformed(entry.place + member + "-data", "base64") }
      return .data(bytes, name: "\(entry.place)\(member)-data of \(name)")
    }
    let file = try text(entry.content, member, of: entry.place)
    return file.isEmpty ? nil : .file(path(file))
  }

  private func path(_ path: String) -> String {
    guard let folder, !path.isEmpty, !path.hasPrefix("/") else { return path }
    return folder + "/" + path
  }

  private func text(
    _ object: JSONObject, _ member: String, of place: String
  ) throws(KubernetesTransportError) -> String {
    switch object[member] ?? .null {
    case .null: return ""
    case .string(let text): return text
    default: throw malformed(place + member, "a text")
    }
  }

  private func malformed(_ place: String, _ kind: String) -> KubernetesTransportError {
    KubernetesTransportError(
      .settings, "cannot read \(name): \(place) is not \(kind)",
      advice: "correct the file; kubectl config view checks it")
  }
}
