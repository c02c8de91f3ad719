import CNI
import IPAM
import IPAddressing
import Testing

@testable import HostLocal

/// Short ways from the text of a configuration to what is read from it.
enum ConfigurationDocument {
  /// Reads a document as ADD, DEL and CHECK do.
  static func read(_ text: String, arguments: String = "") throws -> HostLocalConfiguration {
    let network = try NetworkConfiguration(parsing: Array(text.utf8))
    return try HostLocalConfiguration(network, arguments: CNIArguments(Array(arguments.utf8)))
  }

  /// Reads a document of version 1.0.0 whose `ipam` has the given members, with others beside it.
  static func read(
    ipam members: String,
    beside others: String = "",
    arguments: String = ""
  ) throws -> HostLocalConfiguration {
    try read(document(ipam: members, beside: others), arguments: arguments)
  }

  /// A document of version 1.0.0 whose `ipam` has the given members, with others beside it.
  static func document(ipam members: String, beside others: String = "") -> String {
    #"{"cniVersion": "1.0.0", "name": "web", "ipam": {\#(members)}\#(others.isEmpty ? "" : ", " + others)}"#
  }

  /// The message with which a document is refused; nil for one that is fine.
  static func problem(_ text: String, arguments: String = "") throws -> String? {
    try problem { try read(text, arguments: arguments) }
  }

  /// The message with which a document is refused whose `ipam` has the given members; nil for one that is fine.
  static func problem(ipam members: String, beside others: String = "", arguments: String = "") throws -> String? {
    try problem { try read(ipam: members, beside: others, arguments: arguments) }
  }

  /// The message of a configuration error; nil if there is none, and an issue if it is of another kind.
  static func problem(_ body: () throws -> HostLocalConfiguration) throws -> String? {
    do {
      _ = try body()
      return nil
    } catch let error as HostLocalError {
      #expect(error.code == .configuration)
      #expect(error.category == .failed)
      return error.message
    }
  }

  /// Range sets from text: ranges joined with `,`, each `subnet`, or `subnet first-last`, and ` gateway` behind these.
  static func sets(_ texts: String..., version: String = "1.1.0") throws -> [RangeSet] {
    try RangeSet.validated(try texts.map { try ranges($0) }, version: version)
  }

  private static func ranges(_ text: String) throws -> [WrittenRange] {
    try text.split(separator: ",").map { part in
      let words = part.split(separator: " ")
      var range = WrittenRange()
      let subnet: WrittenCIDR = try #require(WrittenCIDR(String(words[0])))
      range.subnet = subnet
      if words.count > 1 {
        let ends = words[1].split(separator: "-")
        range.first = try address(ends[0])
        range.last = try address(ends[1])
      }
      if words.count > 2 { range.gateway = try address(words[2]) }
      return range
    }
  }

  /// The address of a text.
  static func address(_ text: some StringProtocol) throws -> IPAddress { try #require(IPAddress(String(text))) }
}
