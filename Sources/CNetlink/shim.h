// libnl-3 and the kernel's own names for what goes through it.
#pragma once

// First: the kernel's headers then leave the types alone that the C library has as well.
#include <netinet/in.h>

#include <linux/ethtool.h>
#include <linux/filter.h>
#include <linux/if_addr.h>
#include <linux/if_link.h>
#include <linux/if_tunnel.h>
#include <linux/neighbour.h>
#include <linux/netlink.h>
#include <linux/nexthop.h>
#include <linux/rtnetlink.h>
#include <netlink/attr.h>
#include <netlink/errno.h>
#include <netlink/msg.h>
#include <netlink/netlink.h>
#include <netlink/socket.h>
