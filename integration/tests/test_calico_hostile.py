#!/usr/bin/env python3
"""Stores, places and streams that calico-ipam cannot work with: a clear error, and nothing changed."""

import contextlib
import json
import os
import resource
import shutil
import signal
import sqlite3
import subprocess
import threading
import time
import unittest.mock

import calico
import isolation
import namespaces
import plugin


class Hostile(calico.CalicoTest):
    sound = False

    def content(self, path):
        with open(path, "rb") as file:
            return file.read()

    def calls(self, network, more=None):
        """The verbs that work on the store, as (verb, call)."""
        attachments = {"cniVersion": "1.1.0", "cni.dev/valid-attachments": []}
        for verb in ("ADD", "DEL", "CHECK"):
            yield verb, lambda verb=verb: network.call(verb, more=more)
        yield "ADD", lambda: network.add(arguments="IP=192.168.7.7", more=more)
        yield "GC", lambda: network.call("GC", more={**attachments, **(more or {})})

    def assertAllFail(self, text, network=None, more=None):
        """Every verb fails with status 1 and this text; STATUS with code 50."""
        network = network or self.net
        for verb, call in self.calls(network, more):
            with self.subTest(verb=verb):
                self.assertFails(call(), 999, text)
        with self.subTest(verb="STATUS"):
            self.assertFails(network.status(more=more or {}), 50, text)


class Files(Hostile):
    """What stands in place of the store."""

    def assertRefused(self, path, text):
        before = self.content(path)
        self.assertAllFail(text, more={"database_file": path})
        self.assertEqual(self.content(path), before, "the file was changed")

    def test_garbage(self):
        path = os.path.join(self.temporary, "garbage")
        for garbage in (b"x", b"garbage" * 10000, b"\0" * 8192, b"SQLite format 3\0", b"SQLite format 3\0" + b"\xff" * 5000):
            with open(path, "wb") as file:
                file.write(garbage)
            with self.subTest(size=len(garbage)):
                self.assertRefused(path, path)

    def test_store_of_another_program(self):
        path = os.path.join(self.temporary, "other.db")
        with contextlib.closing(sqlite3.connect(path)) as connection:
            connection.execute("CREATE TABLE entries (path TEXT PRIMARY KEY, value BLOB)")
            connection.commit()
        self.assertRefused(path, "is an SQLite file of another program")

    def test_newer_store(self):
        with self.store.open() as connection:
            connection.execute("PRAGMA user_version=2")
        before = self.store.raw()
        self.assertAllFail("has version 2, and this program knows versions up to 1")
        self.assertEqual(self.store.raw(), before)

    def test_newer_store_whose_version_is_in_the_log_alone(self):
        with self.store.open() as connection:
            connection.execute("PRAGMA wal_autocheckpoint=0")
            connection.execute("PRAGMA user_version=2")
            self.assertAllFail("has version 2, and this program knows versions up to 1")

    def test_tables_of_another_shape(self):
        with self.store.open() as connection:
            connection.execute("ALTER TABLE entries RENAME TO others")
        self.assertAllFail("the tables in %s are not those that swift-ipam makes" % self.path)

    def test_damaged_pages(self):
        """Garbage in the middle of the file is reported, and the file left as it is."""
        for number in range(8):
            self.store.fill(64, "192.168.%d.0/26" % number, first=64 * number)
        image = bytearray(self.content(self.path))
        for offset in range(4096, len(image)):
            image[offset] = 0x5A
        with open(self.path, "wb") as file:
            file.write(image)
        self.assertRefused(self.path, "malformed")

    def test_other_kinds_of_files(self):
        """A directory, a pipe and a device are no stores, and nothing waits for a writer of the pipe."""
        pipe = os.path.join(self.temporary, "pipe")
        os.mkfifo(pipe)
        for path in (self.temporary, pipe, "/dev/null", "/dev/zero"):
            for verb, call in self.calls(self.net, {"database_file": path}):
                with self.subTest(path=path, verb=verb):
                    self.assertFails(call(), 999, "is not a regular file")

    def test_endless_links(self):
        path = os.path.join(self.temporary, "loop")
        os.symlink(path, path)
        self.assertAllFail(path, more={"database_file": path})

    def test_nul_in_a_path(self):
        """No other file is used than the one that was named."""
        with self.unchanged():
            answer = self.net.add(more={"database_file": self.path + "\0.other"})
            self.assertFails(answer)

    def test_truncated_log(self):
        """A log that was cut anywhere loses the newest commits at most, never half of one."""
        directory = os.path.join(self.temporary, "cut")
        os.mkdir(directory)
        with self.store.open() as connection:
            connection.execute("SELECT * FROM store").fetchone()  # keeps the log when the others close
            for number in range(6):
                self.assertSucceeds(self.net.add("c%d" % number))
            log, image = self.content(self.path + "-wal"), self.content(self.path)
        self.assertGreater(len(log), 20000)
        counts = set()
        for size in [*range(0, len(log), 1777), len(log)]:
            network = calico.Network(directory)
            for suffix, data in (("", image), ("-wal", log[:size])):
                with open(network.database + suffix, "wb") as file:
                    file.write(data)
            with contextlib.suppress(FileNotFoundError):
                os.unlink(network.database + "-shm")
            with self.subTest(size=size):
                self.assertSucceeds(network.add("afterwards"))
                store = network.store
                self.assertEqual(list(store.faults()), [])
                held = {holder for holder, _ in store.allocations().values()}
                count = len(held) - 1
                self.assertEqual(held, {"net1.afterwards", *("net1.c%d" % number for number in range(count))})
                counts.add(count)
        self.assertEqual(counts, set(range(7)))

    def test_garbage_in_the_log(self):
        """A log of garbage has no commits; the store is as the file has it."""
        for garbage in (b"garbage" * 5000, b"\0" * 32768, b"\x37\x7f\x06\x82" + b"\xff" * 32764):
            with open(self.path + "-wal", "wb") as file:
                file.write(garbage)
            with self.subTest(garbage=garbage[:4]):
                self.assertSucceeds(self.net.add())
                self.assertSucceeds(self.net.delete())
                self.assertSound()


class Places(Hostile):
    """Directories, devices and locks."""

    def test_read_only_file_system(self):
        directory = os.path.join(self.temporary, "fixed")
        os.mkdir(directory)
        with namespaces.mounted("-t", "tmpfs", "tmpfs", directory):
            network = calico.Network(directory)
            store = calico.Store.make(network.database)
            self.assertSucceeds(network.add("living"))
            held = store.allocations()
            subprocess.run(["mount", "-o", "remount,ro", directory], check=True)
            for verb, call in self.calls(network):
                with self.subTest(verb=verb):
                    answer = call()
                    if verb in ("ADD", "DEL"):
                        self.assertFails(answer, 999, directory)
            subprocess.run(["mount", "-o", "remount,rw", directory], check=True)
            self.assertEqual(store.allocations(), held)
            self.assertSucceeds(network.add("next"))

    def test_user_without_permission(self):
        """A user who may neither write nor read the store is told so; nothing waits or crashes."""
        isolation.require_second_user()
        # The checkout may lie where no other user can go.
        program = shutil.copy(calico.calico_ipam(), self.temporary)
        self.enterContext(unittest.mock.patch.dict(os.environ, CALICO_IPAM=program))
        os.chmod(self.temporary, 0o755)
        os.makedirs(os.path.dirname(self.net.lock), exist_ok=True)
        before = self.store.raw()
        for mode in (0o600, 0o644):
            os.chmod(self.path, mode)
            for verb, call in (("ADD", self.net.add), ("DEL", self.net.delete)):
                answer = call(user=65534)
                if verb == "ADD" or answer.status:
                    self.assertFails(answer, 999, self.path)
        self.assertEqual(self.store.raw(), before)

    def test_full_disk(self):
        """Without room ADD and DEL fail, tell what to do, and change nothing; with room they go on."""
        directory = os.path.join(self.temporary, "small")
        os.mkdir(directory)
        with namespaces.mounted("-t", "tmpfs", "-o", "size=1m", "tmpfs", directory):
            network = calico.Network(directory)
            store = calico.Store.make(network.database)
            for number in range(3):
                self.assertSucceeds(network.add("living-%d" % number))
            held = store.allocations()
            filler = os.path.join(directory, "filler")
            for spare in (0, 4096, 40960):
                fill_disk(filler, spare)
                failures = 0
                for verb, call in (("ADD", network.add), ("DEL", lambda: network.delete("living-1"))):
                    answer = call()
                    if answer.status:
                        failures += 1
                        self.assertFails(answer, 999, directory)
                        self.assertIn("room", answer.document.get("details", ""), "%s: %s" % (verb, answer))
                os.unlink(filler)
                self.assertEqual(list(store.faults()), [], spare)
                if spare == 0:
                    self.assertEqual(failures, 2, "there was room: the test proves nothing")
                    self.assertEqual(store.allocations(), held)
                self.assertSucceeds(network.delete())
                if not store.held("living-1"):
                    self.assertSucceeds(network.add("living-1"))
                held = store.allocations()
            self.assertSucceeds(network.add())

    def in_mounts(self, script, network, verb="ADD"):
        """A call in a mount namespace of its own, prepared by a shell script."""
        wrapper = ["unshare", "--mount", "sh", "-c", script + ' && exec "$@"', "sh"]
        return network.call(verb, wrapper=wrapper)

    def test_unwritable_run(self):
        """What operations remember has no place: they do without."""
        isolation.require()
        for script in (
            "mount -t tmpfs -o ro tmpfs /run",
            "mount -t tmpfs tmpfs /run && : >/run/swift-ipam",
            "mount -t tmpfs tmpfs /run && mkdir -p /run/swift-ipam && ln -s /nowhere/at/all /run/swift-ipam/calico-ipam",
        ):
            with self.subTest(script=script):
                self.assertSucceeds(self.in_mounts(script, self.net))
                self.assertSucceeds(self.in_mounts(script, self.net, "DEL"))
        self.assertSound()

    def test_garbage_in_what_is_remembered(self):
        """Hints that are wrong, cut or huge change nothing."""
        isolation.require()
        for container in ("first", "second"):
            self.assertSucceeds(self.net.add(container))
        path = os.path.join(self.net.hints, calico.NODE)
        words = self.content(path).split(b" ")
        for text in (
            b"",
            b"\0" * 4096,
            b"garbage\n" * 100000,
            b" ".join([*words[:2], b"10.99.99.0/26", *words[3:]]),
            b" ".join([*words[:2], b"fd80::/64", *words[3:]]),
            b" ".join([*words[:2], b"192.168.0.0/16", *words[3:]]),
            b" ".join([*words[:2], b"192.168.1.0/26", *words[3:]]),
            b" ".join([*words[:3], b"18446744073709551615", *words[4:]]),
            b" ".join([*words[:3], b"-1", *words[4:]]),
        ):
            with open(path, "wb") as file:
                file.write(text)
            with self.subTest(text=text[:60]):
                self.assertSucceeds(self.net.add())
                self.assertSucceeds(self.net.delete())
        self.assertSound()

    def test_missing_lock_directory(self):
        """It is made, with all above it."""
        lock = os.path.join(self.temporary, "not", "yet", "there", "ipam.lock")
        answer = self.assertSucceeds(self.net.add(more={"ipam_lock_file": lock}))
        self.assertEqual(answer.stderr, b"")
        self.assertEqual(os.stat(lock).st_mode & 0o777, 0o600)

    def test_impossible_lock(self):
        """A lock that cannot be had is a warning, and the operation goes on without it."""
        for number, lock in enumerate((self.temporary, "/proc/no/such/lock", "/dev/null/lock", self.path + "/lock")):
            with self.subTest(lock=lock):
                more = {"ipam_lock_file": lock}
                answer = self.assertSucceeds(self.net.add("c%d" % number, more=more))
                self.assertIn(b"Failed to grab IPAM lock, may contend for datastore updates", answer.stderr)
                answer = self.assertSucceeds(self.net.delete("c%d" % number, more=more))
                self.assertIn(b"Failed to grab IPAM lock, may contend for datastore updates", answer.stderr)
        self.assertSound()

    def test_locks_that_are_never_given_back(self):
        """The host's lock is waited for 45 s, half of what an operation may take, and done without; the store's turn is
        waited for to the end of the operation. (Takes 90 s: there is no way to make the deadline shorter.)"""
        results = {}
        other = os.path.join(self.temporary, "other")
        os.mkdir(other)
        stuck = calico.Network(other)
        calico.Store.make(stuck.database)

        def timed(name, call):
            began = time.monotonic()
            answer = call()
            results[name] = (answer, time.monotonic() - began)

        with held(self.net.lock), held(stuck.database + ".lock"):
            calls = {
                "lock": lambda: self.net.add("c1"),
                "turn": lambda: stuck.add("c1"),
                "turn, DEL": lambda: stuck.delete("c1"),
            }
            threads = [threading.Thread(target=timed, args=call) for call in calls.items()]
            for thread in threads:
                thread.start()
            for thread in threads:
                thread.join()
        answer, seconds = results["lock"]
        self.assertSucceeds(answer)
        self.assertIn(b"Failed to grab IPAM lock, may contend for datastore updates", answer.stderr)
        self.assertIn(b"(flock)", answer.stderr.replace(b"(sh)", b"(flock)").replace(b"(cat)", b"(flock)"))
        self.assertTrue(44 < seconds < 60, seconds)
        answer, seconds = results["turn"]
        self.assertFails(answer, 999, "waited in vain for the turn to write")
        self.assertTrue(80 < seconds < 100, seconds)
        self.assertSucceeds(results["turn, DEL"][0])
        self.assertSound()

    def test_transaction_that_another_tool_keeps_open(self):
        """A shell of sqlite3 in a transaction keeps ADD waiting; readers are not kept."""
        added = self.assertSucceeds(self.net.add("first"))
        connection = sqlite3.connect(self.path, isolation_level=None)
        self.addCleanup(connection.close)
        connection.execute("BEGIN IMMEDIATE")
        self.assertSucceeds(self.net.check("first", more={"prevResult": added.document}))
        timer = threading.Timer(2, lambda: None)
        process = subprocess.Popen(
            [calico.calico_ipam()],
            env=plugin.environment("ADD", container="second"),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
        )
        timer.start()
        process.stdin.write(plugin.encode(self.net.config()))
        process.stdin.close()
        process.stdin = None
        timer.join()
        self.assertIsNone(process.poll(), "did not wait")
        connection.execute("COMMIT")
        out, error = process.communicate(timeout=20)
        self.assertSucceeds(plugin.Answer(process.returncode, out, error))
        self.assertSound()


class Values(Hostile):
    """Entries that somebody else has written wrong."""

    BLOCK = "192.168.0.0/26"

    def block(self, **changes):
        entry = self.store.value(calico.block_path(self.BLOCK))
        return {**entry, **changes}

    def wrong_blocks(self):
        good = self.block()
        free = [None] * 64
        yield "no JSON", b"{"
        yield "empty", b""
        yield "null", b"null"
        yield "a list", b"[]"
        yield "no members", b"{}"
        yield "invalid text", b'{"cidr":"\xff\xfe"}'
        yield "another network", {**good, "cidr": "192.168.0.64/26"}
        yield "no network", {**good, "cidr": "nowhere"}
        yield "too few allocations", {**good, "allocations": free[:10]}
        yield "too many allocations", {**good, "allocations": free + free}
        yield "no allocations", {**good, "allocations": None}
        yield "index without attribute", {**good, "allocations": [7] + free[1:]}
        yield "negative index", {**good, "allocations": [-1] + free[1:]}
        yield "huge index", {**good, "allocations": [2**63] + free[1:]}
        yield "fraction as index", {**good, "allocations": [0.5] + free[1:]}
        yield "text as index", {**good, "allocations": ["0"] + free[1:]}
        yield "free and allocated", {**good, "unallocated": list(range(64))}
        yield "free twice", {**good, "unallocated": [5, 5] + list(range(6, 64))}
        yield "free outside", {**good, "unallocated": [64] + list(range(2, 64))}
        yield "negative number", {**good, "sequenceNumber": -1}
        yield "text as number", {**good, "sequenceNumber": "x"}
        yield "attributes of a wrong type", {**good, "attributes": [1, 2]}
        yield "deep nesting", b'{"cidr":' + b"[" * 100000

    def assertUntouched(self, call, text):
        """An error that names the entry, and nothing changed."""
        before = self.store.raw()
        answer = call()
        self.assertFails(answer, 999, text)
        self.assertEqual(self.store.raw(), before, "the store was changed")

    def test_wrong_block_of_the_node(self):
        """ADD fails and names the block, or passes it over; nobody gets an address of it."""
        self.store.fill(2, self.BLOCK)
        for kind, value in self.wrong_blocks():
            self.store.put(calico.block_path(self.BLOCK), value)
            with self.subTest(kind):
                before = self.store.raw()
                answer = self.net.add()
                if answer.status:
                    self.assertFails(answer, 999, self.BLOCK)
                else:
                    self.assertFalse(answer.addresses[0].startswith("192.168.0."), str(answer))
                    self.assertSucceeds(self.net.delete())
                path = calico.block_path(self.BLOCK)
                self.assertEqual([row for row in self.store.raw() if row[0] == path], [r for r in before if r[0] == path])
                if answer.status:
                    self.assertEqual(self.store.raw(), before)

    def test_wrong_block_in_a_deletion(self):
        """DEL of what a wrong block holds fails and changes nothing; DEL of others goes on."""
        self.store.fill(2, self.BLOCK)
        good = self.block()
        # So that others find a block of their own.
        self.store.put(calico.affinity_path(calico.NODE, self.BLOCK), None)
        self.assertSucceeds(self.net.add("other"))
        for kind, value in self.wrong_blocks():
            self.store.put(calico.block_path(self.BLOCK), value)
            with self.subTest(kind):
                self.assertUntouched(lambda: self.net.delete("full-1"), self.BLOCK)
                self.assertSucceeds(self.net.delete("other"))
                self.assertSucceeds(self.net.add("other"))
        self.store.put(calico.block_path(self.BLOCK), good)
        self.assertSucceeds(self.net.delete("full-1"))

    def test_wrong_handle(self):
        self.store.fill(2, self.BLOCK)
        for value in (b"{", b"", b"[]", b'{"block":7}', b'{"block":{"10.0.0.0/8":"x"}}'):
            self.store.put(calico.HANDLES + "net1.full-1", value)
            with self.subTest(value=value):
                self.assertUntouched(lambda: self.net.delete("full-1"), "net1.full-1")
        # What is no block's name is kept for whoever knows better.
        self.store.put(calico.HANDLES + "net1.full-1", {"block": {"nowhere": 1}})
        with self.unchanged():
            self.assertSucceeds(self.net.delete("full-1"))

    def test_wrong_pools(self):
        """A pool that cannot be read is an error that names it, because what it excludes is not known."""
        good = self.store.value(calico.pool_path(calico.V4))
        for kind, value in (
            ("no JSON", b"{"),
            ("empty", b""),
            ("a number as network", {**good, "spec": {**good["spec"], "cidr": 7}}),
            ("no network", {**good, "spec": {**good["spec"], "cidr": "nowhere"}}),
            ("block size", {**good, "spec": {**good["spec"], "blockSize": 99}}),
            ("negative block size", {**good, "spec": {**good["spec"], "blockSize": -1}}),
            ("selector", {**good, "spec": {**good["spec"], "nodeSelector": "has(("}}),
        ):
            self.store.put(calico.pool_path(calico.V4), value)
            with self.subTest(kind):
                self.assertUntouched(self.net.add, "")

    def test_wrong_node(self):
        for value in (b"{", b"", b"[]"):
            self.store.put(calico.node_path(calico.NODE), value)
            with self.subTest(value=value):
                self.assertUntouched(self.net.add, calico.NODE)

    def test_wrong_settings(self):
        for value in (b"{", b"", b"[]", b'{"maxBlocksPerHost":"x"}', b'{"strict_affinity":"yes"}'):
            self.store.put(calico.CONFIG, value)
            with self.subTest(value=value):
                self.assertUntouched(self.net.add, "")

    def test_wrong_affinities(self):
        """A claim that cannot be read is not taken for one, or is an error; it never gives an address away twice."""
        self.store.fill(2, self.BLOCK)
        for value in (b"{", b"[]", b'{"state":7}', b'{"state":"unheard-of"}', b""):
            self.store.put(calico.affinity_path(calico.NODE, self.BLOCK), value)
            with self.subTest(value=value):
                held = self.store.allocations()
                answer = self.net.add()
                if answer.status:
                    self.assertFails(answer, 999, self.BLOCK)
                    self.assertEqual(self.store.allocations(), held)
                else:
                    self.assertSucceeds(self.net.delete())
                    self.assertEqual(self.store.allocations(), held)

    def test_keys_that_are_none(self):
        """Paths that no driver would write are passed over."""
        for path in (
            calico.BLOCKS + "ipv4/block/nowhere",
            calico.BLOCKS + "ipv4/block/192.168.0.0-99",
            calico.BLOCKS + "ipv4/block/fd80::-122",
            calico.HANDLES + "a/b",
            calico.HOSTS + "node-a",
            calico.HOSTS + "node-a/ipv4/block/nowhere",
            calico.HOSTS + "node-a/ipv4/block/",
            "/calico/ipam/v2/nobody/knows",
            "/calico/resources/v3/projectcalico.org/ippools/a/b",
            "relative",
            "",
        ):
            self.store.put(path, {})
        before = self.store.raw()
        self.assertSucceeds(self.net.add())
        self.assertSucceeds(self.net.delete())
        after = set(self.store.raw())
        self.assertLessEqual(set(before), after)

    def test_unknown_members_survive(self):
        """What a later release adds to a block, a handle or an affinity is written back."""
        self.store.fill(2, self.BLOCK)
        paths = [calico.block_path(self.BLOCK), calico.affinity_path(calico.NODE, self.BLOCK)]
        block = self.block(future={"deep": [1.50, 12345678901234567890]})
        block["attributes"][0]["future"] = {"a": None}
        self.store.put(paths[0], block)
        self.store.put(paths[1], {"state": "confirmed", "deleted": False, "future": True})
        self.assertSucceeds(self.net.add())
        found = self.store.value(paths[0])
        self.assertEqual(self.store.held("c1"), ["192.168.0.2"])
        self.assertEqual(found["future"], block["future"])
        self.assertEqual(found["attributes"][0]["future"], {"a": None})
        self.assertEqual(self.store.value(paths[1])["future"], True)


class Streams(Hostile):
    """The process's own input, output and limits."""

    def start(self, verb="ADD", closed=(), limits=(), **streams):
        pipes = {name: streams.get(name, subprocess.PIPE) for name in ("stdin", "stdout", "stderr")}

        def prepare():
            for descriptor in closed:
                os.close(descriptor)
            for what, value in limits:
                resource.setrlimit(what, (value, value))

        command = [calico.calico_ipam()]
        return subprocess.Popen(command, env=plugin.environment(verb), preexec_fn=prepare, **pipes)

    def finish(self, process, config=None):
        """(status, stdout, stderr) after the configuration was written."""
        try:
            out, error = process.communicate(plugin.encode(self.net.config() if config is None else config))
        except BrokenPipeError:
            out, error = b"", b""
        return process.wait(), out, error

    def assertUsable(self):
        self.assertSound()
        self.assertSucceeds(self.net.delete())
        self.assertHolds("c1", [])
        self.assertSucceeds(self.net.add())
        self.assertSucceeds(self.net.delete())
        self.assertSound()

    def test_closed_streams_end_in_no_file(self):
        """With any of them closed, nothing is written into the files opened in their place."""
        for closed in ((0,), (1,), (2,), (1, 2), (0, 1, 2)):
            with self.subTest(closed=closed):
                status, _, _ = self.finish(self.start(closed=closed))
                self.assertIn(status, (0, 1))
                self.assertUsable()

    def test_full_output_is_not_success(self):
        with open("/dev/full", "wb") as full:
            status, _, error = self.finish(self.start(stdout=full))
        self.assertEqual(status, 1, error)
        self.assertTrue(error, "nothing on stderr says why")
        self.assertUsable()

    def test_reader_that_has_gone_is_not_success(self):
        reader, writer = os.pipe()
        os.close(reader)
        process = self.start(stdout=writer)
        os.close(writer)
        status, _, _ = self.finish(process)
        self.assertIn(status, (1, -signal.SIGPIPE))
        self.assertUsable()

    def test_few_descriptors(self):
        """With few descriptors ADD works or fails whole."""
        for count in range(3, 10):
            with self.subTest(count=count):
                status, out, error = self.finish(self.start(limits=[(resource.RLIMIT_NOFILE, count)]))
                answer = plugin.Answer(status, out, error)
                if status:
                    self.assertFails(answer)
                    self.assertHolds("c1", [])
                else:
                    self.assertSucceeds(answer)
                self.assertUsable()

    def test_small_files_only(self):
        """With a limit on the size of files ADD fails whole, and is not killed by the signal."""
        for size in (0, 4096, 40960):
            with self.subTest(size=size):
                status, out, error = self.finish(self.start(limits=[(resource.RLIMIT_FSIZE, size)]))
                if status != -signal.SIGXFSZ and status:
                    self.assertFails(plugin.Answer(status, out, error))
                self.assertUsable()

    def test_nesting_under_a_small_stack(self):
        document = b'{"ignored":' + b"[" * 100000
        process = self.start(limits=[(resource.RLIMIT_STACK, 256 << 10)])
        status, out, error = self.finish(process, document)
        self.assertFails(plugin.Answer(status, out, error), 6)

    def test_large_document(self):
        config = {"ignored": "x" * (16 << 20), **self.net.config()}
        self.assertSucceeds(self.net.add(config=json.dumps(config).encode()))
        self.assertUsable()

    def test_very_long_names(self):
        """A container ID of 100,000 letters is a handle like any other."""
        container = "c" * 100000
        self.assertSucceeds(self.net.add(container))
        self.assertEqual(list(self.store.handles()), ["net1." + container])
        self.assertSucceeds(self.net.delete(container))
        self.assertEqual(self.store.handles(), {})

    def test_node_name_of_path_parts(self):
        """A node's name is part of keys and of a file below /run; it cannot leave either."""
        names = ("../../etc/x", "a/b", "..", ".", "\u00e9\u0000x", "n" * 5000)
        for name in names:
            with self.subTest(name=name[:20]), self.unchanged():
                self.assertFails(self.network(node=name).add(), 999)
        for name in ("..", "x" * 300):
            self.store.put(calico.node_path(name), calico.node(name))
            with self.subTest(name=name[:20]):
                self.assertSucceeds(self.network(node=name).add())
                self.assertSucceeds(self.network(node=name).delete())
        self.assertSound()


@contextlib.contextmanager
def held(path):
    """Holds a lock meanwhile."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    holder = subprocess.Popen(
        ["flock", "--no-fork", path, "sh", "-c", "echo held; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    if holder.stdout.readline() != b"held\n":
        raise AssertionError("the lock %s cannot be held" % path)
    try:
        yield
    finally:
        holder.communicate()


def fill_disk(path, spare):
    """A file that leaves this many bytes of its file system."""
    with open(path, "wb", buffering=0) as file:
        with contextlib.suppress(OSError):
            while True:
                file.write(b"x" * 4096)
        file.truncate(max(0, file.tell() - spare))


if __name__ == "__main__":
    isolation.main()
