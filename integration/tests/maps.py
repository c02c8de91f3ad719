"""Pools with blocks in every state, for maps: entries as they are stored."""

import calico

POOL = "10.65.0.0/16"
NAMES = ("web-7d9f8b6c5", "api-5c6d7e8f9", "worker-6b7c8d9e0", "cache-0a1b2c3d4")
RESERVATIONS = calico.RESOURCES + "ipreservations/"


def owner(block, ordinal, node):
    """A pod's attribute."""
    number = block * 64 + ordinal
    pod = "%s-%05x" % (NAMES[number % len(NAMES)], number * 2654435761 % 2**20)
    return {
        "handle_id": "k8s-pod-network.%064x" % number,
        "secondary": {"namespace": "default", "node": node, "pod": pod, "timestamp": "2026-01-01 00:00:00 +0000 UTC"},
    }


def entries_of(cidr, affinity, owners, number=1_800_000_000_000_000_000):
    """A block whose first addresses have these attributes."""
    size = calico.ipaddress.ip_network(cidr).num_addresses
    block = {
        "cidr": cidr,
        "allocations": list(range(len(owners))) + [None] * (size - len(owners)),
        "unallocated": list(range(len(owners), size)),
        "attributes": owners,
        "sequenceNumber": number + 1,
        "sequenceNumberForAllocation": {str(ordinal): number for ordinal in range(len(owners))},
        "deleted": False,
    }
    if affinity is not None:
        block["affinity"] = "host:" + affinity
    return {calico.block_path(cidr): block}


def full(blocks=1024):
    """A /16 of which every address of so many blocks is a pod's."""
    found = {}
    for block in range(blocks):
        node = "node-%d" % (block % 80)
        cidr = "10.65.%d.%d/26" % (block // 4, block % 4 * 64)
        found.update(entries_of(cidr, node, [owner(block, ordinal, node) for ordinal in range(64)]))
    return found


def every_use(now):
    """Five blocks of a /16 and a reservation: used, borrowed, cooling down, affine, nobody's."""
    cooling = {"releasedAt": now}
    found = {}
    found.update(entries_of("10.65.0.0/26", "node-a", [owner(0, ordinal, "node-a") for ordinal in range(25)]))
    mixed = [owner(1, 0, "node-a"), owner(1, 1, "node-b"), cooling]
    found.update(entries_of("10.65.0.64/26", "node-a", mixed))
    found.update(entries_of("10.65.0.128/26", "node-b", [cooling, cooling]))
    found.update(entries_of("10.65.0.192/26", "node-c", []))
    found.update(entries_of("10.65.1.0/26", None, [owner(4, 0, "node-c")]))
    found[RESERVATIONS + "kept"] = {
        "kind": "IPReservation", "apiVersion": "projectcalico.org/v3", "metadata": {"name": "kept"},
        "spec": {"reservedCIDRs": ["10.65.255.0/26"]},
    }
    found[calico.CONFIG] = {"strict_affinity": False, "auto_allocate_blocks": True, "ipCooldownSeconds": 1200}
    return found
