#!/usr/bin/env python3
"""Directories that changed behind the plugin's back: copied, restored, edited, or with a clock that jumped.

What ours remembers of a directory between calls must never outweigh what lies there. The clock itself cannot be moved
for one process (a time namespace does not shift the time of day, and a preloaded library does not reach a static
program), so these tests set the times of files and directories instead, which is where a wrong clock would show.
"""

import contextlib
import os
import shutil
import subprocess
import time
import uuid

import isolation
import namespaces
import plugin
import seeds

FORTY = 40
INDEX = "/run/swift-ipam"
YEAR = 365 * 24 * 3600 * 10**9


class Host:
    """Another machine: what is remembered below /run and who the machine is differ, the disk may be copied over."""

    def __init__(self, test, name):
        self.place = os.path.join(test.temporary, "host-" + name)
        os.makedirs(os.path.join(self.place, "index"))
        self.identities = {"/etc/machine-id": uuid.uuid4().hex, "/proc/sys/kernel/random/boot_id": str(uuid.uuid4())}
        for path, value in self.identities.items():
            with open(os.path.join(self.place, os.path.basename(path)), "w", encoding="ascii") as file:
                file.write(value + "\n")

    @contextlib.contextmanager
    def active(self):
        """Calls inside are made on this machine."""
        os.makedirs(INDEX, exist_ok=True)
        with contextlib.ExitStack() as stack:
            stack.enter_context(namespaces.mounted("--bind", os.path.join(self.place, "index"), INDEX))
            for path in self.identities:
                if os.path.exists(path):
                    source = os.path.join(self.place, os.path.basename(path))
                    stack.enter_context(namespaces.mounted("--bind", source, path))
            yield


class ForeignChanges(plugin.PluginTest):
    def filled(self, prefix="living", **options):
        """A network with forty reservations made by ours."""
        network = self.network(sets=["10.81.0.0/25"], **options)
        for number in range(FORTY):
            self.assertSucceeds(network.add("%s-%d" % (prefix, number)))
        return network

    def path(self, network, address):
        return os.path.join(network.directory, address)

    def reserve(self, network, address, container):
        """A reservation as the original makes it, by hand."""
        with open(self.path(network, address), "xb") as file:
            file.write(plugin.content(container))

    def address_of(self, network, container):
        return next(name for name, held in network.reservations().items() if held == plugin.content(container))

    def copy(self, source, target):
        """A copy with all times, as an administrator makes it."""
        subprocess.run(["cp", "--archive", source, target], check=True)

    def assertTruthful(self, network, prefix="new"):
        """Every kind of call agrees with what lies in the directory now."""
        held = {container: address for address, container in self.containers(network).items()}
        for container, address in held.items():
            self.assertFails(network.add(container), 999, "%s has been allocated to %s" % (address, container))
            self.assertSucceeds(network.check(container))
        for number in range(3):
            given = self.assertSucceeds(network.add("%s-%d" % (prefix, number))).addresses[0]
            self.assertNotIn(given, held.values())
        self.assertEqual(len(network.reservations()), len(held) + 3)
        for container in held:
            self.assertSucceeds(network.delete(container))
        new = {"%s-%d" % (prefix, number) for number in range(3)}
        self.assertEqual(set(self.containers(network).values()), new, "DEL missed one")

    def containers(self, network):
        return {address: held.split(b"\r\n")[0].decode() for address, held in network.reservations().items()}

    def assertAbsent(self, network, containers):
        """These hold nothing: CHECK fails and DEL changes nothing."""
        before = network.reservations()
        for container in containers:
            self.assertFails(network.check(container), 999, "failed to find address")
            self.assertSucceeds(network.delete(container))
        self.assertEqual(network.reservations(), before)

    # MARK: copies

    def test_clone_beside_its_original(self):
        """A copy with entries taken away and added is a network of its own, and the original does not change."""
        network = self.filled()
        clone = self.network(data_directory=os.path.join(self.temporary, "clone"), sets=["10.81.0.0/25"])
        self.copy(self.data, clone.data_directory)
        os.unlink(self.path(clone, self.address_of(clone, "living-3")))
        self.reserve(clone, "10.81.0.99", "stranger")
        before = network.reservations()
        self.assertAbsent(clone, ["living-3"])
        self.assertTruthful(clone)
        self.assertEqual(network.reservations(), before)
        self.assertTruthful(network)

    def test_clone_changed_without_a_trace(self):
        """The same when the copy's directory has the original's times, as after a restore."""
        network = self.filled()
        stamps = self.stamps(network)
        clone = self.network(data_directory=os.path.join(self.temporary, "clone"), sets=["10.81.0.0/25"])
        self.copy(self.data, clone.data_directory)
        os.unlink(self.path(clone, self.address_of(clone, "living-3")))
        self.reserve(clone, "10.81.0.99", "stranger")
        self.stamp(clone, stamps)
        shutil.rmtree(self.data)
        os.rename(clone.data_directory, self.data)
        self.assertEqual(self.stamps(network)[1], stamps[1])
        self.assertAbsent(network, ["living-3"])
        self.assertTruthful(network)

    def stamps(self, network):
        status = os.stat(network.directory)
        return status.st_atime_ns, status.st_mtime_ns

    def stamp(self, network, times, unlike=None):
        """Sets a directory's times. Its change time then is another than `unlike`, as in life, where time passes."""
        os.utime(network.directory, ns=times)
        while os.stat(network.directory).st_ctime_ns == unlike:
            os.utime(network.directory, ns=times)

    def test_directory_of_another_machine(self):
        """A directory that another machine made with as many calls takes the place of ours: only its content counts."""
        isolation.require()
        here, there = Host(self, "here"), Host(self, "there")
        stored = os.path.join(self.temporary, "stored")
        with there.active():
            self.filled("theirs")
            os.rename(self.data, stored)
        with here.active():
            network = self.filled("ours")
            os.rename(self.data, self.data + ".before")
            self.copy(stored, self.data)
            self.assertEqual(self.stamps(network)[1], os.stat(os.path.join(stored, "pods")).st_mtime_ns)
            self.assertAbsent(network, ["ours-%d" % number for number in range(5)])
            self.assertTruthful(network)

    def test_directory_used_here_and_there_in_turn(self):
        """A directory carried to another machine and back, changed there by ours, holds what was done there."""
        isolation.require()
        here, there = Host(self, "here"), Host(self, "there")
        with here.active():
            network = self.filled()
        for turn in range(4):
            with there.active():
                self.assertSucceeds(network.delete("living-%d" % turn))
                self.assertSucceeds(network.add("guest-%d" % turn))
            with here.active():
                self.assertFails(network.add("guest-%d" % turn), 999, "duplicate allocation is not allowed")
                self.assertSucceeds(network.check("guest-%d" % turn))
                self.assertAbsent(network, ["living-%d" % turn])
                self.assertSucceeds(network.delete("guest-%d" % turn))
                self.assertAbsent(network, ["guest-%d" % turn])
                self.assertSucceeds(network.add("living-%d" % turn))
        with there.active():
            self.assertTruthful(network)

    def test_directory_replaced_by_an_earlier_state(self):
        """After a restore of the state some calls ago that state counts, however its times look."""
        network = self.filled()
        earlier = os.path.join(self.temporary, "earlier")
        self.copy(self.data, earlier)
        for number in range(10):
            self.assertSucceeds(network.delete("living-%d" % number))
            self.assertSucceeds(network.add("later-%d" % number))
        shutil.rmtree(self.data)
        self.copy(earlier, self.data)
        self.assertAbsent(network, ["later-%d" % number for number in range(10)])
        self.assertTruthful(network)

    def test_directory_emptied(self):
        """After a removal of the data directory all addresses are free again."""
        network = self.filled()
        shutil.rmtree(self.data)
        self.assertAbsent(network, ["living-1"])
        self.assertCanBeFilled(network, "living")

    # MARK: the index

    def test_damaged_index_is_not_believed(self):
        """What ours remembers, cut short, zeroed, garbled or written twice, misleads nobody."""
        isolation.require()
        host, random = Host(self, "damaged"), seeds.source("damage to the index")
        damages = {
            "empty": lambda held: b"",
            "one byte": lambda held: held[:1],
            "half": lambda held: held[: len(held) // 2],
            "one byte less": lambda held: held[:-1],
            "zeroed": lambda held: bytes(len(held)),
            "garbled": lambda held: random.randbytes(len(held)),
            "doubled": lambda held: held * 2,
        }
        with host.active():
            self.filled(name="known")
            self.index_files()
            for number, (name, damage) in enumerate(damages.items()):
                with self.subTest(name):
                    network = self.filled(name="pods-%d" % number)
                    self.rewrite_index(damage)
                    self.assertTruthful(network)

    def test_scattered_damage_to_the_index_is_survived(self):
        """With single bits of it turned over or its end garbled, calls still answer, and no address is given twice."""
        isolation.require()
        host, random = Host(self, "scattered"), seeds.source("bits of the index")

        def turn_bits(held):
            if random.random() < 0.1:
                return held[: len(held) // 2] + random.randbytes(len(held) - len(held) // 2)
            spoilt = bytearray(held)
            for _ in range(random.choice((1, 1, 8, 64))):
                spoilt[random.randrange(len(spoilt))] ^= 1 << random.randrange(8)
            return bytes(spoilt)

        with host.active():
            network = self.filled()
            for turn in range(60):
                self.rewrite_index(turn_bits)
                before = network.reservations()
                answer = network.add("more-%d" % turn)
                if answer.status:
                    self.assertFails(answer, 999)
                else:
                    self.assertNotIn(self.assertSucceeds(answer).addresses[0], before)
                self.assertSucceeds(network.delete("more-%d" % turn))
                self.assertLessEqual(before.items(), network.reservations().items(), "a foreign reservation is gone")

    def index_files(self):
        """The files of the index; without any the test is skipped."""
        files = [os.path.join(place, name) for place, _, names in os.walk(INDEX) for name in names]
        if not files:
            self.skipTest("nothing is remembered below %s" % INDEX)
        return files

    def rewrite_index(self, change):
        """Changes every file of the index in place."""
        for path in self.index_files():
            with open(path, "r+b") as file:
                changed = change(file.read())
                file.seek(0)
                file.truncate()
                file.write(changed)

    # MARK: edits

    def rewritten(self):
        """A network in which a reservation was rewritten for another container, and its address."""
        network = self.filled()
        address = self.address_of(network, "living-5")
        with open(self.path(network, address), "r+b") as file:
            file.truncate()
            file.write(plugin.content("heir"))
        return network, address

    def test_entries_rewritten_in_place_are_lost_to_the_old_holder(self):
        """A reservation rewritten for another container is not released, nor found, for the one that had it."""
        network, address = self.rewritten()
        self.assertAbsent(network, ["living-5"])
        self.assertNotEqual(self.assertSucceeds(network.add("living-5")).addresses, [address])
        self.assertCanBeFilled(network)
        self.assertEqual(network.reservations()[address], plugin.content("heir"))

    def test_entries_rewritten_in_place_are_released_for_the_new_holder(self):
        """CHECK and DEL find it for the other one, though nothing shows that the directory changed."""
        network, address = self.rewritten()
        self.assertSucceeds(network.check("heir"))
        self.assertSucceeds(network.delete("heir"))
        self.assertFalse(os.path.exists(self.path(network, address)))

    def test_entries_rewritten_in_place_are_known_to_be_the_new_holders(self):
        """The other one cannot get a second address."""
        network, address = self.rewritten()
        self.assertFails(network.add("heir"), 999, "%s has been allocated to heir" % address)

    def test_entries_exchanged_by_renaming(self):
        """Two reservations that changed places are found in their new ones."""
        network = self.filled()
        one, other = (self.path(network, self.address_of(network, name)) for name in ("living-1", "living-2"))
        os.rename(one, one + ".moving")
        os.rename(other, one)
        os.rename(one + ".moving", other)
        self.assertTruthful(network)

    def test_entries_added_and_removed_between_calls(self):
        """Single files created and removed by others between calls of ours are noticed each time."""
        network, random = self.filled(), seeds.source("foreign edits")
        for turn in range(60):
            holders = self.containers(network)
            if turn % 2:
                address = random.choice(sorted(holders))
                os.unlink(self.path(network, address))
                self.assertFails(network.check(holders[address]), 999, "failed to find address")
                self.assertSucceeds(network.add(holders[address]))
            else:
                address = random.choice([a for a in self.all_addresses() if a not in holders])
                self.reserve(network, address, "foreign-%d" % turn)
                self.assertFails(network.add("foreign-%d" % turn), 999, "duplicate allocation is not allowed")
                given = self.assertSucceeds(network.add("own-%d" % turn)).addresses[0]
                self.assertNotIn(given, {**holders, address: None})
                self.assertSucceeds(network.delete("own-%d" % turn))
                if random.random() < 0.5:
                    self.assertSucceeds(network.delete("foreign-%d" % turn))
                    self.assertFalse(os.path.exists(self.path(network, address)))

    def all_addresses(self):
        return ["10.81.0.%d" % last for last in range(2, 127)]

    # MARK: times

    def test_times_of_the_past_and_the_future(self):
        """Directory and files may carry any times, before 1970 and in the far future too."""
        now = time.time_ns()
        for moment in (0, 1, -YEAR, now - 10 * YEAR, now + YEAR, now + 300 * YEAR, 2**31 * 10**9, 2**32 * 10**9 - 1):
            with self.subTest(moment=moment):
                network = self.network(name="at%d" % (moment + YEAR), sets=["10.82.0.0/28"])
                for number in range(6):
                    self.assertSucceeds(network.add("living-%d" % number))
                for name in os.listdir(network.directory):
                    os.utime(self.path(network, name), ns=(moment, moment))
                self.stamp(network, (moment, moment))
                self.assertSucceeds(network.delete("living-0"))
                self.stamp(network, (moment, moment))
                self.reserve(network, "10.82.0.10", "stranger")
                self.stamp(network, (moment, moment))
                self.assertAbsent(network, ["living-0"])
                self.assertTruthful(network)

    def test_clock_set_back_between_calls(self):
        """A foreign change stamped earlier or later than the last own one, by a year or a hair, is seen as well."""
        network = self.filled()
        for turn, shift in enumerate((-YEAR, -1, 1, YEAR)):
            with self.subTest(shift=shift):
                with self.shifted(network, shift):
                    self.reserve(network, "10.81.0.%d" % (100 + turn), "stranger-%d" % turn)
                self.assertFails(network.add("stranger-%d" % turn), 999, "duplicate allocation is not allowed")
                with self.shifted(network, shift):
                    os.unlink(self.path(network, self.address_of(network, "living-%d" % turn)))
                self.assertAbsent(network, ["living-%d" % turn])
        self.assertTruthful(network)

    def test_change_that_hides_its_time(self):
        """A change after which the directory's time was put back exactly, as an unpacked archive does, is seen."""
        network = self.filled()
        with self.shifted(network, 0):
            self.reserve(network, "10.81.0.100", "stranger")
        self.assertFails(network.add("stranger"), 999, "duplicate allocation is not allowed")
        with self.shifted(network, 0):
            os.unlink(self.path(network, self.address_of(network, "living-7")))
        self.assertAbsent(network, ["living-7"])
        self.assertTruthful(network)

    @contextlib.contextmanager
    def shifted(self, network, shift):
        """The directory's time of change after what happens inside is the time before, and this much more."""
        accessed, modified = self.stamps(network)
        changed = os.stat(network.directory).st_ctime_ns
        yield
        self.stamp(network, (accessed, modified + shift), unlike=changed)


if __name__ == "__main__":
    isolation.main()
