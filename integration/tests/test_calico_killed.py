#!/usr/bin/env python3
"""calico-ipam killed at each of its system calls in turn: the store stays whole, and the next calls go on."""

import itertools
import os
import shutil
import subprocess
import time

import calico
import isolation
import killing
import plugin

OTHER = "node-b"


class Killed(killing.KillingTest):
    """Each call works on a fresh copy of a prepared store, with whose log nobody has been at work since."""

    def setUp(self):
        super().setUp()
        calico.calico_ipam()
        self.numbers = itertools.count()
        self.template = os.path.join(self.temporary, "template")
        os.mkdir(self.template)

    def prepare(self, pools, block_size=29, calls=()):
        """The template: pools of such blocks, and what some calls (verb, container, node) made of it."""
        pools = [(pool, {"blockSize": block_size}) for pool in pools]
        calico.Store.make(os.path.join(self.template, "ipam.db"), pools, (calico.NODE, OTHER))
        for verb, container, node in calls:
            self.assertSucceeds(calico.Network(self.template, node).call(verb, container))
        # What was in the log is in the file now, and others have a log of their own.
        calico.Store(os.path.join(self.template, "ipam.db")).entries()
        self.before = calico.Store(os.path.join(self.template, "ipam.db")).allocations()

    def fresh(self, **options):
        directory = os.path.join(self.temporary, str(next(self.numbers)))
        os.mkdir(directory)
        shutil.copy(os.path.join(self.template, "ipam.db"), directory)
        return calico.Network(directory, **options)

    def assertMakes(self, call, expected):
        """Not killed, the call leaves these blocks with these owners: the test is about what it says."""
        network = self.fresh()
        self.assertSucceeds(call(network))
        found = {cidr: block["affinity"] for cidr, block in self.left(network).blocks().items()}
        self.assertEqual(found, expected)

    def left(self, network):
        """The store as a killed process left it, seen through a copy: whoever opens it would repair it."""
        directory = os.path.join(network.directory, "seen-%d" % next(self.numbers))
        os.mkdir(directory)
        for suffix in ("", "-wal"):
            if os.path.exists(network.database + suffix):
                shutil.copy(network.database + suffix, directory)
        return calico.Store(os.path.join(directory, "ipam.db"))

    def assertWhole(self, network, said, victims):
        """No fault, and everybody but the victims has what he had."""
        store = self.left(network)
        self.assertEqual(list(store.faults()), [], said)
        handles = {calico.NETWORK + "." + victim for victim in victims}
        found = {a: holder for a, holder in store.allocations().items() if holder[0] not in handles}
        kept = {a: holder for a, holder in self.before.items() if holder[0] not in handles}
        self.assertEqual(found, kept, said)
        return store

    def verify(self, network, said, victims=("victim",)):
        """The next ADD and the DELs succeed, and what was free before is free again."""
        self.assertWhole(network, said, victims)
        self.assertSucceeds(network.add("next"), said)
        self.assertSucceeds(network.delete("next"), said)
        for victim in victims:
            self.assertSucceeds(network.delete(victim), said)
        store = self.assertWhole(network, said, victims)
        for victim in victims:
            self.assertEqual(store.held(victim), [], said)
        self.assertSucceeds(network.add("victim"), said)
        self.assertWhole(network, said, victims)
        shutil.rmtree(network.directory)

    # MARK: ADD

    def test_addition_that_claims(self):
        """ADD of both families on a store without a block."""
        self.prepare(["10.61.0.0/24", "fd61::/112"], 122)
        calico.Store(os.path.join(self.template, "ipam.db")).add_pool("10.61.0.0/24", blockSize=29)
        self.before = {}
        self.step_through("ADD", lambda: self.fresh(assign_ipv6="true"), self.verify)

    def test_addition_to_a_block(self):
        """ADD on a node that has a block with room."""
        self.prepare(["10.61.0.0/24"], calls=[("ADD", "living-%d" % number, calico.NODE) for number in range(3)])
        self.step_through("ADD", self.fresh, self.verify)

    def test_addition_that_borrows(self):
        """ADD when the only block is another node's."""
        self.prepare(["10.61.0.0/29"], calls=[("ADD", "theirs", OTHER)])
        self.assertMakes(lambda network: network.add("victim"), {"10.61.0.0/29": "host:node-b"})
        self.step_through("ADD", self.fresh, self.verify)

    def test_addition_that_reclaims(self):
        """ADD when the only block is another node's and has been empty for long."""
        self.prepare(["10.61.0.0/29"], calls=[("ADD", "theirs", OTHER), ("DEL", "theirs", OTHER)])
        store = calico.Store(os.path.join(self.template, "ipam.db"))
        block = store.value(calico.block_path("10.61.0.0/29"))
        store.put(calico.block_path("10.61.0.0/29"), {**block, "affinity_claim_time": "2026-01-01T00:00:00Z"})
        self.assertMakes(lambda network: network.add("victim"), {"10.61.0.0/29": "host:node-a"})
        self.step_through("ADD", self.fresh, self.verify)

    def test_addition_of_a_requested_address(self):
        """ADD with IP= into a block that does not exist."""
        self.prepare(["10.61.0.0/24"])
        self.step_through("ADD", self.fresh, self.verify, arguments="IP=10.61.0.77")

    # MARK: DEL

    def test_deletion(self):
        """DEL of one of several containers in a block."""
        calls = [("ADD", container, calico.NODE) for container in ("living", "victim")]
        self.prepare(["10.61.0.0/24"], calls=calls)
        self.step_through("DEL", self.fresh, self.verify)

    def test_deletion_that_removes_a_block(self):
        """DEL of the last container in a block that has no owner any more."""
        self.prepare(["10.61.0.0/24"], calls=[("ADD", "victim", calico.NODE)])
        store = calico.Store(os.path.join(self.template, "ipam.db"))
        ((cidr, block),) = store.blocks().items()
        del block["affinity_claim_time"]
        store.put_all(
            {
                calico.block_path(cidr): {**block, "affinity": None},
                calico.affinity_path(calico.NODE, cidr): None,
            }
        )
        self.assertMakes(lambda network: network.delete("victim"), {})
        self.step_through("DEL", self.fresh, self.verify)

    # MARK: GC

    def test_collection(self):
        """GC killed anywhere has released whole containers, and the next one completes it."""
        stale = ("stale-1", "stale-2", "victim")
        calls = [("ADD", container, calico.NODE) for container in ("living", *stale)]
        self.prepare(["10.61.0.0/24"], calls=calls)
        valid = [{"containerID": "living", "ifname": "eth0"}]
        more = {"cniVersion": "1.1.0", "cni.dev/valid-attachments": valid}

        def verify(network, said):
            self.assertWhole(network, said, stale)
            self.assertSucceeds(network.collect(["living"]), said)
            self.assertEqual(list(self.left(network).handles()), ["net1.living"], said)
            self.verify(network, said, stale)

        self.step_through("GC", self.fresh, verify, container="", more=more)


class Interrupted(calico.CalicoTest):
    """A process that is killed while it waits, and one that is killed while it has both locks."""

    def test_locks_of_killed_processes_are_free(self):
        for lock in (self.net.lock, self.path + ".lock"):
            with self.subTest(lock=lock):
                os.makedirs(os.path.dirname(lock), exist_ok=True)
                holder = subprocess.Popen(
                    ["flock", "--no-fork", lock, "sh", "-c", "echo held; exec cat"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                )
                self.assertEqual(holder.stdout.readline(), b"held\n")
                waiting = subprocess.Popen(
                    [calico.calico_ipam()],
                    env=plugin.environment("ADD", container="waiting"),
                    stdin=subprocess.PIPE,
                    stdout=subprocess.DEVNULL,
                )
                waiting.stdin.write(plugin.encode(self.net.config()))
                waiting.stdin.close()
                while not waits_for_lock(waiting.pid):
                    self.assertIsNone(waiting.poll(), "did not wait for the lock")
                    time.sleep(0.01)
                waiting.kill()
                waiting.wait()
                holder.kill()
                holder.communicate()
                self.assertSucceeds(self.net.add("second", wrapper=["timeout", "10"]))
                self.assertSucceeds(self.net.delete("second"))
                self.assertHolds("waiting", [])


def waits_for_lock(pid):
    """True when the kernel lists the process as blocked by a lock."""
    with open("/proc/locks", encoding="ascii") as locks:
        return any(row.split()[1] == "->" and row.split()[5] == str(pid) for row in locks)


if __name__ == "__main__":
    isolation.main()
