#!/usr/bin/env python3
"""Where ours differs from the original on purpose: GC collects, damage is reclaimed, rollback takes only its own."""

import os

import isolation
import plugin


class Different(plugin.PluginTest):
    def leave(self, network, address, held):
        """A file in the network's directory, as a crash or an earlier release left it."""
        os.makedirs(network.directory, exist_ok=True)
        with open(os.path.join(network.directory, address), "xb") as file:
            file.write(held)


class Collection(Different):
    """GC of version 1.1.0."""

    def setUp(self):
        super().setUp()
        self.pods = self.network(version="1.1.0", sets=["10.91.0.0/24", "fd00:91::/64"])
        for number in range(5):
            self.assertSucceeds(self.pods.add("c%d" % number))
        self.assertSucceeds(self.pods.add("c1", interface="net1"))

    def held(self):
        return sorted(value.decode().replace("\r\n", "/") for value in self.pods.reservations().values())

    def collect(self, attachments, **more):
        return self.pods.call("GC", more={"cni.dev/valid-attachments": attachments, **more})

    def test_only_valid_attachments_remain(self):
        """All addresses of what is not listed are freed, those of what is listed stay, by id and interface."""
        before = self.pods.reservations()
        self.assertSucceeds(self.pods.collect([("c1", "eth0"), ("c3", "eth0"), ("never-seen", "eth0")]))
        self.assertEqual(self.held(), ["c1/eth0"] * 2 + ["c3/eth0"] * 2)
        self.assertLessEqual(self.pods.reservations().items(), before.items())
        self.assertSucceeds(self.pods.add("c0"))
        self.assertSucceeds(self.pods.check("c3"))

    def test_empty_list_frees_everything(self):
        """When nothing is valid nothing is kept, but cursors and lock are."""
        self.assertSucceeds(self.pods.collect([]))
        self.assertEqual(self.held(), [])
        self.assertEqual(self.assertSucceeds(self.pods.add("next")).addresses, ["10.91.0.8", "fd00:91::8"])

    def test_nothing_is_freed_on_doubt(self):
        """A list that is missing, null, or not a list of attachments frees nothing."""
        before = self.pods.reservations()
        self.pods.call("GC")
        self.assertEqual(self.pods.reservations(), before)
        for attachments in (None, "c1", {}, 7, [7], ["c1"], [None], [{}], [{"containerID": 1, "ifname": "eth0"}]):
            with self.subTest(attachments=attachments):
                self.assertIn(self.collect(attachments).status, (0, 1))
                self.assertEqual(self.pods.reservations(), before)

    def test_broken_configuration_frees_nothing(self):
        """GC with a configuration that cannot be read is an error, and frees nothing."""
        before = self.pods.reservations()
        for ipam in (None, 7, [], "x", {"dataDir": 7}, {"dataDir": self.data, "ranges": 7}):
            with self.subTest(ipam=ipam):
                self.assertFails(self.collect([], ipam=ipam), 999)
                self.assertEqual(self.pods.reservations(), before)

    def test_ranges_are_not_needed(self):
        """GC frees on a network whose ranges come with each container, and so are not in its configuration."""
        self.assertSucceeds(self.collect([], ipam={"type": "host-local", "dataDir": self.data}))
        self.assertEqual(self.held(), [])

    def test_foreign_files_are_left_alone(self):
        """Files that are not reservations, and other networks, outlive a collection."""
        foreign = {"README": b"not yours", "10.91.0.200.bak": plugin.content("c0"), ".hidden": b""}
        for name, held in foreign.items():
            self.leave(self.pods, name, held)
        other = self.network(name="other", version="1.1.0")
        self.assertSucceeds(other.add("c0"))
        self.assertSucceeds(self.pods.collect([]))
        self.assertEqual(self.pods.reservations(), foreign)
        self.assertReservations(other, {"10.1.2.2": "c0"})

    def test_entries_of_early_releases(self):
        """An entry with the id alone stays while any interface of that container is valid."""
        self.leave(self.pods, "10.91.0.100", b"old-living")
        self.leave(self.pods, "10.91.0.101", b"old-gone")
        self.assertSucceeds(self.pods.collect([("old-living", "net7")]))
        self.assertEqual(self.pods.reservations(), {"10.91.0.100": b"old-living"})

    def test_other_network_is_not_created(self):
        """GC of a network that has no directory succeeds and makes none."""
        self.assertSucceeds(self.network(name="absent", version="1.1.0").collect([]))
        self.assertNotIn("absent", os.listdir(self.data))


class Damage(Different):
    """Reservations without content, as a loss of power leaves them."""

    def test_empty_entries_are_reclaimed(self):
        """Zero-length and all-zero entries count as free, with a warning that names them; all others count."""
        network = self.network(sets=["10.92.0.0/29"])
        self.leave(network, "10.92.0.2", b"")
        self.leave(network, "10.92.0.3", bytes(20))
        self.leave(network, "10.92.0.4", b"old-format")
        self.leave(network, "10.92.0.5", b" \n")
        warnings, given = "", []
        for number in range(3):
            answer = self.assertSucceeds(network.add("c%d" % number))
            given += answer.addresses
            warnings += answer.stderr.decode()
        self.assertEqual(sorted(given), ["10.92.0.2", "10.92.0.3", "10.92.0.6"])
        for address in ("10.92.0.2", "10.92.0.3"):
            self.assertIn(address, warnings)
        for address in ("10.92.0.4", "10.92.0.5", "10.92.0.6"):
            self.assertNotIn(address, warnings)
        self.assertFails(network.add("beyond"), 999, "no ip addresses available")
        held = network.reservations()
        self.assertEqual((held["10.92.0.4"], held["10.92.0.5"]), (b"old-format", b" \n"))

    def test_requested_address_is_reclaimed(self):
        """A requested address whose entry is empty is given."""
        network = self.network()
        self.leave(network, "10.1.2.9", b"")
        answer = self.assertSucceeds(network.add(arguments="IP=10.1.2.9"))
        self.assertEqual(answer.addresses, ["10.1.2.9"])
        self.assertReservations(network, {"10.1.2.9": "c1"})

    def test_only_files_are_reclaimed(self):
        """An empty directory and a link in the place of an address are not damage: they stay and block it."""
        network = self.network(sets=["10.92.0.0/29"])
        os.makedirs(os.path.join(network.directory, "10.92.0.2"))
        os.symlink("/nowhere", os.path.join(network.directory, "10.92.0.3"))
        for number in range(3):
            self.assertSucceeds(network.add("c%d" % number))
        self.assertFails(network.add("beyond"), 999, "no ip addresses available")
        self.assertTrue(os.path.isdir(os.path.join(network.directory, "10.92.0.2")))
        self.assertTrue(os.path.islink(os.path.join(network.directory, "10.92.0.3")))

    def test_damage_that_comes_later_is_reclaimed(self):
        """Entries emptied after ours came to know the directory are reclaimed as well."""
        network = self.network(sets=["10.92.0.0/29"])
        for number in range(5):
            self.assertSucceeds(network.add("c%d" % number))
        os.truncate(os.path.join(network.directory, "10.92.0.4"), 0)
        self.assertFails(network.check("c2"), 999, "failed to find address")
        self.assertSucceeds(network.delete("c2"))
        self.assertEqual(self.assertSucceeds(network.add("new")).addresses, ["10.92.0.4"])


class Rollback(Different):
    """An ADD that fails half way."""

    def setUp(self):
        super().setUp()
        # The second set has one address, ::2.
        self.pods = self.network(sets=["10.93.0.0/24", [{"subnet": "fd00:93::/126", "rangeEnd": "fd00:93::2"}]])

    def test_older_addresses_stay(self):
        """A second ADD that gets a requested v4 address and fails for v6 gives back that one, and no older one."""
        first = self.assertSucceeds(self.pods.add("c1")).addresses
        before = dict.fromkeys(first, "c1")
        self.assertFails(self.pods.add("c1", arguments="IP=10.93.0.50"), 999, "failed to allocate for range 1")
        self.assertReservations(self.pods, before)
        answer = self.pods.add("c1", arguments="IP=10.93.0.50", more={"args": {"cni": {"ips": ["fd00:93::2"]}}})
        self.assertFails(answer, 999, "requested IP address fd00:93::2 is not available")
        self.assertReservations(self.pods, before)

    def test_entries_of_early_releases_stay(self):
        """Nor does it take an entry that has the id alone."""
        self.assertSucceeds(self.pods.add("c1"))
        self.leave(self.pods, "10.93.0.60", b"c2")
        self.assertFails(self.pods.add("c2", arguments="IP=10.93.0.50"), 999, "failed to allocate for range 1")
        self.assertEqual(self.pods.reservations()["10.93.0.60"], b"c2")
        self.assertNotIn("10.93.0.50", self.pods.reservations())

    def test_new_addresses_go(self):
        """When the second set is exhausted the first one's address is free again."""
        self.assertSucceeds(self.pods.add("c1"))
        before = self.pods.reservations()
        for number in range(300):
            self.assertFails(self.pods.add("late-%d" % number), 999, "failed to allocate for range 1")
        self.assertEqual(self.pods.reservations(), before)


if __name__ == "__main__":
    isolation.main()
