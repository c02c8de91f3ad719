import CNI
import CalicoBackend
import JSON

/// The network configuration that a question is about, as the plugin would get it on stdin.
struct QuestionedNetwork {
  let configuration: NetworkConfiguration
  let settings: CalicoConfiguration

  /// Reads the configuration of a question, or makes the usual one.
  init(_ question: AssignmentQuestion) throws(QuestionError) {
    do {
      configuration = try NetworkConfiguration(parsing: try Self.document(question).encoded())
      var settings = try CalicoConfiguration(configuration)
      settings.nodeName = question.node
      // Nothing is written, not even a line into the plugin's log.
      settings.logFile = ""
      self.settings = settings
    } catch let error as QuestionError {
      throw error
    } catch let error as CNIError {
      throw QuestionError("the CNI configuration cannot be used: \(error.message) \(error.details)")
    } catch {
      throw QuestionError("the CNI configuration cannot be used: \(error)")
    }
  }

  private static func document(_ question: AssignmentQuestion) throws(QuestionError) -> JSON {
    guard let bytes = question.networkConfiguration else {
      return [
        "cniVersion": "1.0.0", "name": "k8s-pod-network", "policy": ["type": "k8s"], "ipam": ["type": "calico-ipam"],
      ]
    }
    let document: JSON
    do {
      document = try JSON(parsing: bytes)
    } catch {
      throw QuestionError("the CNI configuration is not JSON: \(error)")
    }
    guard case .object(let object) = document else { throw QuestionError("the CNI configuration is no JSON object") }
    guard let plugins = object["plugins"] else {
      try check(object)
      return document
    }
    return .object(try member(of: plugins, in: object))
  }

  /// The plugin of a list that asks calico-ipam, as the runtime hands it over: with the list's name and version.
  private static func member(of plugins: JSON, in list: JSONObject) throws(QuestionError) -> JSONObject {
    for case .object(var plugin) in plugins.arrayValue ?? [] where type(of: plugin) == "calico-ipam" {
      for key in ["cniVersion", "name"] {
        if let value = list[key] { plugin[key] = value }
      }
      return plugin
    }
    throw QuestionError("no plugin of the CNI configuration list has an `ipam` of type calico-ipam")
  }

  private static func check(_ object: JSONObject) throws(QuestionError) {
    guard let type = type(of: object), type != "calico-ipam" else { return }
    throw QuestionError("the CNI configuration has an `ipam` of type \(QuotedText.quote(type.utf8)), not calico-ipam")
  }

  private static func type(of plugin: JSONObject) -> String? { plugin["ipam"]?.objectValue?["type"]?.stringValue }
}
