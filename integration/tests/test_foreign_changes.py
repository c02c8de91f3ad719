#!/usr/bin/env python3
"""Directories that changed behind the plugin's back: copied, restored, edited, or with a clock that jumped.

What ours remembers of a directory between calls must never outweigh what lies there. The clock itself cannot be moved
for one process (a time namespace does not shift the time of day, and a preloaded library does not reach a static
program), so these tests set the times of files and directories instead, which is where a wrong clock would show.
"""

import contextlib
import os
import shutil
import time

import foreign
import isolation
import plugin
import seeds

YEAR = 365 * 24 * 3600 * 10**9


class ForeignChanges(foreign.ForeignTest):
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
        here, there = foreign.Host(self, "here"), foreign.Host(self, "there")
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
        here, there = foreign.Host(self, "here"), foreign.Host(self, "there")
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

    def test_entries_rewritten_in_place_are_found_once_the_old_holder_is_looked_for(self):
        """No change of the directory shows such an edit; the next look at the file does, and then it is released."""
        network, address = self.rewritten()
        self.assertAbsent(network, ["living-5"])
        self.assertSucceeds(network.check("heir"))
        self.assertSucceeds(network.delete("heir"))
        self.assertFalse(os.path.exists(self.path(network, address)))

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
