"""A node with very many neighbours, in a network namespace of its own: what `ip` and the agent are given, and what happens."""

import contextlib
import json
import os
import select
import shutil
import socket
import struct
import subprocess
import sys
import tempfile
import threading
import time

HERE = os.path.dirname(os.path.abspath(__file__))
# Before this directory, which has a module of the same name as one of theirs.
sys.path.insert(0, os.path.join(os.path.dirname(HERE), "tests"))

import agents  # noqa: E402  (found through the path above)
import calico  # noqa: E402
import isolation  # noqa: E402
import namespaces  # noqa: E402
import traffic  # noqa: E402
import waiting  # noqa: E402

POOL = "10.0.0.0/8"
OWN = "172.16.0.1/12"
IP = shutil.which("ip") or "/usr/sbin/ip"

# From <linux/rtnetlink.h>.
NETLINK_ROUTE, GROUP_IPV4_ROUTE = 0, 0x40
RTM_NEWROUTE, RTM_DELROUTE, RTA_DST = 24, 25, 1
SO_RCVBUFFORCE = 33


class Workplace:
    """What the tests' modules take for a test: a directory and things to undo."""

    def __init__(self, directory):
        # The benchmark runs where a test would have been brought to.
        os.environ[isolation.MARK] = ""
        self.stack = contextlib.ExitStack()
        self.temporary = tempfile.mkdtemp(dir=directory)

    def addCleanup(self, undo, *arguments):
        self.stack.callback(undo, *arguments)

    def close(self):
        self.stack.close()
        shutil.rmtree(self.temporary, ignore_errors=True)


def dotted(number):
    return socket.inet_ntoa(struct.pack("!I", number))


class Scene:
    """`routes` blocks, dealt out in turn to `hops` other nodes, all on one link or behind one tunnel device."""

    def __init__(self, directory, routes, hops, tunnel=False):
        self.place = Workplace(directory)
        self.routes, self.hops, self.tunnel = routes, hops, tunnel
        self.namespace = namespaces.Namespace(self.place, "node")
        self.ip("link", "add", "eth0", "type", "veth", "peer", "name", "far0")
        for device in ("far0", "eth0"):
            self.ip("link", "set", device, "up")
        self.ip("addr", "add", OWN, "dev", "eth0")
        self.database = os.path.join(self.place.temporary, "ipam.db")
        self.nodes_file = os.path.join(self.place.temporary, "nodes.json")

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.place.close()

    def ip(self, *arguments):
        namespaces.ip("-n", self.namespace.name, *arguments)

    # MARK: who has what

    def underlay(self, hop):
        return dotted((172 << 24) + (16 << 16) + 2 + hop)

    def block(self, index):
        return dotted((10 << 24) + index * 64) + "/26"

    def blocks(self, hop):
        return [self.block(index) for index in range(hop, self.routes, self.hops)]

    def gateway(self, hop):
        """Where a route to a node leads: to the node itself, or to its address on the tunnel, the first of its first block."""
        return self.block(hop).split("/")[0] if self.tunnel else self.underlay(hop)

    @property
    def device(self):
        return "vxlan.calico" if self.tunnel else "eth0"

    def write_list(self):
        """The nodes as a list, for an agent without a datastore."""
        rows = [{"name": "self", "addresses": [OWN]}]
        for hop in range(self.hops):
            row = {"name": "m%d" % hop, "addresses": [self.underlay(hop) + "/12"], "podCIDRs": self.blocks(hop)}
            if self.tunnel:
                row["vxlanTunnelAddress"] = self.gateway(hop)
            rows.append(row)
        if self.tunnel:
            rows[0]["vxlanTunnelAddress"] = "10.255.0.1"
        pools = [{"name": "pool", "cidr": POOL, "vxlanMode": "Always" if self.tunnel else "Never"}]
        with open(self.nodes_file, "w", encoding="ascii") as file:
            json.dump({"nodes": rows, "pools": pools}, file)

    def write_store(self):
        """The nodes and their blocks as a datastore."""
        self.store = calico.Store.make(self.database, [(POOL, {"vxlanMode": "Always" if self.tunnel else "Never"})], ())
        entries = dict([self.node_entry("self", OWN, "10.255.0.1")])
        for hop in range(self.hops):
            entries.update([self.node_entry("m%d" % hop, self.underlay(hop) + "/12", self.gateway(hop))])
            for cidr in self.blocks(hop):
                entries.update(calico.filled(cidr, "m%d" % hop, []))
        self.store.put_all(entries)

    def node_entry(self, name, underlay, tunnel):
        value = calico.node(name)
        value["spec"] = {"bgp": {"ipv4Address": underlay}}
        if self.tunnel:
            value["spec"]["ipv4VXLANTunnelAddr"] = tunnel
        return calico.node_path(name), value

    # MARK: what `ip` is given

    def write_batch(self):
        """The same routes, in the words of `ip`."""
        path = os.path.join(self.place.temporary, "routes.batch")
        more = " mtu 1450" if self.tunnel else ""
        with open(path, "w", encoding="ascii") as file:
            for hop in range(self.hops):
                for cidr in self.blocks(hop):
                    words = (cidr, self.gateway(hop), self.device, more)
                    file.write("route replace %s via %s dev %s onlink%s proto 84\n" % words)
        return path

    def make_tunnel(self):
        """The device that the agent makes itself, for `ip`."""
        words = "type vxlan id 4096 dstport 4789 local 172.16.0.1 dev eth0 nolearning"
        self.ip("link", "add", "vxlan.calico", *words.split())
        self.ip("addr", "add", "10.255.0.1/32", "dev", "vxlan.calico")
        self.ip("link", "set", "vxlan.calico", "mtu", "1450", "up")

    def empty(self):
        """Takes every route away at once: with the link, or with the device of the tunnel and all that is on it."""
        if self.tunnel:
            with contextlib.suppress(AssertionError):
                self.ip("link", "del", "vxlan.calico")
            with contextlib.suppress(AssertionError):
                self.ip("nexthop", "flush", "proto", "84")
        else:
            self.ip("link", "set", "eth0", "down")
            self.ip("link", "set", "eth0", "up")

    def count(self):
        """How many routes of the agent's protocol there are."""
        command = [IP, "-n", self.namespace.name, "-4", "route", "show", "proto", "84"]
        return subprocess.run(command, capture_output=True, check=True).stdout.count(b"\n")

    # MARK: the agent

    def agent(self, **options):
        return agents.Agent(self.place, self.namespace, node_name="self", allocate_tunnel_addresses=False, **options)

    def of_list(self, **options):
        return self.agent(mode="podCIDR", nodes_file=self.nodes_file, **options)

    def of_store(self, **options):
        listen = "127.0.0.1:%d" % agents.PORT
        return self.agent(database_file=self.database, listen=listen, **options)


class Listener:
    """Route notifications of a namespace with their times, by destination."""

    def __init__(self, scene):
        self.end = agents.inside(scene.namespace, self.make)
        self.events, self.is_open = [], True
        self.thread = threading.Thread(target=self.listen, daemon=True)
        self.thread.start()

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.is_open = False
        self.thread.join()
        self.end.close()

    @staticmethod
    def make():
        end = socket.socket(socket.AF_NETLINK, socket.SOCK_RAW, NETLINK_ROUTE)
        with contextlib.suppress(OSError):
            end.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 16 << 20)
        end.bind((0, GROUP_IPV4_ROUTE))
        return end

    def listen(self):
        while self.is_open:
            if not select.select([self.end], [], [], 0.2)[0]:
                continue
            data = self.end.recv(65536)
            now = time.perf_counter()
            while len(data) >= 28:
                length, kind = struct.unpack_from("=IH", data)
                self.events.append((now, kind, destination(data[:length])))
                data = data[(length + 3) & ~3 :]

    def when(self, kind, cidr, after, seconds=30):
        """The time of the first notification of this kind about a destination after a point in time."""

        def found():
            return next((one[0] for one in self.events if one[0] >= after and one[1:] == (kind, cidr)), None)

        return waiting.until(found, "no notification about %s" % cidr, seconds)


def destination(message):
    """The destination of a route notification (struct rtmsg behind the header, then attributes)."""
    length, offset = message[17], 28
    while offset + 4 <= len(message):
        size, kind = struct.unpack_from("=HH", message, offset)
        if kind == RTA_DST:
            return "%s/%d" % (socket.inet_ntoa(message[offset + 4 : offset + 8]), length)
        offset += max(4, (size + 3) & ~3)
    return "0.0.0.0/%d" % length


def processor_time(process):
    """The seconds that all threads of a process ran, to the nanosecond."""
    total = 0
    for task in os.listdir("/proc/%d/task" % process):
        with contextlib.suppress(FileNotFoundError), open("/proc/%d/task/%s/schedstat" % (process, task)) as file:
            total += int(file.read().split()[0])
    return total / 1e9


def resident_memory(process):
    """What a process has of memory now, in MiB."""
    with open("/proc/%d/status" % process, encoding="ascii") as file:
        return int(next(line for line in file if line.startswith("VmRSS")).split()[1]) / 1024
