#!/usr/bin/env python3
"""A node switched from host-local to calico-ipam and back while containers run.

HOST_LOCAL and CALICO_IPAM have to lie in one directory, as they do where they are installed; IPAMCTL is the tool.
"""

import collections
import concurrent.futures
import fcntl
import itertools
import json
import os
import shlex
import shutil
import signal
import subprocess
import threading
import time

import calico
import isolation
import killing
import ledger
import plugin
import seeds

POOL, BLOCK_SIZE = "10.71.0.0/26", 29
ELSEWHERE = "10.72.0.0/28"
NETWORK = "pods"
MARKER = ".swift-ipam/%s.calico-ipam" % NETWORK


class Node:
    """One network of one node below a directory, configured for either plugin: `ipam.type` is all that differs."""

    def __init__(self, directory, node=calico.NODE, subnet=POOL):
        self.directory, self.node, self.subnet = directory, node, subnet
        self.data = os.path.join(directory, "networks")
        self.database = os.path.join(directory, "ipam.db")

    @property
    def store(self):
        return calico.Store(self.database)

    @property
    def marker(self):
        return os.path.join(self.data, MARKER)

    @property
    def lock(self):
        return os.path.join(self.data, NETWORK, "lock")

    def config(self, kind, **ipam):
        return {
            "cniVersion": "1.0.0",
            "name": NETWORK,
            "type": "test",
            "nodename": self.node,
            "database_file": self.database,
            "ipam_lock_file": os.path.join(self.directory, "ipam.lock"),
            "ipam": {"type": kind, "dataDir": self.data, "ranges": [[{"subnet": self.subnet}]], **ipam},
        }

    def call(self, kind, verb, container, ipam=None, **options):
        return plugin.call(program(kind), verb, self.config(kind, **(ipam or {})), container=container, **options)

    def command(self, kind):
        """The command line that hands everything over to a plugin."""
        if kind == "calico-ipam":
            words = [program(kind), "-upgrade", "-network", NETWORK, "-node", self.node]
            return [*words, "-data-dir", self.data, "-database", self.database]
        words = [ipamctl(), "host-local", "adopt", "--network", NETWORK, "--node", self.node]
        return [*words, "--data-dir", self.data, "--database", self.database, "--apply"]

    def adopt(self, kind, *more, wrapper=()):
        done = subprocess.run([*wrapper, *self.command(kind), *more], capture_output=True, stdin=subprocess.DEVNULL)
        return plugin.Answer(done.returncode, done.stdout, done.stderr, "adopt")

    def reserved(self):
        """Address to container in host-local's files."""
        files = plugin.read_directory(os.path.join(self.data, NETWORK))
        return {
            name: held.split(b"\r\n")[0].decode()
            for name, held in files.items()
            if name != "lock" and not name.startswith(plugin.CURSOR)
        }

    def assigned(self, store=None):
        """Address to container in the store."""
        return {
            address: handle.removeprefix(NETWORK + ".")
            for address, (handle, _) in (store or self.store).allocations().items()
        }


def program(kind):
    path = plugin.host_local() if kind == "host-local" else calico.calico_ipam()
    return path


def ipamctl():
    path = os.environ.get("IPAMCTL", "")
    if not os.access(path, os.X_OK):
        raise plugin.unittest.SkipTest("IPAMCTL names no program: build the product ipamctl")
    return os.path.abspath(path)


def require_siblings():
    if os.path.dirname(os.path.realpath(program("host-local"))) != os.path.dirname(
        os.path.realpath(program("calico-ipam"))
    ):
        raise plugin.unittest.SkipTest("host-local and calico-ipam do not lie in one directory")


class Owners(plugin.PluginTest):
    """Assertions on both sides together."""

    def setUp(self):
        super().setUp()
        require_siblings()
        ipamctl()

    def make(self, pools=(POOL,), nodes=(calico.NODE,)):
        calico.Store.make(
            os.path.join(self.temporary, "ipam.db"), [(pool, {"blockSize": BLOCK_SIZE}) for pool in pools], nodes
        )
        return Node(self.temporary)

    def assertOwners(self, node, expected, said=None, store=None):
        """Every address has the one container that it should have, on one side or on both."""
        owners = collections.defaultdict(set)
        for side in (node.reserved(), node.assigned(store)):
            for address, container in side.items():
                owners[address].add(container)
        self.assertEqual(dict(owners), {address: {container} for address, container in expected.items()}, said)

    def assertSays(self, answer, status, *texts):
        self.assertEqual(answer.status, status, str(answer))
        for text in texts:
            self.assertIn(text, (answer.stdout + answer.stderr).decode())

    def populate(self, node, kind, *containers):
        """Address to container."""
        return {
            self.assertSucceeds(node.call(kind, "ADD", container)).addresses[0]: container for container in containers
        }


class Switch(Owners):
    def setUp(self):
        super().setUp()
        self.node = self.make()

    def call(self, kind, verb, container, **options):
        return self.node.call(kind, verb, container, **options)

    def run_named(self, answer):
        """Runs the command that an error names, as a person would who copies it."""
        command = answer.document["details"].removeprefix("adopt them first: ").split(", or ")[0]
        words = shlex.split(command)
        words[0] = {"calico-ipam": program("calico-ipam"), "ipamctl": ipamctl()}[words[0]]
        if "adopt" in words:
            # host-local knows neither the datastore nor the node.
            words += ["--database", self.node.database, "--node", self.node.node]
        done = subprocess.run(words, capture_output=True)
        self.assertEqual(done.returncode, 0, "%s: %s" % (command, done.stderr))
        return done.stdout.decode() + done.stderr.decode()

    def test_there_and_back(self):
        """Live containers keep their addresses both ways; nobody gives out before they are adopted, and says how."""
        living = self.populate(self.node, "host-local", "a", "b", "c")
        refused = self.call("calico-ipam", "ADD", "d")
        self.assertFails(refused, 999, "overlaps 3 live host-local reservation(s) of network pods")
        self.assertIn("adopted 3 address", self.run_named(refused))
        self.assertEqual((self.node.reserved(), self.node.assigned()), ({}, living))
        living |= self.populate(self.node, "calico-ipam", "d", "e")
        refused = self.call("host-local", "ADD", "f")
        self.assertFails(refused, 999, "overlaps %s, from which calico-ipam gave out addresses" % POOL)
        self.assertIn("handed over", self.run_named(refused))
        self.assertEqual((self.node.reserved(), self.node.assigned()), (living, {}))
        self.assertFalse(os.path.exists(self.node.marker))
        living |= self.populate(self.node, "host-local", "f")
        self.assertEqual(len(living), 6)
        for kind, container in zip(itertools.cycle(["host-local", "calico-ipam"]), "abcdef"):
            self.assertSucceeds(self.call(kind, "DEL", container))
        self.assertOwners(self.node, {})
        self.assertEqual(list(self.node.store.faults()), [])

    def test_either_type_answers_for_the_other(self):
        """CHECK and DEL of either type know what the other has, adopted or not."""
        self.populate(self.node, "host-local", "a", "b")
        self.assertSucceeds(self.call("calico-ipam", "CHECK", "a"))
        self.assertFails(self.call("calico-ipam", "CHECK", "nobody"), 999, "no address is assigned")
        self.assertSucceeds(self.call("calico-ipam", "DEL", "a"))
        self.assertEqual(list(self.node.reserved().values()), ["b"])
        self.assertSays(self.node.adopt("calico-ipam"), 0)
        self.assertSucceeds(self.call("host-local", "CHECK", "b"))
        self.assertFails(self.call("host-local", "CHECK", "nobody"), 999, "failed to find address")
        self.assertSucceeds(self.call("host-local", "DEL", "b"))
        self.assertOwners(self.node, {})

    def test_refused_addition_leaves_host_local_at_work(self):
        """A calico-ipam ADD that is refused gives nothing out, so host-local may go on."""
        self.populate(self.node, "host-local", "a")
        self.assertFails(self.call("calico-ipam", "ADD", "b"), 999, "adopt them first")
        self.assertFalse(os.path.exists(self.node.marker))
        self.populate(self.node, "host-local", "c")

    def test_named_command_is_about_this_store(self):
        """What a refusal names says where everything is, so that it does not work on another store."""
        self.populate(self.node, "host-local", "a")
        details = self.call("calico-ipam", "ADD", "b").document["details"]
        for words in ("-node " + self.node.node, "-database " + self.node.database, "-data-dir " + self.node.data):
            self.assertIn(words, details)
        self.assertSays(self.node.adopt("calico-ipam"), 0)
        self.assertIn("--data-dir " + self.node.data, self.call("host-local", "ADD", "c").document["details"])

    def test_automatic_adoption(self):
        """With ipam.adoptHostLocal the first ADD takes over what there is."""
        living = self.populate(self.node, "host-local", "a", "b")
        answer = self.assertSucceeds(self.call("calico-ipam", "ADD", "c", ipam={"adoptHostLocal": True}))
        self.assertEqual(self.node.reserved(), {})
        self.assertOwners(self.node, {**living, answer.addresses[0]: "c"})

    def test_automatic_adoption_names_what_it_cannot_adopt(self):
        (address,) = self.populate(self.node, "host-local", "a")
        self.take("someone", address)
        refused = self.call("calico-ipam", "ADD", "c", ipam={"adoptHostLocal": True})
        self.assertFails(refused, 999, "cannot adopt 1 host-local reservation(s) of network pods, such as " + address)
        self.assertIn("someone", refused.document["details"])

    def take(self, container, address, node=calico.NODE, network=NETWORK):
        """Assigns an address behind host-local's back."""
        other = calico.Network(self.temporary, node, name=network)
        other.reservations = os.path.join(self.temporary, "elsewhere")
        self.assertSucceeds(other.add(container, arguments="IP=" + address))

    # MARK: -upgrade

    def test_upgrade_tells_what_it_leaves(self):
        """What cannot be adopted stays, does not keep the rest, and is named; so is what lies in no pool."""
        living = self.populate(self.node, "host-local", "a", "b")
        first = next(iter(living))
        self.take("someone", first)
        self.write("10.71.0.9", b"../../etc\r\neth0")
        self.write("10.99.0.1", b"far\r\neth0")
        answer = self.node.adopt("calico-ipam")
        self.assertSays(answer, 1, "adopted 1 address", "left with host-local: 10.99.0.1", "incomplete: 2 address")
        self.assertSays(answer, 1, "cannot adopt 10.71.0.9: it names no container", "cannot adopt %s: " % first)
        self.assertSays(answer, 1, "assigned to pods.someone")
        self.assertEqual(sorted(self.node.reserved()), sorted([first, "10.71.0.9", "10.99.0.1"]))
        self.assertNotIn("pods.../../etc", self.node.store.handles())
        os.unlink(os.path.join(self.node.data, NETWORK, "10.71.0.9"))
        self.assertSucceeds(self.call("host-local", "DEL", "a"))
        self.assertSays(self.node.adopt("calico-ipam"), 0, "complete")
        self.assertSucceeds(self.call("calico-ipam", "ADD", "d"))

    def test_upgrade_leaves_what_no_enabled_pool_has(self):
        living = self.populate(self.node, "host-local", "a")
        self.node.store.add_pool(POOL, blockSize=BLOCK_SIZE, disabled=True)
        self.assertSays(self.node.adopt("calico-ipam"), 0, "in no enabled IP pool", *living)
        self.assertEqual(self.node.reserved(), living)

    def test_upgrade_without_anything_to_do(self):
        self.assertSays(self.node.adopt("calico-ipam"), 0, "adopted 0", "complete")
        self.assertFalse(os.path.exists(self.node.data))

    def test_upgrade_usage(self):
        def run(*arguments, **environment):
            done = subprocess.run([program("calico-ipam"), *arguments], capture_output=True, env=environment)
            return plugin.Answer(done.returncode, done.stdout, done.stderr)

        self.assertSays(run("-upgrade", "-network", "n"), 1, "KUBERNETES_NODE_NAME not specified, refusing to migrate")
        there = ["-data-dir=" + self.node.data, "--database=" + self.node.database]
        self.assertSays(run("-upgrade", *there, KUBERNETES_NODE_NAME="x"), 0, "network k8s-pod-network")
        self.assertSays(run("-h"), 0, "Usage of calico-ipam")
        self.assertEqual(run("-v").stdout.count(b"\n"), 1)
        for arguments, text in (
            (["-x"], "flag provided but not defined: -x"),
            (["-upgrade", "-node"], "flag needs an argument: -node"),
            (["-upgrade", "-network", "../x", "-node", "n"], "no network's name"),
            (["stray"], "unexpected argument: stray"),
            (["-upgrade=no"], "invalid boolean value"),
            (["-upgrade=false"], "-upgrade is missing"),
        ):
            with self.subTest(arguments=arguments):
                self.assertSays(run(*arguments), 2, text, "Usage of calico-ipam")

    # MARK: adopt

    def test_adopt_shows_before_it_does(self):
        """Without --apply nothing is changed, and what would be is printed."""
        living = self.populate(self.node, "calico-ipam", "a")
        (address,) = living
        before = self.node.store.raw(), plugin.read_directory(self.node.data)
        done = subprocess.run(self.node.command("host-local")[:-1], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertIn("would hand over %s of network 'pods': container a, interface eth0" % address, done.stdout)
        self.assertIn("Nothing was changed; --apply hands over.", done.stdout)
        self.assertEqual((self.node.store.raw(), plugin.read_directory(self.node.data)), before)
        document = json.loads(self.node.adopt("host-local", "-o", "json").stdout)
        self.assertEqual(document["adopted"], [{"address": address, "container": "a", "interface": "eth0"}])
        self.assertEqual((document["applied"], document["complete"], document["kept"]), (True, True, []))
        self.assertEqual(self.node.reserved(), living)

    def test_adopt_refuses_when_there_is_nothing(self):
        self.assertSays(self.node.adopt("host-local"), 1, "nothing to adopt", self.node.database)
        self.assertFalse(os.path.exists(self.node.data))

    def test_adopt_removes_a_marker_without_addresses(self):
        """calico-ipam gave something out, and it is all gone: adopt lets host-local begin again."""
        self.populate(self.node, "calico-ipam", "a")
        self.assertSucceeds(self.call("calico-ipam", "DEL", "a"))
        self.assertFails(self.call("host-local", "ADD", "b"), 999, "adopt them first")
        self.assertSays(self.node.adopt("host-local"), 0, "host-local gives out addresses of network 'pods' again")
        self.populate(self.node, "host-local", "b")

    def test_adopt_keeps_what_it_cannot_hand_over(self):
        """A handle that is ambiguous, another node's address, and one that host-local has given to somebody else."""
        living = self.populate(self.node, "calico-ipam", "a")
        first = next(iter(living))
        self.node.store.put_all(calico.filled("10.71.0.56/29", calico.NODE, ["x.y"], network=NETWORK))
        self.take("theirs", "10.71.0.40", "node-b")
        self.take("alien", "10.71.0.41", network="pods.two")
        self.write(first, b"somebody\r\neth0")
        answer = self.node.adopt("host-local")
        self.assertSays(answer, 1, "ambiguous", "node node-b", "host-local reserved it for container somebody")
        self.assertNotIn(b"10.71.0.41", answer.stdout)
        self.assertTrue(os.path.exists(self.node.marker))
        self.assertEqual(set(self.node.assigned()), {first, "10.71.0.56", "10.71.0.40", "10.71.0.41"})
        self.assertFails(self.call("host-local", "ADD", "b"), 999, "adopt them first")
        os.unlink(os.path.join(self.node.data, NETWORK, first))
        self.assertSucceeds(self.call("calico-ipam", "DEL", "x.y"))
        self.assertSucceeds(Node(self.temporary, "node-b").call("calico-ipam", "DEL", "theirs"))
        self.assertSays(self.node.adopt("host-local"), 0)
        self.assertEqual(self.node.reserved(), living)

    def test_interface_names_come_back(self):
        """What the store recorded of an attachment, by ADD or by -upgrade, is what its reservation says in the end."""
        for kind, container, interface in (("host-local", "a", "net1"), ("calico-ipam", "b", "net2")):
            if kind == "calico-ipam":
                self.assertSays(self.node.adopt("calico-ipam"), 0)
            self.assertSucceeds(self.call(kind, "ADD", container, interface=interface))
        # Nothing is recorded of this one.
        self.node.store.put_all(calico.filled("10.71.0.56/29", calico.NODE, ["c"], network=NETWORK))
        self.assertSays(self.node.adopt("host-local", "--interface", "net3"), 0)
        held = plugin.read_directory(os.path.join(self.node.data, NETWORK)).values()
        for container, interface in (("a", "net1"), ("b", "net2"), ("c", "net3")):
            self.assertIn(plugin.content(container, interface), held)

    def write(self, name, content):
        os.makedirs(os.path.join(self.node.data, NETWORK), exist_ok=True)
        with open(os.path.join(self.node.data, NETWORK, name), "wb") as file:
            file.write(content)

    # MARK: races, each brought about on purpose

    def start(self, words, config=None, **environment):
        process = subprocess.Popen(
            words, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, env=environment or None
        )
        if config is not None:
            process.stdin.write(plugin.encode(config))
        process.stdin.close()
        self.addCleanup(process.stdout.close)
        return process

    def start_call(self, kind, verb, container, wrapper=()):
        environment = plugin.environment(verb, container=container)
        return self.start([*wrapper, program(kind)], self.node.config(kind), **environment)

    def await_lock(self, process):
        while not waits_for_lock(process.pid):
            self.assertIsNone(process.poll(), "did not wait for a lock")
            time.sleep(0.01)

    def finish(self, *processes):
        for process in processes:
            said = process.stdout.read()
            self.assertEqual(process.wait(), 0, said)

    def test_deletion_behind_an_upgrade(self):
        """A DEL that is called while -upgrade is at work does not miss what -upgrade moves."""
        self.populate(self.node, "host-local", "a", "b")
        for kind, container in (("calico-ipam", "a"), ("host-local", "b")):
            with self.subTest(kind=kind), open(self.node.lock, "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                upgrade = self.start(self.node.command("calico-ipam"))
                self.await_lock(upgrade)
                deletion = self.start_call(kind, "DEL", container)
                self.await_lock(deletion)
                fcntl.flock(lock, fcntl.LOCK_UN)
                self.finish(upgrade, deletion)
                self.assertNotIn(container, {**self.node.reserved(), **self.node.assigned()}.values())

    def test_deletion_between_there_and_back(self):
        """A DEL during which an address goes to host-local and comes back releases it all the same."""
        self.populate(self.node, "calico-ipam", "a")
        with open(self.node.config("calico-ipam")["ipam_lock_file"], "rb") as host:
            fcntl.flock(host, fcntl.LOCK_EX)
            deletion = self.start_call("calico-ipam", "DEL", "a")
            self.await_lock(deletion)
            self.assertSays(self.node.adopt("host-local"), 0, "handed over")
            with open(self.node.lock, "rb") as lock:
                fcntl.flock(lock, fcntl.LOCK_EX)
                upgrade = self.start(self.node.command("calico-ipam"))
                self.await_lock(upgrade)
                fcntl.flock(host, fcntl.LOCK_UN)
                self.await_lock(deletion)
                fcntl.flock(lock, fcntl.LOCK_UN)
                self.finish(upgrade, deletion)
        self.assertOwners(self.node, {})

    def test_deletion_before_the_way_back(self):
        """A host-local DEL that found nothing in its files does not miss what adopt puts there meanwhile."""
        self.populate(self.node, "calico-ipam", "a")
        log = os.path.join(self.temporary, "trace")
        slow = "inject=access,faccessat,faccessat2:delay_enter=1500000"
        wrapper = ["strace", "-qq", "-o", log, "-e", "trace=flock,access,faccessat,faccessat2", "-e", slow]
        if shutil.which("strace") is None:
            self.skipTest("strace is missing (package strace)")
        deletion = self.start_call("host-local", "DEL", "a", wrapper)
        while not (os.path.exists(log) and "flock" in open(log, encoding="utf-8").read()):
            self.assertIsNone(deletion.poll())
            time.sleep(0.01)
        answer = self.node.adopt("host-local")
        self.finish(deletion)
        self.assertIn(answer.status, (0, 1), str(answer))
        self.assertOwners(self.node, {}, str(answer))

    def test_addition_before_the_way_back(self):
        """An ADD that is about to commit, where host-local has no directory yet, is waited for and handed over."""
        self.populate(self.node, "calico-ipam", "a")
        self.assertSucceeds(self.call("calico-ipam", "DEL", "a"))
        with open(self.node.database + ".lock", "rb") as gate:
            fcntl.flock(gate, fcntl.LOCK_EX)
            addition = self.start_call("calico-ipam", "ADD", "b")
            self.await_lock(addition)
            adoption = self.start(self.node.command("host-local"))
            self.await_lock(adoption)
            fcntl.flock(gate, fcntl.LOCK_UN)
            self.finish(addition, adoption)
        self.assertEqual((list(self.node.reserved().values()), self.node.assigned()), (["b"], {}))
        self.assertFalse(os.path.exists(self.node.marker))


def waits_for_lock(pid):
    """True when the kernel lists the process as blocked by a lock."""
    with open("/proc/locks", encoding="ascii") as locks:
        return any(row.split()[1] == "->" and row.split()[5] == str(pid) for row in locks)


class Killed(killing.KillingTest, Owners):
    """The commands that hand over, killed at each of their system calls in turn."""

    CONTAINERS = ("a", "b", "c")

    def prepare(self, kind):
        """A template in which the containers have addresses of a plugin, and some that are not theirs."""
        os.mkdir(os.path.join(self.temporary, "template"))
        template = Node(os.path.join(self.temporary, "template"))
        calico.Store.make(template.database, [(POOL, {"blockSize": BLOCK_SIZE})])
        self.living = self.populate(template, kind, *self.CONTAINERS)
        template.store.entries()  # what was in the log is in the file now
        self.numbers = itertools.count()
        return template

    def fresh(self, template, kind):
        directory = os.path.join(self.temporary, str(next(self.numbers)))
        shutil.copytree(template.directory, directory)
        node = Node(directory)

        def call(verb, container, wrapper=()):
            answer = node.adopt(kind, wrapper=wrapper)
            return plugin.Answer(answer.status, b"" if answer.status == 0 else answer.stdout, answer.stderr, verb)

        node.call_plugin, node.call = node.call, call
        return node

    def left(self, node):
        """The store as a killed process left it, seen through a copy: whoever opens it would repair it."""
        directory = os.path.join(node.directory, "seen")
        shutil.rmtree(directory, ignore_errors=True)
        os.mkdir(directory)
        for suffix in ("", "-wal"):
            if os.path.exists(node.database + suffix):
                shutil.copy(node.database + suffix, directory)
        return calico.Store(os.path.join(directory, "ipam.db"))

    def verify(self, node, kind, said):
        """Nobody lost anything, nobody is given what is another's, and the next run completes it."""
        other = "calico-ipam" if kind == "host-local" else "host-local"
        store = self.left(node)
        self.assertEqual(list(store.faults()), [], said)
        self.assertOwners(node, self.living, said, store)
        for giver in (kind, other):
            answer = node.call_plugin(giver, "ADD", "new-" + giver)
            if answer.status == 0:
                self.assertNotIn(answer.addresses[0], self.living, said)
                self.assertSucceeds(node.call_plugin(giver, "DEL", "new-" + giver), said)
            else:
                self.assertFails(answer, 999, "adopt them first")
        self.assertOwners(node, self.living, said)
        answer = node.adopt(kind)
        # There is nothing to do for adopt when the killed one came to its end.
        if b"nothing to adopt" not in answer.stderr:
            self.assertEqual(answer.status, 0, "%s: %s" % (said, answer))
        self.assertOwners(node, self.living, said)
        side = node.reserved() if kind == "host-local" else node.assigned()
        self.assertEqual(side, self.living, said)
        self.assertSucceeds(node.call_plugin(kind, "ADD", "next"), said)
        for container in (*self.CONTAINERS, "next"):
            self.assertSucceeds(node.call_plugin(other, "DEL", container), said)
        self.assertOwners(node, {}, said)
        self.assertEqual(list(node.store.faults()), [], said)
        shutil.rmtree(node.directory)

    def test_upgrade(self):
        template = self.prepare("host-local")
        kind = "calico-ipam"
        self.step_through(kind, lambda: self.fresh(template, kind), lambda node, said: self.verify(node, kind, said))

    def test_adopt(self):
        template = self.prepare("calico-ipam")
        kind = "host-local"
        self.step_through(kind, lambda: self.fresh(template, kind), lambda node, said: self.verify(node, kind, said))


class Storm(Owners):
    """Both plugins at once on one network, switched to and fro, with random SIGKILL."""

    WORKERS, SECONDS = 8, seeds.count("SWITCH_SECONDS", 20)
    # What a plugin may say when it gives nothing.
    FAIR = ("adopt them first", "no IP addresses available", "Assigned 0 out of 1", "duplicate allocation")

    def setUp(self):
        super().setUp()
        self.node, self.ledger = self.make(), ledger.Ledger()
        self.tally, self.over = collections.Counter(), threading.Event()
        # When everything that may matter to a fault was at work: (what, began, ended, how it ended).
        self.history = collections.defaultdict(list)

    def run_program(self, words, delay, config=b"", environment=None):
        """Runs to its end, or to SIGKILL after a delay. Returns (was it killed, answer)."""
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen(words, env=environment, **pipes)
        try:
            out, error = process.communicate(config, timeout=delay)
        except subprocess.TimeoutExpired:
            process.kill()
            out, error = process.communicate()
        return process.returncode == -signal.SIGKILL, plugin.Answer(process.returncode, out, error)

    def call(self, kind, verb, container, delay=None):
        config, began = plugin.encode(self.node.config(kind)), time.monotonic()
        dead, answer = self.run_program([program(kind)], delay, config, plugin.environment(verb, container=container))
        self.note(container, "%s by %s" % (verb, kind), began, dead, answer)
        return dead, answer

    def note(self, about, what, began, dead, answer):
        said = "killed" if dead else "status %d %s" % (answer.status, answer.stderr[-300:].decode(errors="replace"))
        self.history[about].append((what, began, time.monotonic(), said))

    def story(self, container):
        """What happened to a container, with the switches that were at work meanwhile."""
        calls = self.history[container]
        first, last = calls[0][1], calls[-1][2]
        switches = [one for one in self.history[None] if one[2] >= first and one[1] <= last]
        return ["%s %.4f-%.4f %s" % (what, began - first, ended - first, said)
                for what, began, ended, said in sorted(calls + switches, key=lambda one: one[1])]

    def delete(self, random, container):
        """DEL by either type until one succeeds, as a runtime does."""
        self.ledger.give_up(container)
        while True:
            kind = random.choice(["host-local", "calico-ipam"])
            dead, answer = self.call(kind, "DEL", container, random.uniform(0.001, 0.03) if random.random() < 0.2 else None)
            self.tally["DEL killed" if dead else "DEL"] += 1
            if answer.status == 0:
                return
            if not dead:
                self.ledger.complain("DEL of %s: %s" % (container, answer))
                return

    def work(self, number, random):
        living = []
        for turn in itertools.count():
            if self.over.is_set():
                return living
            if living and random.random() < 0.45:
                self.delete(random, living.pop(random.randrange(len(living))))
                continue
            container, kind = "w%d-%d" % (number, turn), random.choice(["host-local", "calico-ipam"])
            dead, answer = self.call(kind, "ADD", container, random.uniform(0.001, 0.03) if random.random() < 0.2 else None)
            if answer.status == 0:
                self.tally["ADD by " + kind] += 1
                self.ledger.returned(container, answer.addresses)
                living.append(container)
                continue
            self.tally["ADD killed" if dead else "ADD refused"] += 1
            if not dead and not any(text in answer.stdout.decode() for text in self.FAIR):
                self.ledger.complain("ADD of %s by %s: %s" % (container, kind, answer))
            self.delete(random, container)

    def switch(self, random):
        for kind in itertools.cycle(["calico-ipam", "host-local"]):
            if self.over.is_set():
                return
            delay = random.uniform(0.001, 0.05) if random.random() < 0.5 else None
            began = time.monotonic()
            dead, answer = self.run_program(self.node.command(kind), delay)
            self.note(None, "switch to " + kind, began, dead, answer)
            self.tally["switch to %s %s" % (kind, "killed" if dead else "done")] += 1
            if not dead and answer.status != 0 and b"nothing to adopt" not in answer.stderr:
                self.ledger.complain("switch to %s: %s" % (kind, answer))
            time.sleep(random.uniform(0, 0.2))

    def test_to_and_fro(self):
        random = seeds.source("the switch to and fro")
        with concurrent.futures.ThreadPoolExecutor(self.WORKERS + 1) as pool:
            workers = [pool.submit(self.work, number, seeds.child(random)) for number in range(self.WORKERS)]
            switcher = pool.submit(self.switch, seeds.child(random))
            time.sleep(self.SECONDS)
            self.over.set()
            living = [container for worker in workers for container in worker.result()]
            switcher.result()
        print(dict(self.tally))
        self.assertEqual(self.ledger.violations, [])
        for kind in ("ADD by host-local", "ADD by calico-ipam"):
            self.assertGreater(self.tally[kind], 0, "the storm was too short for anything to be switched")
        wanted = {address: container for address, container in self.ledger.owner.items()}
        self.assertEqual(sorted(wanted.values()), sorted(living))
        sides = set(self.node.reserved().values()) | set(self.node.assigned().values())
        odd = sides ^ set(living)
        self.assertOwners(self.node, wanted, "\n".join(line for one in sorted(odd) for line in [one, *self.story(one)]))
        for kind in ("calico-ipam", "host-local"):
            answer = self.node.adopt(kind)
            self.assertTrue(answer.status == 0 or b"nothing to adopt" in answer.stderr, str(answer))
            self.assertOwners(self.node, wanted)
        for container in living:
            self.assertSucceeds(self.node.call(random.choice(["host-local", "calico-ipam"]), "DEL", container))
        self.assertOwners(self.node, {})
        self.assertEqual(list(self.node.store.faults()), [])


if __name__ == "__main__":
    isolation.main()
