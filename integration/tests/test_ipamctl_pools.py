#!/usr/bin/env python3
"""ipamctl pool: workloads led from pool to pool on each datastore, while they come and go.

IPAMCTL names the tool.
"""

import concurrent.futures
import ipaddress
import json
import os
import signal
import subprocess
import threading
import time
import unittest

import calico
import hosts
import ledger
import seeds
import waiting

OLD, NEW, TEMPORARY = "10.61.0.0/24", "10.62.0.0/24", "10.63.0.0/24"
NODES = ("node-a", "node-b", "node-c")
# How many containers each node has at a time.
PODS = seeds.count("PODS", 4)


class SQLiteCluster:
    """A file of each test's own. What is a host elsewhere is a node name here, with a lock of its own."""

    name, program, test = "SQLite", "calico-ipam", None

    def __init__(self, place):
        self.path = None

    def reset(self, pools, nodes, config=None):
        self.path = os.path.join(self.test.temporary, "ipam.db")
        return calico.Store.make(self.path, pools, nodes, config)

    def variables(self, port=None):
        return {"DATASTORE_TYPE": "sqlite", "DATABASE_FILE": self.path}


class Workloads:
    """Containers on every node, replaced all the time: as fast as calls go, each ADD has to succeed."""

    def __init__(self, machines, random):
        self.machines, self.random = machines, random
        self.ledger, self.ended = ledger.Ledger(), threading.Event()
        self.lock, self.places, self.added = threading.Lock(), {}, 0
        self.pool = concurrent.futures.ThreadPoolExecutor(len(machines))
        self.jobs = []

    def begin(self):
        for name in self.machines:
            for number in range(PODS):
                self.add(name, "%s-first-%d" % (name, number))
        self.jobs = [self.pool.submit(self.work, name, seeds.child(self.random)) for name in self.machines]

    def add(self, name, container):
        answer = self.machines[name].add(container)
        if answer.status:
            self.ledger.complain("ADD %s has no address: %s" % (container, answer))
            return
        self.ledger.returned(container, answer.addresses)
        with self.lock:
            self.places.setdefault(name, []).append(container)
            self.added += 1

    def delete(self, name, container):
        self.ledger.give_up(container)
        answer = self.machines[name].delete(container)
        if answer.status:
            self.ledger.complain("DEL %s: %s" % (container, answer))

    def work(self, name, random):
        """As a rolling restart does it: the new one first, then the oldest goes."""
        number = 0
        while not self.ended.is_set():
            number += 1
            self.add(name, "%s-%d" % (name, number))
            with self.lock:
                gone = self.places[name].pop(0) if len(self.places[name]) > PODS else None
            if gone:
                self.delete(name, gone)
            time.sleep(random.uniform(0, 0.03))

    def end(self):
        """Nobody comes or goes any more."""
        self.ended.set()
        for job in self.jobs:
            job.result()
        self.pool.shutdown()

    def held(self):
        return {address: "net1." + name for name, addresses in self.ledger.held.items() for address in addresses}


class PoolTest(hosts.ClusterTest):
    """Pool `OLD`, three nodes, and containers that come and go."""

    pools, node_names = ((OLD, {"blockSize": 27}),), NODES

    def setUp(self):
        super().setUp()
        hosts.ipamctl()
        self.random = seeds.source("pools on " + self.kind.name)
        self.workloads = Workloads({name: self.host(name) for name in NODES}, self.random)
        self.workloads.begin()
        self.addCleanup(self.workloads.end)
        self.before = self.pools_now()
        self.old, self.new = calico.pool_name(OLD), "new"

    # MARK: the tool

    def tool(self, *words):
        variables = {"PATH": os.environ["PATH"], **self.cluster.variables()}
        pipes = {"stdin": subprocess.DEVNULL, "stdout": subprocess.PIPE, "stderr": subprocess.STDOUT, "text": True}
        return subprocess.Popen([hosts.ipamctl(), "pool", *words], env=variables, **pipes)

    def run_tool(self, *words, status=0):
        """What a command prints that must end so."""
        process = self.tool(*words)
        out, _ = process.communicate(timeout=300)
        self.assertEqual(process.returncode, status, " ".join(words) + "\n" + out)
        return out

    def migration(self):
        return ("migrate", self.old, self.new, "--cidr", NEW, "--block-size", "28", "--yes")

    def resizing(self):
        return ("resize-blocks", self.old, "29", "--temporary-cidr", TEMPORARY, "--yes")

    # MARK: what is there

    def pools_now(self):
        """Pools as people see them, without what tells a pool from one of the same name before it."""
        variables = {"PATH": os.environ["PATH"], **self.cluster.variables()}
        command = [hosts.ipamctl(), "get", "ippools", "-o", "json"]
        document = json.loads(subprocess.run(command, env=variables, capture_output=True, check=True).stdout)
        pools = {}
        for one in document["items"]:
            about = {key: one["metadata"][key] for key in ("name", "labels", "annotations") if key in one["metadata"]}
            pools[one["metadata"]["name"]] = {"metadata": about, "spec": one["spec"]}
        return pools

    def assertEverybodyIn(self, cidr, size):
        """Nobody complained, everybody has one address, all in one pool, in blocks of one size."""
        self.workloads.end()
        self.assertEqual(self.workloads.ledger.violations, [])
        held = self.workloads.held()
        self.assertGreaterEqual(len(held), len(NODES) * PODS)
        self.assertEqual({address: handle for address, (handle, _) in self.store.allocations().items()}, held)
        network = ipaddress.ip_network(cidr)
        for address in held:
            self.assertIn(ipaddress.ip_address(address), network)
        for block in self.store.blocks():
            self.assertEqual(ipaddress.ip_network(block).prefixlen, size, block)
        self.assertSound(died=True)

    # MARK: tests

    def test_migration(self):
        out = self.run_tool(*self.migration())
        self.assertIn("5/5 IPPool %s is deleted" % self.old, out)
        self.assertEqual(list(self.pools_now()), [self.new])
        self.assertNotIn("annotations", self.pools_now()[self.new]["metadata"])
        self.assertEverybodyIn(NEW, 28)
        print("%s: migration, %d containers" % (self.kind.name, self.workloads.added))

    def test_blocks_of_another_size(self):
        out = self.run_tool(*self.resizing())
        self.assertIn("Done: IPPool %s has blocks of /29." % self.old, out)
        expected = {self.old: {**self.before[self.old], "spec": {**self.before[self.old]["spec"], "blockSize": 29}}}
        self.assertEqual(self.pools_now(), expected)
        self.assertEverybodyIn(OLD, 29)
        print("%s: other blocks, %d containers" % (self.kind.name, self.workloads.added))

    def test_killed_at_any_moment_and_undone(self):
        """SIGKILL again and again, after shorter and longer times; every way back ends at the start."""
        undone = 0
        for attempt in range(6):
            delay = self.random.uniform(0.05, 3)
            process = self.tool(*(self.resizing() if attempt % 2 else self.migration()))
            try:
                process.communicate(timeout=delay)
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            name = "resize-blocks" if attempt % 2 else "migrate"
            status = json.loads(self.run_tool(name, "--status", "--output", "json"))
            if status:
                self.run_tool(name, "--undo", self.old, "--yes")
                undone += 1
            elif name == "migrate" and self.new in self.pools_now():
                # It had come to its end: there is no way back but another migration.
                self.run_tool("migrate", self.new, self.old, "--cidr", OLD, "--block-size", "27", "--yes")
                self.before = self.pools_now()
            elif self.pools_now() != self.before:
                self.run_tool("resize-blocks", self.old, "27", "--temporary-cidr", TEMPORARY, "--yes")
            self.assertEqual(self.pools_now(), self.before, "attempt %d, after %.2f s" % (attempt, delay))
        self.assertGreater(undone, 0)
        self.assertEverybodyIn(OLD, 27)

    def test_killed_at_any_moment_and_continued(self):
        """Eight times SIGKILL, then it may come to its end."""
        process = self.tool(*self.resizing())
        for _ in range(8):
            try:
                process.communicate(timeout=self.random.uniform(0.2, 1.5))
                break
            except subprocess.TimeoutExpired:
                process.kill()
                process.communicate()
            if json.loads(self.run_tool("resize-blocks", "--status", "-o", "json")):
                process = self.tool("resize-blocks", "--continue", "--yes")
            elif self.pools_now() == self.before:
                process = self.tool(*self.resizing())
            else:
                break
        said, _ = process.communicate(timeout=300)
        self.assertIn(process.returncode, (0, -signal.SIGKILL), said)
        self.assertEqual(list(self.pools_now()), [self.old])
        self.assertEverybodyIn(OLD, 29)

    def test_undone_while_it_waits(self):
        """The pool does not become empty; the status shows by whom; another run goes back, and this one stops."""
        name = NODES[0]
        stays = self.workloads.machines[name].add("stays")
        self.assertEqual(stays.status, 0)
        process = self.tool(*self.migration())
        held = waiting.until(lambda: self.one_left(), "others leave the pool", seconds=120)
        self.assertEqual(held, stays.addresses)
        shown = self.run_tool("migrate", "--status")
        self.assertIn("wait until no address of IPPool %s is in use" % self.old, shown)
        self.assertIn("net1.stays", shown)
        self.assertEqual(self.run_tool(*self.migration(), status=1).count("is in a procedure already"), 2)
        out = self.run_tool("migrate", "--undo", "--yes")
        self.assertIn("Everything is as it was", out)
        said, _ = process.communicate(timeout=300)
        self.assertEqual(process.returncode, 1)
        self.assertIn("another run of this procedure has taken over", said)
        self.assertEqual(self.pools_now(), self.before)
        self.workloads.ledger.returned("stays", stays.addresses)
        self.assertEverybodyIn(OLD, 27)

    def one_left(self):
        """The addresses in use of the source when there is but one."""
        documents = json.loads(self.run_tool("migrate", "--status", "--output", "json"))
        if not documents or documents[0]["source"]["inUse"] != 1 or "disabled" not in documents[0]["source"]["state"]:
            return None
        return [one["address"] for one in documents[0]["source"]["addresses"]]

    def test_refused_without_a_terminal(self):
        out = self.run_tool(*self.migration()[:-1], status=1)
        self.assertIn("1. create IPPool new with %s, blocks of /28" % NEW, out)
        self.assertIn("there is no terminal to ask at; agree with --yes", out)
        self.assertEqual(self.pools_now(), self.before)


@hosts.on_each_engine
class Pools(PoolTest):
    pass


class PoolsOnSQLite(PoolTest):
    """The embedded datastore."""

    kind = SQLiteCluster

    def setUp(self):
        self.cluster.test = self
        super().setUp()

    def host(self, name="node-a", **options):
        network = calico.Network(self.temporary, name, **options)
        network.lock = os.path.join(self.temporary, name + ".lock")
        return network


# Its tests are those of the classes made of it.
del PoolTest


if __name__ == "__main__":
    unittest.main()
