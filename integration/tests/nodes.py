"""Three nodes with a pod each, two on one subnet and one behind a router, and the datastore they share.

     p1--n1--+
             +-- bridge [r] b3 -- n3--p3
     p2--n2--+

The addresses are those of the routes specification, section 6.2. Nothing is routed between the pods: that is the
agent's to do.
"""

import hashlib
import ipaddress
import os

import agents
import calico
import iproute
import namespaces
import plugin
import traffic
import waiting

V4, V6 = "10.65.0.0/16", "fd65::/16"
UNDERLAY = {1: ("172.30.1.11/24", "fd30:1::11/64"), 2: ("172.30.1.12/24", "fd30:1::12/64"), 3: ("172.30.2.13/24", "fd30:2::13/64")}
ROUTER = {1: ("172.30.1.1/24", "fd30:1::1/64"), 2: ("172.30.2.1/24", "fd30:2::1/64")}
VXLAN = {4: "vxlan.calico", 6: "vxlan-v6.calico"}
TUNNEL_MTU = {4: 1450, 6: 1430}
POD = 5  # the pod's ordinal in its node's block
TUNNEL = 0  # that of the node's tunnel address


def name(number):
    return "n%d" % number


def block(number, family=4):
    return "10.65.%d.0/26" % number if family == 4 else "fd65:%d::/122" % number


def address(number, ordinal=POD, family=4):
    """An address of a node's block."""
    return str(ipaddress.ip_network(block(number, family))[ordinal])


def underlay(number, family=4):
    return UNDERLAY[number][family == 6].split("/")[0]


def hardware_address(node, family=4):
    """What every node computes for every other (routes specification, 4.4)."""
    digest = hashlib.sha1((node + ("-v6" if family == 6 else "")).encode()).digest()
    return ":".join("%02x" % byte for byte in b"f" + digest[:5])


# MARK: the routes of a block, as `iproute` writes them


def blackhole(number, family=4):
    return "blackhole " + block(number, family)


def direct(number, family=4, destination=None):
    return "%s via %s dev eth0 onlink" % (destination or block(number, family), underlay(number, family))


def tunnelled(number, family=4, destination=None, via=None):
    via = via or address(number, TUNNEL, family)
    return "%s via %s dev %s onlink mtu %d" % (destination or block(number, family), via, VXLAN[family], TUNNEL_MTU[family])


def overlay(number, family=4):
    """Everything that a node has when all is in tunnels."""
    return [blackhole(number, family)] + [tunnelled(other, family) for other in UNDERLAY if other != number]


def cross_subnet(number, family=4):
    """Everything that a node has when tunnels are for other subnets alone."""
    near = {1: (2,), 2: (1,), 3: ()}[number]
    others = [other for other in UNDERLAY if other != number]
    return [blackhole(number, family)] + [(direct if other in near else tunnelled)(other, family) for other in others]


# MARK: entries of the datastore


def node_entry(number, addresses=None, spec=None):
    """(path, value) of a Node. Its tunnel addresses are the first ones of its blocks."""
    v4, v6 = addresses or UNDERLAY[number]
    value = calico.node(name(number))
    # Calico refuses to update an object without one, and so does the agent that gives the node a tunnel address.
    value["metadata"]["creationTimestamp"] = "2026-01-01T00:00:00Z"
    value["spec"] = {
        "bgp": {key: one for key, one in (("ipv4Address", v4), ("ipv6Address", v6)) if one},
        "ipv4VXLANTunnelAddr": address(number, TUNNEL),
        "ipv6VXLANTunnelAddr": address(number, TUNNEL, 6),
        **(spec or {}),
    }
    return calico.node_path(name(number)), value


def held(node, kind=None):
    """The attribute of an address that a node's pod, or with a kind its tunnel device, has."""
    if kind is None:
        return calico.attribute("net1.pod-" + node, node)
    handle, label = {
        4: ("vxlan-tunnel-addr-", "vxlanTunnelAddress"),
        6: ("vxlan-v6-tunnel-addr-", "vxlanV6TunnelAddress"),
    }[kind]
    return {"handle_id": handle + node, "secondary": {"node": node, "type": label}}


def block_entries(cidr, owner, allocations=None, state="confirmed", sequence=1_700_000_000_000_000_000):
    """The entries of a block and its affinity. `allocations` is ordinal to attribute; an owner of None has none."""
    allocations = allocations or {}
    size = ipaddress.ip_network(cidr).num_addresses
    ordinals = sorted(allocations)
    entries = {
        calico.block_path(cidr): {
            "cidr": cidr,
            "affinity": owner and (owner if ":" in owner else "host:" + owner),
            "allocations": [ordinals.index(one) if one in allocations else None for one in range(size)],
            "unallocated": [one for one in range(size) if one not in allocations],
            "attributes": [allocations[one] for one in ordinals],
            "sequenceNumber": sequence + len(ordinals),
            "sequenceNumberForAllocation": {str(one): sequence for one in ordinals},
            "deleted": False,
        }
    }
    if owner and ":" not in owner:
        entries[calico.affinity_path(owner, cidr)] = {"state": state, "deleted": False}
    return entries


def own_block(number, family=4, more=None):
    """The entries of a node's block, with its tunnel address and its pod."""
    node = name(number)
    return block_entries(block(number, family), node, {TUNNEL: held(node, family), POD: held(node), **(more or {})})


class Node:
    """One node: its namespace, its pod and its agent."""

    def __init__(self, network, number, rebuilt=None):
        self.network, self.number, self.name = network, number, name(number)
        self.host = rebuilt or namespaces.Namespace(network.test, self.name)
        self.agent = None

    def routes(self, family=4, protocol=iproute.AGENT):
        """The routes of a protocol, sorted."""
        return sorted(iproute.tables(self.host, family)[protocol])

    def ip(self, *arguments, check=True):
        return iproute.ip(self.host, *arguments, check=check)

    def prepare(self, **options):
        """The node's agent, not yet started."""
        options = {
            "node_name": self.name,
            "database_file": self.network.database,
            "listen": "127.0.0.1:%d" % agents.PORT,
            **self.network.options,
            **options,
        }
        self.agent = agents.Agent(self.network.test, self.host, **options)
        return self.agent

    def start(self, is_ready=True, **options):
        return self.prepare(**options).start(is_ready)


class Network:
    """The topology. `pods` says whether nodes have pods; each agent gets the `options`."""

    def __init__(self, test, database=None, pods=True, **options):
        self.test, self.database, self.options = test, database, options
        self.router = namespaces.Namespace(test, "r")
        self.nodes = {number: Node(self, number) for number in UNDERLAY}
        self.pods = {number: namespaces.Namespace(test, "p%d" % number) for number in UNDERLAY} if pods else {}
        forward(self.router)
        self.connect_router()
        for number in UNDERLAY:
            self.connect(number)

    def __getitem__(self, number):
        return self.nodes[number]

    def connect_router(self):
        lines = ["link add brA type bridge", "link set brA up"]
        lines += ["addr add %s dev brA" % one for one in ROUTER[1]]
        iproute.batch(self.router, lines)

    def connect(self, number):
        """Makes a node's links and addresses, and its pod's."""
        host, subnet = self.nodes[number].host, int(number == 3) + 1
        forward(host)
        port = "b%d" % number
        lines = ["link add %s type veth peer name eth0 netns %s" % (port, host.name), "link set %s up" % port]
        lines += ["link set %s master brA" % port] if subnet == 1 else ["addr add %s dev %s" % (one, port) for one in ROUTER[2]]
        iproute.batch(self.router, lines)
        lines = ["link set eth0 up"] + ["addr add %s dev eth0" % one for one in UNDERLAY[number]]
        lines += ["route add default via %s" % one.split("/")[0] for one in ROUTER[subnet]]
        iproute.batch(host, lines)
        if number in self.pods:
            self.connect_pod(number)

    def connect_pod(self, number, pod=None, addresses=None, device=None):
        """Gives a pod addresses at the end of a link, as a CNI plugin would."""
        host, pod, device = self.nodes[number].host, pod or self.pods[number], device or "cali%d" % number
        addresses = addresses or [address(number, POD, family) for family in (4, 6)]
        lines = ["link add %s type veth peer name eth0 netns %s" % (device, pod.name), "link set %s up" % device]
        lines += ["addr add fe80::1/64 dev %s" % device]
        lines += ["route add %s dev %s" % (iproute.destination(one, 6 if ":" in one else 4), device) for one in addresses]
        iproute.batch(host, lines)
        host.run("sysctl", "-q", "-w", "net.ipv4.conf.%s.proxy_arp=1" % device)
        lines = ["link set eth0 up"]
        lines += ["addr add %s dev eth0" % iproute.destination(one, 6 if ":" in one else 4) for one in addresses]
        lines += ["route add 169.254.1.1 dev eth0", "route add default via 169.254.1.1 dev eth0"]
        iproute.batch(pod, [*lines, "route add default via fe80::1 dev eth0"])

    def rebuild(self, number):
        """Takes a node down with all its links, and puts an empty one with the same wiring in its place, as a reboot does.

        Nothing is routed on it, and its pod is gone.
        """
        old = self.nodes[number]
        old.ip("link", "del", "eth0")
        # The namespace itself lives until the test ends; nothing that it had is in the new one.
        self.nodes[number] = Node(self, number, namespaces.Namespace(self.test, "%s-again" % old.name))
        pod = self.pods.pop(number, None)
        self.connect(number)
        if pod:
            self.pods[number] = namespaces.Namespace(self.test, "p%d-again" % number)
            self.connect_pod(number)
        return self.nodes[number]


def forward(namespace):
    """Makes a router of a namespace. Sources may be anywhere: which way packets come changes with the pool."""
    settings = ["net.ipv4.ip_forward=1", "net.ipv6.conf.all.forwarding=1"]
    settings += ["net.ipv4.conf.%s.rp_filter=0" % scope for scope in ("all", "default")]
    namespace.run("sysctl", "-q", "-w", *settings)


class RoutesTest(plugin.PluginTest):
    """A test with a datastore of three nodes and their blocks, and with the topology when it asks for it."""

    pool = {}  # what the pools' specs have more, such as {"vxlanMode": "Always"}
    # Those of every agent. The Nodes of this datastore have their tunnel addresses, whatever the pools say.
    options = {"allocate_tunnel_addresses": False}

    def setUp(self):
        super().setUp()
        agents.ipam_node()
        self.database = os.path.join(self.temporary, "ipam.db")
        self.store = calico.Store.make(self.database, self.pools(), ())
        entries = dict(node_entry(number) for number in UNDERLAY)
        for number in UNDERLAY:
            for family in (4, 6):
                entries.update(own_block(number, family))
        entries.update(handles(entries))
        self.store.put_all(entries)

    def pools(self):
        return [(V4, self.pool), (V6, self.pool)]

    def build(self, pods=False, **options):
        """The topology."""
        self.network = Network(self, self.database, pods, **{**self.options, **options})
        return self.network

    def set_pools(self, **spec):
        """Changes all pools together."""
        self.store.put_all(dict(calico.pool_entry((cidr, {**more, **spec})) for cidr, more in self.pools()))

    def assertRoutes(self, node, expected, family=4, seconds=15, protocol=iproute.AGENT):
        """The node has exactly these routes of the agent's own, now or soon."""
        expected = sorted(expected)
        waiting.until(
            lambda: node.routes(family, protocol) == expected,
            lambda: "%s should have\n  %s\nand has\n  %s\n%s"
            % (node.name, "\n  ".join(expected), "\n  ".join(node.routes(family, protocol)), said(node)),
            seconds,
        )

    def assertStay(self, node, expected, seconds, family=4, protocol=iproute.AGENT):
        """The node has exactly these routes for a while."""
        expected = sorted(expected)
        waiting.while_true(
            lambda: node.routes(family, protocol) == expected,
            lambda: "%s should keep\n  %s\nand has\n  %s\n%s"
            % (node.name, "\n  ".join(expected), "\n  ".join(node.routes(family, protocol)), said(node)),
            seconds,
        )

    def assertCondition(self, agent, kind, *words, seconds=15):
        """The agent tells of a condition of this kind whose subject or message has these words."""

        def found():
            return [one for one in agent.conditions(kind) if all(word in " ".join(one) for word in words)]

        return waiting.until(found, lambda: "no %s with %s: %s" % (kind, words, agent.conditions()), seconds)

    def assertNoCondition(self, agent, kind, seconds=15):
        waiting.until(lambda: not agent.conditions(kind), lambda: "still %s" % agent.conditions(kind), seconds)

    def start(self, *numbers, **options):
        """Starts the agents of these nodes, or of all."""
        started = [self.network[number].start(is_ready=False, **options) for number in numbers or UNDERLAY]
        for agent in started:
            waiting.until(agent.is_ready, lambda: "the agent is not ready; it said\n" + agent.log(), 30)
        return started[0] if len(started) == 1 else started

    def change(self, *parts):
        """Writes entries in one transaction: dictionaries, and pairs of path and value."""
        entries = {}
        for part in parts:
            entries.update(part if isinstance(part, dict) else [part])
        self.store.put_all(entries)

    def assertReaches(self, namespace, target):
        self.assertTrue(namespace.reaches(target), "%s does not reach %s" % (namespace.name, target))

    def assertNoneLost(self, pings):
        """Stops pings, of which none may have gone without an answer."""
        counted = pings.stop()
        self.assertGreater(counted["sent"], 0)
        self.assertEqual((counted["lost"], counted["failed"]), ([], []), "of %d" % counted["sent"])
        return counted["sent"]

    def ping(self, namespace, target):
        return traffic.pinged(self, namespace, target)

    def send(self, namespace, target):
        return traffic.sent(self, namespace, target)


def said(node):
    """The end of what a node's agent said."""
    return "" if node.agent is None or not os.path.exists(node.agent.log_path) else node.agent.log()[-3000:]


def handles(entries):
    """The handles that belong to blocks' allocations, path to value."""
    found = {}
    for path, value in entries.items():
        if path.startswith(calico.BLOCKS):
            for one in value["attributes"]:
                counts = found.setdefault(calico.HANDLES + one["handle_id"], {"block": {}, "deleted": False})
                counts["block"][value["cidr"]] = counts["block"].get(value["cidr"], 0) + 1
    return found
