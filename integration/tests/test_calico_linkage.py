#!/usr/bin/env python3
"""What calico-ipam is made of, what it starts, and how much memory one call takes."""

import os
import shutil
import subprocess
import unittest

import calico
import isolation
import plugin
import test_linkage

SIZE_LIMIT = 12_000_000
MEMORY_LIMIT = 8 * 1024  # KiB


class Linkage(test_linkage.LinkageTest):
    """As for host-local: static, stripped, no Foundation; larger by SQLite and by what clusters' plugins share."""

    size_limit = SIZE_LIMIT

    def program(self):
        return calico.calico_ipam()


class Threads(test_linkage.ThreadTest):
    """Counts the system calls that make threads and processes, while each verb does real work."""

    def test_no_verb_starts_a_thread_or_a_process(self):
        store = calico.Store.make(os.path.join(self.temporary, "ipam.db"))
        network = calico.Network(self.temporary, assign_ipv6="true", version="1.1.0")
        self.assertSucceeds(network.add("early"))
        for verb, act in (
            ("ADD", lambda: network.add("c1", wrapper=self.strace)),
            ("ADD IP", lambda: network.add("c2", arguments="IP=192.168.7.7", wrapper=self.strace)),
            ("CHECK", lambda: network.check("c1", wrapper=self.strace)),
            ("STATUS", lambda: network.status(wrapper=self.strace)),
            ("VERSION", lambda: network.call("VERSION", wrapper=self.strace)),
            ("GC", lambda: network.collect(["c1"], wrapper=self.strace)),
            ("DEL", lambda: network.delete("c1", wrapper=self.strace)),
        ):
            with self.subTest(verb):
                self.assertSucceeds(act())
                self.assertEqual(self.births(), [])
        self.assertEqual(list(store.faults()), [])


class Memory(calico.CalicoTest):
    """The largest resident set of a call, as GNU time tells it; Python's own would be taken over by a child of its."""

    def setUp(self):
        super().setUp()
        if not os.access("/usr/bin/time", os.X_OK):
            raise unittest.SkipTest("GNU time is missing (package time)")
        # From the disk and not as the linker or a copy left it in the cache: in large pieces, which are mapped whole.
        self.program = os.path.join(self.temporary, "calico-ipam")
        shutil.copy(calico.calico_ipam(), self.program)
        subprocess.run(["sync", self.program], check=True)
        with open(self.program, "rb") as file:
            os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        self.output = os.path.join(self.temporary, "peak")

    def peak(self, verb, container, **options):
        """KiB."""
        wrapper = ["/usr/bin/time", "--format=%M", "--output=" + self.output]
        answer = plugin.call(self.program, verb, self.net.config(**options), wrapper, container=container)
        self.assertSucceeds(answer)
        with open(self.output, encoding="ascii") as file:
            return int(file.read())

    def test_memory_of_one_call(self):
        """ADD and DEL stay below 8 MB, with nothing in the store and with 500 full blocks."""
        self.net = self.network(assign_ipv6="true")
        for kind in ("empty", "500 full blocks"):
            for turn in range(3):
                for verb in ("ADD", "CHECK", "DEL"):
                    with self.subTest(kind=kind, verb=verb, turn=turn):
                        self.assertLessEqual(self.peak(verb, "c%d" % turn), MEMORY_LIMIT)
            if kind == "empty":
                for number in range(500):
                    node = "node-%d" % (number // 20)
                    block = "192.168.%d.%d/26" % (number // 4, number % 4 * 64)
                    self.store.fill(64, block, node=node, first=64 * number)

    def test_memory_of_a_search_through_full_blocks(self):
        """A node that has to borrow looks at every block there is, and keeps none."""
        self.store.remove_pool(calico.V4)
        self.store.add_pool("192.168.0.0/20")
        for number in range(64):
            node = "node-%d" % (number // 20 + 10)
            block = "192.168.%d.%d/26" % (number // 4, number % 4 * 64)
            self.store.fill(64 if number < 63 else 63, block, node=node, first=64 * number)
        self.assertLessEqual(self.peak("ADD", "c1"), MEMORY_LIMIT)
        self.assertLessEqual(self.peak("DEL", "c1"), MEMORY_LIMIT)


if __name__ == "__main__":
    isolation.main()
