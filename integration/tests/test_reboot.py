#!/usr/bin/env python3
"""Reservations of an earlier boot: taken back on proof, given back to who returns, whenever the plugin is killed."""

import itertools
import os
import shutil
import subprocess
import unittest
import uuid

import isolation
import plugin
import test_killed

BOOT = "/proc/sys/kernel/random/boot_id"
MACHINE = "/etc/machine-id"
RECLAIMING = {"reclaimAfterReboot": True}
LIVING = 20


class Rebooting(plugin.PluginTest):
    """Lets this process's mount namespace have another boot's identity, as the kernel gives after a reboot."""

    def setUp(self):
        super().setUp()
        isolation.require()
        self.mounted, self.boots = [], itertools.count()
        self.cover(MACHINE, uuid.uuid4().hex)
        self.reboot()

    def tearDown(self):
        for path in reversed(self.mounted):
            subprocess.run(["umount", path], check=True)
        super().tearDown()

    def cover(self, path, identity):
        if not os.path.exists(path):
            raise unittest.SkipTest("%s, which would be covered, is missing here" % path)
        cover = os.path.join(self.temporary, "identity-%d" % len(self.mounted))
        with open(cover, "w", encoding="ascii") as file:
            file.write(identity + "\n")
        subprocess.run(["mount", "--bind", cover, path], check=True)
        self.mounted.append(path)

    def reboot(self):
        """A reboot loses what is in /run, and has a boot identity of its own."""
        shutil.rmtree("/run/swift-ipam", ignore_errors=True)
        self.cover(BOOT, str(uuid.uuid4()))


class Reboot(Rebooting):
    def test_full_network_has_room_again(self):
        network = self.network(sets=["10.71.0.0/27"], options=RECLAIMING)
        self.assertCanBeFilled(network, "before")
        self.assertFails(network.add("new"), 999, "no ip addresses available")
        self.reboot()
        address = self.assertSucceeds(network.add("new")).addresses
        self.assertReservations(network, dict(zip(address, ["new"])))

    def test_containers_that_return_have_their_addresses(self):
        network = self.network(sets=["10.71.0.0/24", "fd00:71::/64"], options=RECLAIMING)
        before = {name: self.assertSucceeds(network.add(name)).addresses for name in map("c{}".format, range(LIVING))}
        self.reboot()
        for number in range(LIVING):
            given = self.assertSucceeds(network.add("stranger-%d" % number)).addresses
            self.assertFalse(set(given) & set(itertools.chain(*before.values())))
        for name in sorted(before):
            self.assertEqual(self.assertSucceeds(network.add(name)).addresses, before[name])

    def test_originals_reservations_of_this_boot_are_kept(self):
        network = self.network(sets=["10.71.0.0/24"], version="0.4.0", options=RECLAIMING)
        self.assertSucceeds(network.add("before"))
        self.reboot()
        kept = self.assertSucceeds(network.add("theirs", binary=plugin.other_host_local())).addresses
        given = self.assertSucceeds(network.add("ours")).addresses
        self.assertReservations(network, dict(zip(kept + given, ["theirs", "ours"])))


class KilledAfterReboot(Rebooting, test_killed.Killed):
    """The first call after a reboot, killed at each of its system calls in turn."""

    # What the base class tests needs no second run here.
    test_first_addition_of_a_network = test_last_deletion_of_a_network = None
    test_addition_among_forty = test_deletion_among_forty = test_collection_among_forty = None

    def prepare(self):
        directory = os.path.join(self.temporary, "rebooted", str(next(self.numbers)))
        network = self.network(
            data_directory=directory, sets=["10.72.0.0/26"], version="0.4.0", options=RECLAIMING)
        self.before = {
            name: self.assertSucceeds(network.add(name)).addresses for name in map("c{}".format, range(LIVING))}
        self.reboot()
        return network

    def verify(self, network, said):
        """Nobody of the earlier boot holds anything, whoever returns has its address, and no address is lost."""
        self.assertWhole(network, ["victim", *self.before], said)
        given = self.assertSucceeds(network.add("new"), said).addresses
        owners = {held for held in network.reservations().values()}
        self.assertLessEqual(owners, {plugin.content("victim"), plugin.content("new")}, said)
        for name in ("c3", "c11", "c19"):
            self.assertEqual(self.assertSucceeds(network.add(name), said).addresses, self.before[name], said)
        self.assertSucceeds(network.delete("victim"), said)
        self.assertNotIn(given, list(self.before.values()), said)
        self.assertCanBeFilled(network)
        shutil.rmtree(network.data_directory)

    def test_first_addition_after_a_reboot(self):
        self.step_through("ADD", self.prepare, self.verify)


if __name__ == "__main__":
    isolation.main()
