/// What was seen of an attachment when it was given its addresses: the evidence by which a later boot of the same machine
/// knows that the attachment is gone.
///
/// No container survives a reboot. That an attachment is from an earlier boot is decided on what was recorded in that
/// boot, the same machine and another boot, and never by comparing clocks; what was not recorded is kept.
public struct AttachmentEvidence: Hashable, Sendable {
  /// The handle that holds the addresses.
  public var handle: String
  /// The name of the CNI network.
  public var network: String
  /// The runtime's name for the container.
  public var containerID: String
  /// The interface inside the container.
  public var interfaceName: String
  /// `/etc/machine-id`: 32 hexadecimal digits.
  public var machineID: String
  /// `/proc/sys/kernel/random/boot_id` as the kernel writes it.
  public var bootID: String
  /// The network namespace; nil when none was named.
  public var namespace: Namespace?
  /// When it was recorded, in seconds since 1970, for people to read: nothing is decided by it.
  public var recordedAt: Int64

  /// A network namespace as a runtime names it.
  public struct Namespace: Hashable, Sendable {
    /// `CNI_NETNS`.
    public var path: String
    /// The device and inode of the namespace itself, which tell it from a later one at the same path; nil when they
    /// could not be seen.
    public var file: File?

    public struct File: Hashable, Sendable {
      public var device: UInt64
      public var inode: UInt64

      public init(device: UInt64, inode: UInt64) {
        self.device = device
        self.inode = inode
      }
    }

    public init(path: String, file: File? = nil) {
      self.path = path
      self.file = file
    }
  }

  public init(
    handle: String,
    network: String,
    containerID: String,
    interfaceName: String,
    machineID: String,
    bootID: String,
    namespace: Namespace? = nil,
    recordedAt: Int64
  ) {
    self.handle = handle
    self.network = network
    self.containerID = containerID
    self.interfaceName = interfaceName
    self.machineID = machineID
    self.bootID = bootID
    self.namespace = namespace
    self.recordedAt = recordedAt
  }
}
