import CLinux
import CNetlink
import Glibc

extension NetlinkKernel {
  /// Switches the transmit checksum offload of a device (routes specification, section 4.7).
  ///
  /// - Parameters:
  ///   - isOn: whether the hardware, or the last device in the chain, computes checksums.
  ///   - name: the device.
  /// - Returns: whether it was another before.
  /// - Throws: ``NetlinkError/Code/refused(_:)``: `ENODEV` for a device that is not there, `EOPNOTSUPP` for one that
  ///   cannot be switched.
  public func setTransmitChecksumOffload(_ isOn: Bool, interface name: String) throws(NetlinkError) -> Bool {
    let present = try setting(name, UInt32(ETHTOOL_GTXCSUM), 0)
    guard (present != 0) != isOn else { return false }
    _ = try setting(name, UInt32(ETHTOOL_STXCSUM), isOn ? 1 : 0)
    return true
  }

  private func setting(_ name: String, _ command: UInt32, _ value: UInt32) throws(NetlinkError) -> UInt32 {
    var value = value
    guard clinux_device_setting(name, command, &value) == 0 else {
      let refusal = KernelRefusal(errno: errno)
      throw NetlinkError(.refused(refusal), "switch the checksum offload of \(name)", errno: refusal.errno)
    }
    return value
  }
}
