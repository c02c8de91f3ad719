#!/usr/bin/env python3
"""A plugin killed at each of its system calls in turn leaves nothing half done, and the next call goes on."""

import itertools
import os
import shutil

import isolation
import killing
import plugin

STEADY = 40


class Killed(killing.KillingTest):
    def setUp(self):
        super().setUp()
        self.other, self.numbers = plugin.other_host_local(), itertools.count()

    def assertWhole(self, network, known, said):
        """Every reservation belongs to a known attachment, to its last byte, and nothing else lies around."""
        wholes = {plugin.content(container) for container in known}
        for name, held in network.reservations().items():
            self.assertIn(held, wholes, "%s: %s is empty or partial" % (said, name))

    # MARK: an empty network, and few addresses

    def fresh(self):
        """A data directory that does not exist yet, with room for five."""
        directory = os.path.join(self.temporary, "fresh", str(next(self.numbers)))
        return self.network(data_directory=directory, sets=["10.61.0.0/29", "fd00:61::/64"], version="0.4.0")

    def verify_fresh(self, network, said):
        """Both programs go on; the victim's DEL frees all; all five addresses can be had."""
        self.assertWhole(network, ["victim"], said)
        given = self.assertSucceeds(network.add("ours"), said).addresses
        given += self.assertSucceeds(network.add("theirs", binary=self.other), said).addresses
        self.assertEqual(len(set(given)), 4, said)
        self.assertSucceeds(network.delete("victim"), said)
        self.assertReservations(network, dict(zip(given, ("ours", "ours", "theirs", "theirs"))))
        self.assertSucceeds(network.delete("ours", binary=self.other), said)
        self.assertSucceeds(network.delete("theirs"), said)
        self.assertReservations(network, {})
        self.assertSucceeds(network.add("victim"), said)
        self.assertCanBeFilled(network)
        shutil.rmtree(network.data_directory)

    def test_first_addition_of_a_network(self):
        """ADD on a data directory that does not exist yet."""
        self.step_through("ADD", self.fresh, self.verify_fresh)

    def test_last_deletion_of_a_network(self):
        """DEL of the only attachment."""

        def prepare():
            network = self.fresh()
            self.assertSucceeds(network.add("victim"))
            return network

        self.step_through("DEL", prepare, self.verify_fresh)

    # MARK: a network in use

    def steady(self):
        """Forty living attachments, made by ours, and room for five more."""
        window = {"subnet": "10.62.0.0/24", "rangeStart": "10.62.0.10", "rangeEnd": "10.62.0.%d" % (10 + STEADY + 4)}
        network = self.network(name="steady", sets=[[window]], version="0.4.0")
        for number in range(STEADY):
            self.assertSucceeds(network.add("living-%d" % number))
        return network

    def verify_steady(self, network, said):
        """The forty have what they had; both programs go on; the five other addresses come round again."""
        living = {name: held for name, held in network.reservations().items() if held.startswith(b"living-")}
        self.assertEqual(len(living), STEADY, said)
        self.assertWhole(network, ["victim", *("living-%d" % number for number in range(STEADY))], said)
        given = self.assertSucceeds(network.add("ours"), said).addresses
        given += self.assertSucceeds(network.add("theirs", binary=self.other), said).addresses
        self.assertEqual(len(set(given) - set(living)), 2, said)
        self.assertFails(network.add("living-7"), 999, "duplicate allocation is not allowed")
        self.assertSucceeds(network.delete("victim", binary=self.other), said)
        self.assertFails(network.check("victim"), 999, "failed to find address")
        for number in range(3):
            self.assertSucceeds(network.add("rest-%d" % number), said)
        self.assertFails(network.add("beyond"), 999, "no ip addresses available")
        for container in ("ours", "theirs", "rest-0", "rest-1", "rest-2"):
            self.assertSucceeds(network.delete(container), said)
        self.assertEqual(network.reservations(), living, said)

    def test_addition_among_forty(self):
        """ADD on a directory that ours knows well."""
        network = self.steady()
        self.step_through("ADD", lambda: network, self.verify_steady)

    def test_deletion_among_forty(self):
        """DEL on a directory that ours knows well."""
        network = self.steady()

        def prepare():
            self.assertSucceeds(network.add("victim"))
            return network

        self.step_through("DEL", prepare, self.verify_steady)

    def test_collection_among_forty(self):
        """GC killed anywhere has freed only what is not valid, and the next one completes it."""
        network = self.steady()
        valid = [("living-%d" % number, "eth0") for number in range(STEADY)]
        attachments = [{"containerID": name, "ifname": interface} for name, interface in valid]
        more = {"cniVersion": "1.1.0", "cni.dev/valid-attachments": attachments}
        stale = ("victim", "stale-1", "stale-2")

        def prepare():
            for container in stale:
                self.assertSucceeds(network.add(container))
            return network

        def verify(network, said):
            self.assertWhole(network, [*stale, *dict(valid)], said)
            self.assertSucceeds(network.collect(valid), said)
            left = set(network.reservations().values())
            self.assertEqual(left, {plugin.content(name) for name in dict(valid)}, said)

        self.step_through("GC", prepare, verify, container="", more=more)


if __name__ == "__main__":
    isolation.main()
