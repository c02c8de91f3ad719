#!/usr/bin/env python3
"""Data directories in odd places and in bad health: full, read-only, forbidden, or none at all."""

import os
import shutil

import isolation
import namespaces
import plugin

NOBODY = 65534


class Places(plugin.PluginTest):
    """What `dataDir` may name."""

    def assertWorks(self, network, directory):
        """ADD and DEL work, with the reservation in this directory."""
        given = self.assertSucceeds(network.add()).addresses
        self.assertEqual(plugin.read_directory(directory)[given[0]], plugin.content("c1"))
        self.assertFails(network.add(), 999, "duplicate allocation is not allowed")
        self.assertSucceeds(network.check())
        self.assertSucceeds(network.delete())
        self.assertNotIn(given[0], os.listdir(directory))

    def test_file_in_the_place_of_a_directory(self):
        """A dataDir that is a file, or lies below one, is an error that names it; the file is left alone."""
        blocked = os.path.join(self.temporary, "file")
        with open(blocked, "w", encoding="ascii") as file:
            file.write("precious")
        for directory in (blocked, os.path.join(blocked, "below")):
            for verb in ("ADD", "DEL", "CHECK"):
                with self.subTest(directory=directory, verb=verb):
                    answer = self.network(data_directory=directory).call(verb)
                    self.assertFails(answer, 999, "mkdir %s: not a directory" % blocked)
        with open(blocked, encoding="ascii") as file:
            self.assertEqual(file.read(), "precious")

    def test_file_in_the_place_of_the_network(self):
        """So is a file in the place of the network's directory."""
        os.makedirs(self.data)
        with open(os.path.join(self.data, "pods"), "wb"):
            pass
        self.assertFails(self.network().add(), 999, "not a directory")

    def test_directory_in_the_place_of_the_lock(self):
        """A lock that cannot be a lock is an error."""
        os.makedirs(os.path.join(self.data, "pods", "lock"))
        self.assertFails(self.network().add(), 999, "is a directory")
        self.assertReservations(self.network(), {})

    def test_links_to_directories_are_followed(self):
        """A dataDir may be a link, and a network is the same under both paths."""
        real, link = os.path.join(self.temporary, "real"), os.path.join(self.temporary, "link")
        os.mkdir(real)
        os.symlink(real, link)
        self.assertWorks(self.network(data_directory=link), os.path.join(real, "pods"))
        self.assertSameDirectory(real, link)

    def test_link_to_nothing_is_an_error(self):
        """A dataDir that links to a missing place is an error and creates nothing."""
        link = os.path.join(self.temporary, "link")
        os.symlink(os.path.join(self.temporary, "missing"), link)
        self.assertFails(self.network(data_directory=link).add(), 999, link)
        self.assertEqual(os.listdir(self.temporary), ["link"])

    def test_relative_directory_belongs_to_the_working_directory(self):
        """A relative dataDir lies below the working directory of the call, whatever other calls did elsewhere."""
        for place in ("one", "two"):
            working = os.path.join(self.temporary, place)
            os.mkdir(working)
            answer = self.network(data_directory="nets/./deep").add(cwd=working)
            self.assertEqual(self.assertSucceeds(answer).addresses, ["10.1.2.2"])
            absolute = self.network(data_directory=os.path.join(working, "nets", "deep"))
            self.assertReservations(absolute, {"10.1.2.2": "c1"})
            self.assertSucceeds(absolute.delete())
            self.assertFails(self.network(data_directory="nets/deep").check(cwd=working), 999, "failed to find address")

    def test_ways_to_write_a_path_mean_one_directory(self):
        """Slashes and dots in a path do not make another directory."""
        for spelling in (self.data + "///", self.data + "/.", "/" + self.data, self.data + "/x/.."):
            with self.subTest(spelling=spelling):
                self.assertSameDirectory(self.data, spelling)
                self.assertSameDirectory(spelling, self.data)

    def assertSameDirectory(self, first_path, second_path):
        """What one path reserves, the other one knows and releases."""
        one, other = self.network(data_directory=first_path), self.network(data_directory=second_path)
        self.assertSucceeds(one.add())
        self.assertFails(other.add(), 999, "duplicate allocation is not allowed")
        self.assertSucceeds(other.check())
        self.assertSucceeds(other.delete())
        self.assertFails(one.check(), 999, "failed to find address")
        self.assertReservations(one, {})


class Health(plugin.PluginTest):
    """Disks that refuse. Each failing ADD says why and leaves nothing of its own."""

    def disk(self, options):
        """A small file system."""
        place = os.path.join(self.temporary, "disk")
        os.mkdir(place)
        return self.enterContext(namespaces.mounted("-t", "tmpfs", "-o", options, "tmpfs", place))

    def pods(self, place, name):
        return self.network(data_directory=place, name=name, sets=["10.71.0.0/24", "fd00:71::/64"])

    def assertAllOrNothing(self, network, container):
        """ADD gives both addresses, or says that there is no space and has reserved none. True for the former."""
        before = network.reservations()
        answer = network.add(container)
        if answer.status:
            self.assertFails(answer, 999, "no space left on device")
            self.assertEqual(network.reservations(), before, "half of a failed ADD is left")
            return False
        given = dict.fromkeys(self.assertSucceeds(answer).addresses, plugin.content(container))
        self.assertEqual(len(given), 2)
        self.assertEqual(network.reservations(), {**before, **given})
        return True

    def assertSurvivesLackOf(self, place, fill, most):
        """With none, one, two ... units of space left ADD does all or nothing, and recovers when there is space.

        So on a network in use, whose files exist, and on a new one, where every file is still to be made.
        """
        ballast = os.path.join(place, "ballast")
        self.assertSucceeds(self.pods(place, "old").add("early"))
        for kind in ("old", "new"):
            outcomes = []
            for left in range(most):
                network = self.pods(place, "old" if kind == "old" else "new-%d" % left)
                os.mkdir(ballast)
                fill(ballast, left)
                outcomes.append(self.assertAllOrNothing(network, "tight"))
                shutil.rmtree(ballast)
                self.assertSucceeds(network.delete("tight"))
                self.assertTrue(self.assertAllOrNothing(network, "later"), "no recovery")
                self.assertSucceeds(network.delete("later"))
                if kind == "new":
                    shutil.rmtree(network.directory)
            self.assertFalse(outcomes[0], "an ADD succeeded on a full disk: the test proves nothing")
            self.assertTrue(outcomes[-1], "%d units were too few: the test misses the last stages" % (most - 1))
        self.assertSucceeds(self.pods(place, "old").check("early"))

    def test_full_disk(self):
        """With every number of free blocks from none on."""
        place = self.disk("size=64k")

        def fill(ballast, left):
            """Leaves this many free blocks of 4096 bytes."""
            with open(os.path.join(ballast, "file"), "wb", buffering=0) as file:
                while os.statvfs(place).f_bavail > left:
                    file.write(bytes(4096))

        self.assertSurvivesLackOf(place, fill, 12)

    def test_no_more_files(self):
        """With every number of free inodes from none on."""
        place = self.disk("size=1m,nr_inodes=40")

        def fill(ballast, left):
            """Leaves this many free inodes."""
            while os.statvfs(place).f_ffree > left:
                with open(os.path.join(ballast, str(os.statvfs(place).f_ffree)), "xb"):
                    pass

        self.assertSurvivesLackOf(place, fill, 16)

    def test_no_space_for_the_first_network(self):
        """On a disk full from the start even the directory cannot be made, and afterwards it can."""
        place = self.disk("size=64k,nr_inodes=16")
        network, stuffing = self.pods(place, "new"), []
        while os.statvfs(place).f_ffree:
            stuffing.append(os.path.join(place, "file-%d" % len(stuffing)))
            with open(stuffing[-1], "xb"):
                pass
        self.assertFails(network.add(), 999, "no space left on device")
        for path in stuffing:
            os.unlink(path)
        self.assertSucceeds(network.add())

    def test_read_only_directory(self):
        """Nothing is allocated or lost while the disk is read-only, and all goes on when it is not."""
        network = self.network()
        self.assertSucceeds(network.add("early"))
        before = plugin.read_directory(network.directory)
        frozen = os.path.join(self.temporary, "frozen")
        os.mkdir(frozen)
        self.enterContext(namespaces.mounted("--bind", "-o", "ro", self.data, frozen))
        view = self.network(data_directory=frozen)
        self.assertFails(view.add("late"), 999, "read-only file system")
        self.assertFails(self.network(data_directory=frozen, name="new").add("late"), 999, "read-only file system")
        self.assertIn(view.delete("early").status, (0, 1))
        self.assertIn(view.check("early").status, (0, 1))
        self.assertEqual(plugin.read_directory(network.directory), before)
        self.assertSucceeds(network.add("late"))
        self.assertSucceeds(network.delete("early"))
        self.assertReservations(network, {"10.1.2.3": "late"})

    def test_directory_of_another_user(self):
        """A user who may not write gets an error; root and a user with a directory of its own get addresses."""
        isolation.require_second_user()
        binary = shutil.copy(plugin.host_local(), self.temporary)
        os.chmod(self.temporary, 0o755)
        os.mkdir(self.data, 0o755)
        foreign = self.network(binary=binary)
        self.assertFails(foreign.add(user=NOBODY), 999, "permission denied")
        self.assertEqual(os.listdir(self.data), [])
        self.assertSucceeds(foreign.add("roots"))
        self.assertFails(foreign.add("nobodys", user=NOBODY), 999, "permission denied")
        self.assertReservations(foreign, {"10.1.2.2": "roots"})

        own = self.network(data_directory=os.path.join(self.temporary, "own"), binary=binary)
        os.mkdir(own.data_directory)
        os.chown(own.data_directory, NOBODY, NOBODY)
        self.assertEqual(self.assertSucceeds(own.add("nobodys", user=NOBODY)).addresses, ["10.1.2.2"])
        self.assertEqual(self.assertSucceeds(own.add("roots")).addresses, ["10.1.2.3"])
        self.assertFails(own.add("nobodys", user=NOBODY), 999, "duplicate allocation is not allowed")
        self.assertSucceeds(own.delete("nobodys"))
        self.assertReservations(own, {"10.1.2.3": "roots"})

    def test_place_of_the_index_is_unusable(self):
        """Full, read-only, forbidden or a file: without a place for what ours remembers it is as right as ever."""
        isolation.require()
        index, blocked = "/run/swift-ipam", os.path.join(self.temporary, "blocked")
        os.makedirs(index, exist_ok=True)
        with open(blocked, "w", encoding="ascii") as file:
            file.write("precious")
        obstacles = {
            "full": ("-t", "tmpfs", "-o", "size=4k,nr_inodes=1", "tmpfs"),
            "read-only": ("-t", "tmpfs", "-o", "ro", "tmpfs"),
            "made by the kernel": ("--bind", "/proc/self"),
        }
        for name, arguments in obstacles.items():
            with self.subTest(name), namespaces.mounted(*arguments, index):
                self.assertRight(name)
        os.rename(index, index + ".away")
        shutil.copy(blocked, index)
        try:
            with self.subTest("a file"):
                self.assertRight("file")
            with open(index, encoding="ascii") as file:
                self.assertEqual(file.read(), "precious")
        finally:
            os.unlink(index)
            os.rename(index + ".away", index)

    def assertRight(self, name):
        """A short history on a new network goes as specified."""
        network = self.network(name=name.split()[0], sets=["10.72.0.0/29"])
        self.assertCanBeFilled(network)
        self.assertSucceeds(network.delete("fill-2"))
        self.assertFails(network.add("fill-3"), 999, "duplicate allocation is not allowed")
        self.assertEqual(self.assertSucceeds(network.add("again")).addresses, ["10.72.0.4"])


if __name__ == "__main__":
    isolation.main()
