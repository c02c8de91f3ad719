"""calico-ipam, called the way a runtime does, and the store behind it: made, read back and checked from outside.

The store is written and read with another SQLite than the plugin's, so that what is in the file counts and not what the
plugin believes to be in it.
"""

import contextlib
import ipaddress
import json
import os
import sqlite3
import unittest

import plugin

V4, V6 = "192.168.0.0/16", "fd80:24e2:f998:72d6::/64"
NETWORK, NODE = "net1", "node-a"

RESOURCES = "/calico/resources/v3/projectcalico.org/"
BLOCKS, HANDLES, HOSTS = "/calico/ipam/v2/assignment/", "/calico/ipam/v2/handle/", "/calico/ipam/v2/host/"
CONFIG = "/calico/ipam/v2/config"

# Version 1 of the file. A released version is never edited, so a store made like this must be usable for ever.
APPLICATION, VERSION = 0x5349504D, 1
TABLES = """
CREATE TABLE store (identity TEXT NOT NULL) STRICT;
INSERT INTO store VALUES (lower(hex(randomblob(16))));
CREATE TABLE entries (path TEXT NOT NULL PRIMARY KEY, revision INTEGER NOT NULL, value BLOB NOT NULL) STRICT;
CREATE TABLE changes (revision INTEGER NOT NULL, path TEXT NOT NULL, PRIMARY KEY (revision, path))
  STRICT, WITHOUT ROWID;
CREATE TABLE attachments (handle TEXT NOT NULL, interface TEXT NOT NULL, network TEXT NOT NULL,
  container TEXT NOT NULL, machine_id TEXT NOT NULL, boot_id TEXT NOT NULL, namespace_path TEXT,
  namespace_device INTEGER, namespace_inode INTEGER, recorded_at INTEGER NOT NULL,
  PRIMARY KEY (handle, interface)) STRICT, WITHOUT ROWID;
"""


def calico_ipam():
    """The plugin under test."""
    path = os.environ.get("CALICO_IPAM", "")
    if not os.access(path, os.X_OK):
        raise unittest.SkipTest("CALICO_IPAM does not name the plugin")
    return os.path.abspath(path)


def pool_name(cidr):
    """What the upstream tests call a pool: its network with every separator as a dash."""
    return cidr.replace(".", "-").replace("/", "-").replace(":", "-")


def pool_path(cidr):
    return RESOURCES + "ippools/" + pool_name(cidr)


def node_path(name):
    return RESOURCES + "nodes/" + name


def path_form(cidr):
    """A network as keys have it."""
    return cidr.replace("/", "-")


def block_path(cidr):
    return "%sipv%d/block/%s" % (BLOCKS, ipaddress.ip_network(cidr).version, path_form(cidr))


def affinity_path(node, cidr):
    return "%s%s/ipv%d/block/%s" % (HOSTS, node, ipaddress.ip_network(cidr).version, path_form(cidr))


class Store:
    """The store of a test."""

    is_atomic = True  # whether all entries of a commit appear together

    def __init__(self, path):
        self.path = path
        self.numbers = {}  # the largest sequence number seen of each block

    @classmethod
    def make(cls, path, pools=(V4, V6), nodes=(NODE,), config=None):
        """A store with these pools (networks, or (network, more of the spec)) and nodes."""
        store = cls(path)
        with store.open() as connection:
            connection.executescript("PRAGMA journal_mode=WAL; BEGIN; %s COMMIT;" % TABLES)
            connection.execute("PRAGMA application_id=%d" % APPLICATION)
            connection.execute("PRAGMA user_version=%d" % VERSION)
        entries = dict(map(pool_entry, pools))
        entries.update({node_path(name): node(name) for name in nodes})
        if config is not None:
            entries[CONFIG] = config
        store.put_all(entries)
        return store

    @contextlib.contextmanager
    def open(self):
        """A connection that is closed again, with what it did committed."""
        connection = sqlite3.connect(self.path, timeout=30, isolation_level=None)
        try:
            yield connection
        finally:
            connection.close()

    # MARK: writing

    def put_all(self, entries):
        """Writes entries (a value of None removes one) in one transaction, as one revision. Bytes pass unchanged."""
        with self.open() as connection:
            connection.execute("BEGIN IMMEDIATE")
            revision = (connection.execute("SELECT max(revision) FROM changes").fetchone()[0] or 0) + 1
            for path, value in entries.items():
                if value is None:
                    connection.execute("DELETE FROM entries WHERE path = ?", (path,))
                else:
                    data = value if isinstance(value, bytes) else json.dumps(value, separators=(",", ":")).encode()
                    connection.execute("INSERT OR REPLACE INTO entries VALUES (?, ?, ?)", (path, revision, data))
                connection.execute("INSERT INTO changes VALUES (?, ?)", (revision, path))
            connection.execute("COMMIT")

    def put(self, path, value):
        self.put_all({path: value})

    def add_pool(self, cidr, **spec):
        self.put(*pool_entry((cidr, spec)))

    def remove_pool(self, cidr):
        self.put(pool_path(cidr), None)

    def fill(self, addresses, block, node=NODE, first=0):
        """Gives the first addresses of a new block to containers full-N, with handles and affinity, as ADD would."""
        self.put_all(filled(block, node, ["full-%d" % (first + ordinal) for ordinal in range(addresses)]))

    # MARK: reading

    def entries(self, below="/"):
        """Path to value of all entries below a path."""
        with self.open() as connection:
            rows = connection.execute(
                "SELECT path, value FROM entries WHERE path >= ? AND path < ?", (below, below[:-1] + "0")
            )
            return {path: json.loads(value) for path, value in rows}

    def raw(self):
        """Every row of every table but the changes, to see that nothing was changed."""
        with self.open() as connection:
            return [
                row for table in ("entries", "attachments", "store") for row in connection.execute("SELECT * FROM " + table)
            ]

    def value(self, path):
        """One entry, or None."""
        with self.open() as connection:
            row = connection.execute("SELECT value FROM entries WHERE path = ?", (path,)).fetchone()
        return None if row is None else json.loads(row[0])

    def blocks(self):
        return {value["cidr"]: value for value in self.entries(BLOCKS).values()}

    def handles(self):
        """Handle to block to count."""
        return {
            path.removeprefix(HANDLES): value.get("block") or {} for path, value in self.entries(HANDLES).items()
        }

    def affinities(self):
        """(node, block) to state."""
        found = {}
        for path, value in self.entries(HOSTS).items():
            node, _, _, cidr = path.removeprefix(HOSTS).split("/")
            found[node, cidr.replace("-", "/")] = value.get("state")
        return found

    def allocations(self):
        """Address to (handle, node) of all that is assigned."""
        found = {}
        for cidr, block in self.blocks().items():
            network = ipaddress.ip_network(cidr)
            for ordinal, index in enumerate(block["allocations"]):
                if index is not None and "releasedAt" not in block["attributes"][index]:
                    held = block["attributes"][index]
                    found[str(network[ordinal])] = (held.get("handle_id"), held.get("secondary", {}).get("node"))
        return found

    def held(self, container, network=NETWORK):
        """The addresses of a container."""
        handle = network + "." + container
        return sorted(address for address, (owner, _) in self.allocations().items() if owner == handle)

    def evidence(self):
        """What is recorded of attachments, each as a dictionary."""
        with self.open() as connection:
            connection.row_factory = sqlite3.Row
            return [dict(row) for row in connection.execute("SELECT * FROM attachments ORDER BY handle, interface")]

    # MARK: the invariants

    def faults(self, died=False):
        """What is not as section 6.1 of the IPAM specification demands, as sentences; none is how it should be.

        A store that commits atomically never has a handle that counts too much, nor a claim that is half done, and so
        they count as faults. With `died` a process or a connection has, and a store that does not commit atomically
        may have both (section 6.2).
        """
        entries, evidence, damage = self.snapshot()
        blocks = {path: value for path, value in entries.items() if path.startswith(BLOCKS)}
        faults = list(damage)
        for path, block in blocks.items():
            faults += self.block_faults(path, block)
        faults += overlaps([block["cidr"] for block in blocks.values()])
        tolerant = died and not self.is_atomic
        faults += handle_faults(entries, blocks.values(), tolerant)
        faults += affinity_faults(entries, blocks.values(), tolerant)
        faults += ["evidence of %s, which has no addresses" % handle for handle in evidence if HANDLES + handle not in entries]
        return faults

    def snapshot(self):
        """All entries, the handles with evidence, and what the database itself finds wrong, at one moment."""
        with self.open() as connection:
            connection.execute("BEGIN")
            rows = connection.execute("SELECT path, value FROM entries").fetchall()
            damage = [row[0] for row in connection.execute("PRAGMA integrity_check") if row[0] != "ok"]
            evidence = {row[0] for row in connection.execute("SELECT handle FROM attachments")}
            connection.execute("COMMIT")
        return {path: json.loads(value) for path, value in rows}, evidence, damage

    def block_faults(self, path, block):
        cidr, allocations, free = block["cidr"], block["allocations"], block["unallocated"]
        attributes, number = block["attributes"] or [], block["sequenceNumber"]
        numbers = block["sequenceNumberForAllocation"] or {}
        taken = [ordinal for ordinal, index in enumerate(allocations) if index is not None]
        size = ipaddress.ip_network(cidr).num_addresses
        used = {index for index in allocations if index is not None}
        if path != block_path(cidr):
            yield "I4: block %s is kept at %s" % (cidr, path)
        if sorted(taken + free) != list(range(size)):
            yield "I2: block %s: %s taken, %s free" % (cidr, taken, free)
        if not used <= set(range(len(attributes))):
            yield "I3: block %s has an index beyond its %d attributes" % (cidr, len(attributes))
        if set(range(len(attributes))) - used:
            yield "I3: block %s has attributes that nothing refers to" % cidr
        if number < self.numbers.get(cidr, 0):
            yield "I8: the number of block %s went back from %d to %d" % (cidr, self.numbers[cidr], number)
        self.numbers[cidr] = max(number, self.numbers.get(cidr, 0))
        late = [ordinal for ordinal in taken if numbers.get(str(ordinal), number) >= number]
        if late:
            yield "I9: block %s, number %d: no smaller number for %s" % (cidr, number, late)
        if block.get("deleted"):
            yield "block %s is marked as deleted" % cidr
        if not block.get("affinity") and not taken:
            yield "block %s is nobody's and empty" % cidr


def overlaps(cidrs):
    """I4: no two blocks share an address."""
    networks = sorted((ipaddress.ip_network(cidr) for cidr in cidrs), key=lambda one: (one.version, one))
    for first, second in zip(networks, networks[1:]):
        if first.version == second.version and first.overlaps(second):
            yield "I1: blocks %s and %s overlap" % (first, second)


def handle_faults(entries, blocks, tolerant=False):
    """I7: handles count what the blocks hold, or more of it where that is tolerated."""
    wanted = {}
    for block in blocks:
        for index in block["allocations"]:
            handle = block["attributes"][index].get("handle_id") if index is not None else None
            if handle:
                counts = wanted.setdefault(handle, {})
                counts[block["cidr"]] = counts.get(block["cidr"], 0) + 1
    found = {
        path.removeprefix(HANDLES): value.get("block") or {}
        for path, value in entries.items()
        if path.startswith(HANDLES)
    }
    for handle in sorted(set(wanted) | set(found)):
        counts, holds = found.get(handle) or {}, wanted.get(handle) or {}
        if tolerant and all(counts.get(block, 0) >= count for block, count in holds.items()):
            continue
        if wanted.get(handle) != found.get(handle):
            yield "I7: handle %s counts %s, the blocks %s" % (handle, found.get(handle), wanted.get(handle))


def affinity_faults(entries, blocks, tolerant=False):
    """I6: a block has the one confirmed affinity that it names, and no node believes otherwise.

    Where a claim or its end may be half done, that can be seen by the affinity's state.
    """
    wanted = {
        affinity_path(block["affinity"].removeprefix("host:"), block["cidr"]) for block in blocks if block["affinity"]
    }
    found = {path for path in entries if path.startswith(HOSTS)}
    if tolerant:
        halfway = {path for path in found if entries[path].get("state") != "confirmed"}
        wanted, found = wanted - halfway, found - halfway
    for path in sorted(wanted - found):
        yield "I6: %s is missing" % path
    for path in sorted(found - wanted):
        yield "I6: %s claims a block that is not its node's" % path
    for path in sorted(found):
        if entries[path].get("state") != "confirmed":
            yield "I6: %s is %s" % (path, entries[path].get("state"))


def filled(block, node, containers, network=NETWORK, number=1_700_000_000_000_000_000):
    """The entries of a block of which containers have the first addresses, path to value; `number` is its first."""
    size, taken = ipaddress.ip_network(block).num_addresses, range(len(containers))
    handles = ["%s.%s" % (network, container) for container in containers]
    entries = {
        affinity_path(node, block): {"state": "confirmed", "deleted": False},
        block_path(block): {
            "cidr": block,
            "affinity": "host:" + node,
            "affinity_claim_time": "2026-01-01T00:00:00Z",
            "allocations": list(taken) + [None] * (size - len(taken)),
            "unallocated": list(range(len(taken), size)),
            "attributes": [attribute(handle, node) for handle in handles],
            "sequenceNumber": number + len(taken),
            "sequenceNumberForAllocation": {str(ordinal): number + ordinal for ordinal in taken},
            "deleted": False,
        },
    }
    entries.update({HANDLES + handle: {"block": {block: 1}, "deleted": False} for handle in handles})
    return entries


def fnv1a(text):
    """The hash that tells stores apart below /run."""
    number = 0xCBF29CE484222325
    for byte in text.encode():
        number = (number ^ byte) * 0x100000001B3 % 2**64
    return number


def attribute(handle, node=NODE):
    return {"handle_id": handle, "secondary": {"node": node, "timestamp": "2026-01-01 00:00:00 +0000 UTC"}}


def node(name):
    return {
        "kind": "Node",
        "apiVersion": "projectcalico.org/v3",
        "metadata": {"name": name, "uid": "6a3b1f0e-0000-4000-8000-000000000000"},
        "spec": {},
        "status": {},
    }


def pool_entry(pool):
    """(path, value) of a pool."""
    cidr, more = (pool, {}) if isinstance(pool, str) else pool
    version = ipaddress.ip_network(cidr).version
    spec = {
        "cidr": cidr,
        "ipipMode": "Never",
        "vxlanMode": "Never",
        "blockSize": 26 if version == 4 else 122,
        "nodeSelector": "all()",
        "allowedUses": ["Workload", "Tunnel"],
        "assignmentMode": "Automatic",
        **more,
    }
    name = pool_name(cidr)
    return RESOURCES + "ippools/" + name, {
        "kind": "IPPool",
        "apiVersion": "projectcalico.org/v3",
        "metadata": {"name": name, "uid": "0f9d7f1c-6a0e-4f7f-9f1e-0d4c3a1b2c5d"},
        "spec": spec,
    }


class Network:
    """A network configuration of a node, and the calls on it."""

    def __init__(self, directory, node=NODE, version="1.0.0", name=NETWORK, **ipam):
        self.directory, self.node, self.version, self.name, self.ipam = directory, node, version, name, ipam
        self.database = os.path.join(directory, "ipam.db")
        self.lock = os.path.join(directory, "run", "ipam.lock")
        # Where host-local would have its reservations: the switch between the two looks there.
        self.reservations = os.path.join(directory, "networks")

    @property
    def store(self):
        return Store(self.database)

    @property
    def hints(self):
        """Where the plugin keeps what it remembers of this store."""
        return "/run/swift-ipam/calico-ipam/%x" % fnv1a("sqlite " + self.database)

    def config(self, **more):
        return {
            "cniVersion": self.version,
            "name": self.name,
            "type": "calico",
            "nodename": self.node,
            "database_file": self.database,
            "ipam_lock_file": self.lock,
            "ipam": {"type": "calico-ipam", "dataDir": self.reservations, **self.ipam},
            **more,
        }

    def call(self, verb, container="c1", config=None, more=None, environment=None, **options):
        """Runs the plugin with the network's configuration and `more` members of it, or with another `config`."""
        document = self.config(**(more or {})) if config is None else config
        return plugin.call(calico_ipam(), verb, document, container=container, more=environment, **options)

    def add(self, container="c1", **options):
        return self.call("ADD", container, **options)

    def delete(self, container="c1", **options):
        return self.call("DEL", container, **options)

    def check(self, container="c1", **options):
        return self.call("CHECK", container, **options)

    def status(self, **options):
        more = {"cniVersion": "1.1.0", **options.pop("more", {})}
        return self.call("STATUS", more=more, **options)

    def collect(self, valid, more=None, **options):
        """GC, which exists from version 1.1.0 on; `valid` lists container IDs."""
        attachments = [{"containerID": container, "ifname": "eth0"} for container in valid]
        more = {"cniVersion": "1.1.0", "cni.dev/valid-attachments": attachments, **(more or {})}
        return self.call("GC", more=more, **options)


class CalicoTest(plugin.PluginTest):
    """A test with a store of its own, at the end of which the store has no faults."""

    pools, nodes, settings = (V4, V6), (NODE,), None
    sound = True  # whether the store has to be without faults when the test ends

    def setUp(self):
        super().setUp()
        calico_ipam()
        self.path = os.path.join(self.temporary, "ipam.db")
        self.store = Store.make(self.path, self.pools, self.nodes, self.settings)
        self.net = self.network()
        if self.sound:
            self.addCleanup(self.assertSound)

    def network(self, node=NODE, **options):
        return Network(self.temporary, node, **options)

    def assertSound(self, said=None):
        """The store keeps every invariant."""
        self.assertEqual(list(self.store.faults()), [], said)

    def assertHolds(self, container, addresses):
        """The container has exactly these in the store."""
        self.assertEqual(self.store.held(container), sorted(addresses))

    @contextlib.contextmanager
    def unchanged(self):
        """Nothing in the store may change meanwhile."""
        before = self.store.raw()
        yield
        after = self.store.raw()
        if after != before:
            changed = sorted({str(row[0]) for row in set(before) ^ set(after)})
            self.fail("the store was changed: " + ", ".join(changed))
