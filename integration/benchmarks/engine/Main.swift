import CalicoEngine
import CalicoModel
import Datastore
import IPAddressing

// Times the engine alone: one allocation from the bytes that a store returns to the plan that it would commit. Prints a
// line for each number of pools: the pools, then the least and the middle time of a run, in nanoseconds.

/// What a store holds for one node: a block half in use, and pools of which the first has it.
struct Scene {
  let pools: Int
  let block = CIDR("10.0.0.0/26") ?? CIDR(host: IPAddress(v4: 0))
  let owner = BlockOwner(.host, "node-0042.example.com")
  let time = Timestamp(seconds: 1_787_000_000)

  func text(_ string: String) -> Stored { Stored(bytes: Array(string.utf8), revision: Revision(4711)) }

  var blockText: [UInt8] {
    var block = IPAMBlock(cidr: block, owner: owner, time: time)
    for pod in 0..<32 {
      let attribute = AllocationAttribute(
        handleID: "k8s-pod-network.8d3c1f0b5a7e4e1c9f2ab0c4d5e6f7089a1b2c3d4e5f60718293a4b5c6d7e8\(pod)",
        owner: [
          "namespace": "default", "node": owner.name, "pod": "web-\(pod)",
          "timestamp": "2026-08-22 13:33:01.512345678 +0000 UTC",
        ])
      _ = block.assign(1, attribute: attribute)
      block.sequenceNumber += 1
    }
    return block.encoded()
  }

  func poolText(_ index: Int) -> String {
    """
    {"kind":"IPPool","apiVersion":"projectcalico.org/v3","metadata":{"name":"pool-\(index)","uid":\
    "0f9d7f1c-6a0e-4f7f-9f1e-0d4c3a1b2c5d","creationTimestamp":"2026-08-22T13:00:00Z"},"spec":{"cidr":"10.\(index).0.0/16",\
    "vxlanMode":"Always","ipipMode":"Never","natOutgoing":true,"blockSize":26,"nodeSelector":"all()",\
    "allowedUses":["Workload","Tunnel"],"assignmentMode":"Automatic"}}
    """
  }

  /// The answer to each read of a plain ADD.
  func answer() -> (Read) -> ReadResult {
    let pools = (0..<pools).map { index in
      ListResult.Item(key: .resource(.ipPool, "pool-\(index)"), stored: text(poolText(index)))
    }
    let affinity = ListResult.Item(
      key: .affinity(owner, block), stored: text("{\"state\":\"confirmed\",\"deleted\":false}"))
    let block = Stored(bytes: blockText, revision: Revision(4712))
    let node = text(
      """
      {"kind":"Node","apiVersion":"projectcalico.org/v3","metadata":{"name":"\(owner.name)","labels":\
      {"kubernetes.io/os":"linux","zone":"a"}},"spec":{"bgp":{"ipv4Address":"10.0.0.1/24"}},"status":{}}
      """)
    return { read in
      switch read {
      case .entry(.block): .entry(block)
      case .entry(.resource): .entry(node)
      case .entry: .entry(nil)
      case .list(let listing):
        switch listing.scope {
        case .affinities: .list(ListResult(items: [affinity]))
        case .resources(.ipPool): .list(ListResult(items: pools))
        default: .list(ListResult(items: []))
        }
      }
    }
  }

  /// Plans one allocation and returns how much would be written.
  func plan(_ answer: (Read) -> ReadResult) -> Int {
    var request = AutoAssignRequest(
      [AutoAssignRequest.Family(.v4, count: 1, memory: FamilyMemory(room: block))],
      handleID: "k8s-pod-network.ffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffff",
      attributes: ["node": owner.name, "pod": "new", "namespace": "default", "timestamp": time.attributeText],
      host: owner.name, use: .workload, time: time)
    request.isAllOrNothing = true
    guard let operation = try? AutoAssign(request) else { return 0 }
    var execution = Execution(operation)
    var step = execution.next()
    while true {
      switch step {
      case .read(let reads): step = execution.resume(with: reads.map(answer))
      case .commit(let plan): return plan.changes.count
      case .done, .failed: return 0
      }
    }
  }
}

@main
struct Main {
  static func main() {
    for pools in [1, 10, 110] {
      let scene = Scene(pools: pools)
      let answer = scene.answer()
      var times: [Duration] = []
      for _ in 0..<2000 {
        let clock = ContinuousClock()
        let start = clock.now
        let changes = scene.plan(answer)
        times.append(clock.now - start)
        precondition(changes == 2, "one block and one handle are to be written")
      }
      times.sort()
      print(pools, nanoseconds(times[0]), nanoseconds(times[times.count / 2]))
    }
  }

  private static func nanoseconds(_ duration: Duration) -> Int64 { duration.components.attoseconds / 1_000_000_000 }
}
