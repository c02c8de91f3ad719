public import CalicoModel
import IPAddressing
public import Routing

extension RoutingPool {
  /// What routing needs of a pool; nil when the pool's range or modes cannot be understood.
  public init?(_ pool: IPPool) {
    guard let cidr = pool.cidr, let vxlan = pool.vxlanMode, let ipip = pool.ipipMode else { return nil }
    self.init(
      cidr.canonical, vxlan: Encapsulation(vxlan), ipip: Encapsulation(ipip),
      isForLoadBalancersOnly: pool.allowedUses == [.loadBalancer])
  }
}

extension RoutingPool.Encapsulation {
  init(_ mode: IPPool.EncapsulationMode) {
    self =
      switch mode {
      case .never: .never
      case .always: .always
      case .crossSubnet: .crossSubnet
      }
  }
}

extension IPPool {
  /// Why the pool cannot be routed; nil when it can.
  var fault: String? {
    let modes = EncapsulationMode.allCases.map(\.rawValue).joined(separator: ", ")
    if cidr == nil { return "spec.cidr is \"\(writtenCIDR)\", which is not an address range" }
    if vxlanMode == nil { return "spec.vxlanMode is none of \(modes)" }
    return ipipMode == nil ? "spec.ipipMode is none of \(modes)" : nil
  }
}
