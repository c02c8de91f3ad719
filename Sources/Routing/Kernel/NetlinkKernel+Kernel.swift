public import Netlink

extension NetlinkKernel: Kernel {}
