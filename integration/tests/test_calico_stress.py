#!/usr/bin/env python3
"""Many calico-ipam processes on one store at once, as several nodes, with random SIGKILL, in pools that run full."""

import collections
import concurrent.futures
import os
import random as randomness
import signal
import subprocess
import time

import calico
import isolation
import ledger
import plugin
import seeds

AT_ONCE, CALLS = 64, seeds.count("SCALE", 2000)
NODES = ("node-a", "node-b", "node-c", "node-d")
POOL, BLOCK_SIZE, CAPACITY = "10.51.0.0/24", 29, 256
# What a node says when there is nothing left for it, and nothing else may be said.
EXHAUSTED = ("failed to request IPv4 addresses: Assigned 0 out of 1", "cannot allocate new block due to per host block limit")


class Storm(calico.CalicoTest):
    """64 processes at once, 2,000 ADDs and DELs, random SIGKILL, one SQLite file."""

    pools, nodes = ((POOL, {"blockSize": BLOCK_SIZE}), calico.V6), (*NODES, "node-gone")

    def setUp(self):
        super().setUp()
        self.ledger, self.tally = ledger.Ledger(), collections.Counter()
        # Blocks that a node left behind, empty for long: to be reclaimed.
        for number in range(24, 32):
            self.store.fill(0, "10.51.0.%d/29" % (8 * number), node="node-gone")
        self.networks = {}
        for node in NODES:
            self.networks[node] = self.network(node)
            # Each node has a lock of its own, as hosts have, and the last one none at all.
            self.networks[node].lock = os.path.join(self.temporary, node) if node != NODES[-1] else "/proc/no/lock"

    def run_plugin(self, verb, container, node, delay, more=None):
        """A call that gets SIGKILL after a delay, unless that is None. Returns (was it killed in time, answer)."""
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen(
            [calico.calico_ipam()], env=plugin.environment(verb, container=container), **pipes
        )
        try:
            config = plugin.encode(self.networks[node].config(**(more or {})))
            out, error = process.communicate(config, timeout=delay)
        except subprocess.TimeoutExpired:
            process.kill()
            out, error = process.communicate()
        self.tally[verb] += 1
        dead = process.returncode == -signal.SIGKILL
        self.tally["killed " + verb] += dead
        answer = plugin.Answer(process.returncode, out, error, verb)
        self.listen(answer)
        return dead, answer

    def listen(self, answer):
        """Nobody is told that the database is locked, nor of anything but a lock that the node does not have."""
        for line in answer.stderr.decode().splitlines():
            if "Failed to grab IPAM lock" not in line or "/proc/no/lock" not in line:
                self.ledger.complain("%s said: %s" % (answer.verb, line))
        if b"locked" in answer.stdout.lower() or b"busy" in answer.stdout.lower():
            self.ledger.complain(str(answer))

    def addition(self, container, node, delay):
        """ADD; returns whether the container has to be deleted."""
        dead, answer = self.run_plugin("ADD", container, node, delay)
        if dead:
            self.ledger.give_up(container)
        elif answer.status == 0:
            self.ledger.returned(container, answer.addresses)
        elif any(text in answer.document["msg"] for text in EXHAUSTED):
            self.tally["exhausted"] += 1
            self.ledger.give_up(container)
            self.ledger.released(container)
            return False
        else:
            self.ledger.complain("ADD %s: %s" % (container, answer))
        return True

    def deletion(self, container, node, delay):
        self.ledger.give_up(container)
        dead, answer = self.run_plugin("DEL", container, node, delay)
        if not dead and answer.status == 0:
            self.ledger.released(container)
        elif not dead:
            self.ledger.complain("DEL %s: %s" % (container, answer))

    def worker(self, number, random):
        """One after the other: more ADDs than DELs at first, so that the pool runs full, then about as many."""
        node, mine = NODES[number % len(NODES)], []
        for call in range(CALLS // AT_ONCE):
            delay = random.uniform(0, 0.25) if random.random() < 0.12 else None
            if mine and random.random() < (0.3 if call < 12 else 0.55):
                self.deletion(mine.pop(random.randrange(len(mine))), node, delay)
            else:
                container = "w%d-%d" % (number, call)
                self.ledger.intend([container])
                if self.addition(container, node, delay):
                    mine.append(container)
        return node, mine

    def test_no_address_is_held_twice_or_lost(self):
        """Nobody shares an address; what the killed left goes with the next calls and with GC; all can be had again."""
        random = seeds.source("the storm on calico-ipam")
        began = time.monotonic()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            jobs = [pool.submit(self.worker, number, seeds.child(random)) for number in range(AT_ONCE)]
            done = [job.result() for job in jobs]
        seconds = time.monotonic() - began
        print("%d calls in %.1f s: %s" % (self.tally["ADD"] + self.tally["DEL"], seconds, sorted(self.tally.items())))
        self.assertEqual(self.ledger.violations, [])
        self.assertSound("after the storm")
        self.settle(done)
        self.assertSound("after GC")
        expected = {a: "net1." + c for c, addresses in self.ledger.held.items() for a in addresses}
        found = {address: handle for address, (handle, _) in self.store.allocations().items()}
        self.assertEqual(found, expected, "the store is not what the living hold")
        for what in ("killed ADD", "killed DEL", "exhausted"):
            self.assertGreater(self.tally[what], 0, "none " + what)
        self.assertGreater(len(self.owners_beside_holders()), 0, "nothing was borrowed")
        self.assertNotIn("node-gone", {node for node, _ in self.store.affinities()}, "nothing was reclaimed")
        self.assertRefills()

    def owners_beside_holders(self):
        """The blocks of one node that hold addresses of another."""
        return [
            cidr
            for cidr, block in self.store.blocks().items()
            for index in set(block["allocations"]) - {None}
            if "host:" + block["attributes"][index]["secondary"]["node"] != block["affinity"]
        ]

    def settle(self, done):
        """A DEL of every second container that was killed or is in doubt; the rest is left to GC of each node."""
        homes = {container: node for node, containers in done for container in containers}
        for container in sorted(self.ledger.doubtful)[::2]:
            node = homes.get(container) or NODES[int(container[1:].split("-")[0]) % len(NODES)]
            self.assertSucceeds(self.networks[node].delete(container))
        for node in NODES:
            self.assertSucceeds(self.networks[node].collect(sorted(self.ledger.held)))

    def assertRefills(self):
        """What the living do not hold can be had, by all nodes together; then all of it goes."""
        time.sleep(5.5)  # for so long a node remembers that the pools were full
        living = sum(len(addresses) for addresses in self.ledger.held.values())
        for number in range(CAPACITY - living):
            answer = self.networks[NODES[number % len(NODES)]].add("fill-%d" % number)
            self.assertSucceeds(answer, "address lost, %d of %d had" % (number, CAPACITY - living))
        self.assertSound("full")
        self.assertFails(self.networks["node-a"].add("beyond"), 999, "No IPs available in pools: [10.51.0.0/24]")
        for node in NODES:
            self.assertSucceeds(self.networks[node].collect([]))
        self.assertEqual(self.store.allocations(), {})
        self.assertEqual(self.store.handles(), {})


class Parallel(calico.CalicoTest):
    nodes = NODES

    def test_additions_of_one_container(self):
        """A runtime that repeats itself gives the container several addresses; one DEL frees them all."""
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            answers = list(pool.map(lambda _: self.net.add("same"), range(16)))
        given = [self.assertSucceeds(answer).addresses[0] for answer in answers]
        self.assertEqual(len(set(given)), 16)
        self.assertHolds("same", given)
        self.assertSucceeds(self.net.delete("same"))
        self.assertEqual(self.store.allocations(), {})

    def test_one_requested_address(self):
        """Of sixteen who ask for the same address exactly one gets it."""
        networks = [self.network(NODES[number % 4]) for number in range(16)]
        with concurrent.futures.ThreadPoolExecutor(16) as pool:
            jobs = [
                pool.submit(network.add, "c%d" % number, arguments="IP=192.168.9.9")
                for number, network in enumerate(networks)
            ]
        answers = [job.result() for job in jobs]
        self.assertEqual(sorted(answer.status for answer in answers), [0] + [1] * 15)
        for answer in answers:
            if answer.status:
                self.assertFails(answer, 999, "Address already assigned in block")
        self.assertEqual(list(self.store.allocations()), ["192.168.9.9"])

    def test_capacity_is_shared_out_exactly(self):
        """With room for sixteen, exactly sixteen of forty succeed, whichever node they are of."""
        self.store.remove_pool(calico.V4)
        self.store.add_pool("10.52.0.0/28", blockSize=30)
        with concurrent.futures.ThreadPoolExecutor(40) as pool:
            jobs = [pool.submit(self.network(NODES[number % 4]).add, "c%d" % number) for number in range(40)]
        answers = [job.result() for job in jobs]
        given = [answer.addresses[0] for answer in answers if answer.status == 0]
        self.assertEqual(sorted(given), sorted("10.52.0.%d" % last for last in range(16)))
        for answer in answers:
            if answer.status:
                self.assertFails(answer, 999, "No IPs available in pools: [10.52.0.0/28]")

    def test_both_families_under_contention(self):
        """Dual stack on a pool with room for eight: eight have both addresses, the others none of either family."""
        self.store.remove_pool(calico.V6)
        self.store.add_pool("fd52::/125", blockSize=126)
        with concurrent.futures.ThreadPoolExecutor(32) as pool:
            jobs = [
                pool.submit(self.network(NODES[number % 4], assign_ipv6="true").add, "c%d" % number)
                for number in range(32)
            ]
        answers = [job.result() for job in jobs]
        winners = [number for number, answer in enumerate(answers) if answer.status == 0]
        self.assertEqual(len(winners), 8)
        self.assertEqual(sorted(self.store.handles()), sorted("net1.c%d" % number for number in winners))
        self.assertEqual(len(self.store.allocations()), 16)

    def test_reader_beside_writers(self):
        """CHECK and STATUS never fail while others write."""
        added = self.assertSucceeds(self.net.add("steady"))
        more = {"prevResult": added.document}
        random = randomness.Random(7)

        def churn(number):
            for turn in range(10):
                self.assertSucceeds(self.network(NODES[number % 4]).add("c%d-%d" % (number, turn)))
                self.assertSucceeds(self.network(NODES[number % 4]).delete("c%d-%d" % (number, turn)))

        def look(_):
            for _ in range(20):
                call = random.choice([lambda: self.net.check("steady", more=more), self.net.status])
                self.assertSucceeds(call())

        with concurrent.futures.ThreadPoolExecutor(24) as pool:
            jobs = [pool.submit(churn, number) for number in range(16)] + [pool.submit(look, n) for n in range(8)]
        for job in jobs:
            job.result()


if __name__ == "__main__":
    isolation.main()
