#if canImport(Glibc)
  import Glibc
#elseif canImport(Musl)
  import Musl
#endif

extension Int32 {
  /// The name of an error number that netlink gives.
  var errorName: String {
    switch self {
    case EPERM: "EPERM"
    case ENOENT: "ENOENT"
    case ESRCH: "ESRCH"
    case ENODEV: "ENODEV"
    case EINVAL: "EINVAL"
    case EEXIST: "EEXIST"
    case EBUSY: "EBUSY"
    case ENOMEM: "ENOMEM"
    case ENOBUFS: "ENOBUFS"
    case ENETDOWN: "ENETDOWN"
    case ENETUNREACH: "ENETUNREACH"
    case EHOSTUNREACH: "EHOSTUNREACH"
    case EOPNOTSUPP: "EOPNOTSUPP"
    case ENOPROTOOPT: "ENOPROTOOPT"
    case EADDRNOTAVAIL: "EADDRNOTAVAIL"
    default: "error \(self)"
    }
  }
}

/// How a refusal is to be answered (routes specification, section 2.8).
enum RefusalAnswer: Hashable, Sendable {
  /// Somebody has the key, or there is a duplicate behind another route.
  case taken
  /// It is gone already.
  case gone
  /// The gateway is not on the link: only another address or value helps.
  case offLink
  /// The interface is down or gone: only its return helps.
  case interfaceMissing
  /// The change makes no sense to the kernel: only another value helps.
  case senseless
  /// The right to change the network is missing.
  case forbidden
  /// A limit of the kernel: later it may work.
  case exhausted
  /// The kernel has no such feature.
  case unsupported
  /// Anything else: tried again later.
  case other

  init(_ errno: Int32) {
    self =
      switch errno {
      case EEXIST: .taken
      case ENOENT, ESRCH: .gone
      case ENETUNREACH, EHOSTUNREACH: .offLink
      case ENETDOWN, ENODEV: .interfaceMissing
      case EINVAL: .senseless
      case EPERM, EACCES: .forbidden
      case ENOMEM, ENOBUFS: .exhausted
      case EOPNOTSUPP: .unsupported
      default: .other
      }
  }
}
