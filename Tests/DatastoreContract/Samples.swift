import CalicoModel
import Datastore
import IPAddressing
import Testing

// Keys and values that rules are made of.

extension Key {
  static func block(_ text: String) throws -> Key { .block(try #require(CIDR(text))) }

  static func affinity(_ name: String, _ text: String, _ kind: BlockOwner.Kind = .host) throws -> Key {
    .affinity(BlockOwner(kind, name), try #require(CIDR(text)))
  }
}

extension Value {
  static func affinity(_ state: BlockAffinity.State) -> Value { .affinity(BlockAffinity(state)) }

  /// A handle that holds so many addresses of one block.
  static func handle(holding count: Int) throws -> Value {
    .handle(IPAMHandle([try #require(CIDR("10.65.0.0/26")): count]))
  }

  /// An empty block of a node.
  static func block(_ text: String, of name: String = "node1") throws -> Value {
    let time = Timestamp(seconds: 1_787_405_580)
    return .block(IPAMBlock(cidr: try #require(CIDR(text)), owner: BlockOwner(.host, name), time: time))
  }

  static func pool(_ name: String, _ cidr: String) -> Value {
    let text =
      #"{"kind":"IPPool","apiVersion":"projectcalico.org/v3","metadata":{"name":"\#(name)"},"#
      + #""spec":{"cidr":"\#(cidr)","ipipMode":"Never","vxlanMode":"Never","blockSize":26,"nodeSelector":"all()"}}"#
    return .resource(Array(text.utf8))
  }
}

extension [Key] {
  /// In the order in which every store lists them: that of the bytes of the paths.
  var inPathOrder: [Key] {
    sorted { KeyPath.path(of: $0).utf8.lexicographicallyPrecedes(KeyPath.path(of: $1).utf8) }
  }
}
