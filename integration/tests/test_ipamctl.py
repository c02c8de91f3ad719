#!/usr/bin/env python3
"""ipamctl host-local on reservations that the plugin made: who holds what, what is dead, and its release.

IPAMCTL names the tool. Containers are made up. Processes, namespaces and the runtimes' state are those of a machine of
the test's own, so nothing of the real host counts.
"""

import json
import os
import subprocess
import unittest
import uuid

import isolation
import namespaces
import plugin


class IPAMControlTest(plugin.PluginTest):
    """Reservations of two containers and of an old plugin, in one network."""

    def setUp(self):
        super().setUp()
        self.ipamctl = os.path.abspath(os.environ.get("IPAMCTL", ""))
        if not os.access(self.ipamctl, os.X_OK) or os.path.isdir(self.ipamctl):
            self.skipTest("IPAMCTL names no program: build the product ipamctl")
        self.wrapper = ()
        self.pods = self.network(sets=["10.1.2.0/24"])
        self.assertSucceeds(self.pods.add("web"))
        self.assertSucceeds(self.pods.add("db"))
        with open(os.path.join(self.pods.directory, "10.1.2.9"), "w", encoding="ascii") as file:
            file.write("ancient")

    def control(self, command, *arguments, status=0, prefix=(), stderr=None):
        """Runs a command on the test's data directory and returns what it printed.

        Nothing but the text `stderr`, if any, may be on standard error.
        """
        words = [self.ipamctl, "host-local", command, "--data-dir", self.data, *arguments]
        done = subprocess.run([*(prefix or self.wrapper), *words], capture_output=True, text=True)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        if stderr is None:
            self.assertEqual(done.stderr, "")
        else:
            self.assertIn(stderr, done.stderr)
        return done.stdout

    def document(self, command, *arguments, **options):
        return json.loads(self.control(command, *arguments, "--output", "json", **options))

    def rows(self, text):
        """The rows of a table by their first words, without the headings and what follows the table."""
        table = text.split("\n\n")[0].splitlines()
        self.assertEqual(table[0].split()[0], "ADDRESS")
        return {row.split()[0]: row.split()[1:] for row in table[1:]}

    def assertUnchanged(self, before):
        self.assertEqual(plugin.read_directory(self.pods.directory), before)

    def assertHeld(self, *addresses):
        self.assertEqual(sorted(self.pods.reservations()), sorted(addresses))


class ShowTest(IPAMControlTest):
    def test_show_lists_holders_by_network_and_address(self):
        self.assertSucceeds(self.network(name="blue", sets=["2001:db8:1::/64"]).add("web", interface="net1"))
        before = plugin.read_directory(self.pods.directory)
        text = self.control("show")
        rows = self.rows(text)
        self.assertEqual(list(rows), ["2001:db8:1::2", "10.1.2.2", "10.1.2.3", "10.1.2.9"])
        self.assertEqual(rows["2001:db8:1::2"][:3], ["web", "net1", "blue"])
        self.assertEqual(rows["10.1.2.3"][:3], ["db", "eth0", "pods"])
        self.assertEqual(rows["10.1.2.9"][:3], ["ancient", "-", "pods"])
        self.assertRegex(rows["10.1.2.2"][3], r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$")
        self.assertIn("pods: 3 reservations; reserved last: 10.1.2.3 (set 0)", text)
        self.assertIn("blue: 1 reservation; reserved last: 2001:db8:1::2 (set 0)", text)
        self.assertUnchanged(before)

    def test_show_as_json(self):
        document = self.document("show", "--network", "pods")
        self.assertEqual([network["name"] for network in document["networks"]], ["pods"])
        network = document["networks"][0]
        self.assertEqual(network["cursors"], [{"set": 0, "address": "10.1.2.3"}])
        first = network["reservations"][0]
        self.assertRegex(first.pop("since"), r"Z$")
        expected = {"address": "10.1.2.2", "container": "web", "interface": "eth0"}
        self.assertEqual(first, {**expected, "damaged": False, "earlierBoot": False})

    def test_a_damaged_entry_is_marked_and_left_to_the_plugin(self):
        with open(os.path.join(self.pods.directory, "10.1.2.7"), "w", encoding="ascii"):
            pass
        self.assertEqual(self.rows(self.control("show"))["10.1.2.7"][:2], ["(damaged)", "-"])
        self.assertEqual(self.pods.reservations()["10.1.2.7"], b"")

    def test_bad_input_is_refused_and_changes_nothing(self):
        before = plugin.read_directory(self.pods.directory)
        self.control("show", "--network", "web", status=1, stderr="the networks there are: pods")
        self.control("show", "--network", "../pods", status=64, stderr="is no network name")
        self.control("show", "--output", "xml", status=64, stderr="xml")
        self.control("gc", "--interval", "0", "--apply", status=64, stderr="--interval must be 1 second or more")
        self.control("release", "10.1.2.2", "--apply", status=64, stderr="--network")
        self.control("release", "10.1.2", "--network", "pods", "--apply", status=64, stderr="no IP address")
        self.control("release", "10.1.2.77", "--network", "pods", "--apply", status=1, stderr="is not reserved")
        self.assertUnchanged(before)
        self.data += "/missing"
        self.control("check", status=1, stderr="no such file or directory")

    def test_who_may_not_read_is_told_so(self):
        isolation.require_second_user()
        os.chmod(self.temporary, 0o755)
        other = ("setpriv", "--reuid", "65534", "--regid", "65534", "--clear-groups")
        for command in ("show", "check", "gc"):
            with self.subTest(command):
                self.control(command, prefix=other, status=1, stderr="permission denied; run it as root")


class LivenessTest(IPAMControlTest):
    """On a machine with processes, namespaces and a `/run` of its own; `web` has its address in a live namespace."""

    def setUp(self):
        super().setUp()
        self.machine = namespaces.Machine(self, ("/run", "/var/lib"))
        self.wrapper = ("nsenter", "--target", self.machine.first, "--mount", "--net", "--pid")
        self.give_address("web", "10.1.2.2/24")

    def inside(self, *command):
        done = self.machine.run(*command)
        self.assertEqual(done.returncode, 0, "%s: %s" % (" ".join(command), done.stdout))

    def give_address(self, name, address):
        """Configures the address in a new network namespace that no process is in."""
        self.inside("ip", "netns", "add", name)
        self.inside("ip", "-n", name, "address", "add", address, "dev", "lo")
        self.inside("ip", "-n", name, "link", "set", "lo", "up")

    def add_runtime(self, *containers):
        self.inside("mkdir", "-p", "/run/runc", *("/run/runc/" + name for name in containers))

    def states(self, **options):
        document = self.document("check", **options)
        return {item["address"]: item["state"] for item in document["networks"][0]["reservations"]}

    def reasons(self, address, **options):
        document = self.document("check", **options)
        for item in document["networks"][0]["reservations"]:
            if item["address"] == address:
                return [reason["code"] for reason in item["reasons"]]
        return None

    def test_a_host_without_runtimes_knows_nothing_of_the_dead(self):
        self.assertEqual(self.states(), {"10.1.2.2": "alive", "10.1.2.3": "unknown", "10.1.2.9": "unknown"})
        self.assertIn("Nothing to release", self.control("gc", "--apply"))

    def test_check_tells_why(self):
        self.add_runtime("ancient")
        expected = {"10.1.2.2": "alive", "10.1.2.3": "dead", "10.1.2.9": "alive"}
        self.assertEqual(self.states(status=1), expected)
        self.assertEqual(self.reasons("10.1.2.2", status=1), ["addressConfigured"])
        self.assertEqual(self.reasons("10.1.2.3", status=1), ["containerUnknown", "addressConfiguredNowhere"])
        self.assertEqual(self.reasons("10.1.2.9", status=1), ["containerKnown"])
        text = self.control("check", status=1)
        self.assertIn("its address is configured in the network namespace /run/netns/web", text)
        self.assertIn("a runtime knows the container (/run/runc/ancient)", text)
        self.assertIn("pods: 2 alive, 1 dead, 0 unknown, 0 damaged", text)

    def test_the_namespace_that_libcni_noted_decides_without_a_runtime(self):
        note = {"kind": "cniCacheV1", "containerId": "db", "ifName": "eth0", "networkName": "pods"}
        note["netns"] = "/run/netns/db"
        path = os.path.join(self.temporary, "note")
        with open(path, "w", encoding="ascii") as file:
            json.dump(note, file)
        self.inside("mkdir", "-p", "/var/lib/cni/results")
        self.inside("cp", path, "/var/lib/cni/results/pods-db-eth0")
        self.assertEqual(self.reasons("10.1.2.3", status=1), ["namespaceGone", "addressConfiguredNowhere"])
        self.give_address("db", "192.0.2.9/24")
        self.assertEqual(self.reasons("10.1.2.3"), ["namespaceRemains"])

    def test_what_was_recorded_in_an_earlier_boot_is_dead(self):
        if not os.path.exists("/etc/machine-id"):
            self.skipTest("this machine has no /etc/machine-id, so nothing is recorded of its boots")
        recording = {**self.pods.config()["ipam"], "reclaimAfterReboot": True}
        self.assertSucceeds(self.pods.add("late", more={"ipam": recording}))
        self.assertEqual(self.states()["10.1.2.4"], "unknown")
        identity = os.path.join(self.temporary, "boot_id")
        with open(identity, "w", encoding="ascii") as file:
            file.write("%s\n" % uuid.uuid4())
        self.inside("mount", "--bind", identity, "/proc/sys/kernel/random/boot_id")
        self.assertEqual(self.reasons("10.1.2.4", status=1), ["earlierBoot", "addressConfiguredNowhere"])
        self.assertEqual(self.states(status=1)["10.1.2.2"], "alive")
        self.control("gc", "--interval", "1", "--apply")
        self.assertHeld("10.1.2.2")

    def test_gc_shows_first_and_releases_the_dead_only(self):
        self.add_runtime("ancient")
        before = plugin.read_directory(self.pods.directory)
        text = self.control("gc", "--interval", "1")
        self.assertIn("would release 10.1.2.3 of network 'pods': container db, interface eth0; dead: ", text)
        self.assertIn("Nothing was changed", text)
        document = self.document("gc", "--interval", "1")
        chosen = [(item["address"], item["released"]) for item in document["reservations"]]
        self.assertEqual(chosen, [("10.1.2.3", False)])
        self.assertUnchanged(before)
        released = self.control("gc", "--interval", "1", "--apply").splitlines()
        self.assertEqual(len(released), 1, released)
        self.assertRegex(released[0], r"^released 10\.1\.2\.3 .*no runtime knows the container")
        self.assertHeld("10.1.2.2", "10.1.2.9")
        self.assertEqual(self.document("gc", "--interval", "1", "--apply")["reservations"], [])

    def test_the_plugin_gives_out_again_what_gc_released(self):
        self.add_runtime("ancient")
        log = self.document("gc", "--interval", "1", "--apply", stderr="released 10.1.2.3 of network 'pods'")
        self.assertEqual([item["released"] for item in log["reservations"]], [True])
        taken = ["10.1.2.%d" % last for last in range(4, 255) if last != 9]
        given = [self.assertSucceeds(self.pods.add("new-%s" % address)).addresses[0] for address in taken]
        self.assertEqual(given, taken)
        self.assertEqual(self.assertSucceeds(self.pods.add("last")).addresses, ["10.1.2.3"])

    def test_gc_keeps_to_its_budget(self):
        self.add_runtime()
        text = self.control("gc", "--interval", "1", "--max-releases", "1", "--apply")
        self.assertIn("1 more look dead", text)
        self.assertHeld("10.1.2.2", "10.1.2.9")

    def test_release_is_vetoed_by_a_live_namespace(self):
        before = plugin.read_directory(self.pods.directory)
        both = ("10.1.2.2", "10.1.2.3", "--network", "pods")
        for flags in ((), ("--apply",)):
            self.control("release", *both, *flags, status=1, stderr="10.1.2.2 is configured in the network namespace")
        self.assertUnchanged(before)
        self.assertIn("released 10.1.2.2", self.control("release", *both, "--apply", "--even-if-alive"))
        self.assertHeld("10.1.2.9")

    def test_release_by_container(self):
        before = plugin.read_directory(self.pods.directory)
        chosen = ("--container", "db", "--interface", "eth0", "--network", "pods")
        self.assertFalse(self.document("release", *chosen)["applied"])
        self.assertUnchanged(before)
        self.assertIn("released 10.1.2.3", self.control("release", *chosen, "--apply"))
        self.control("release", *chosen, "--apply", status=1, stderr="container 'db', interface 'eth0' holds nothing")
        self.control("release", "--container", "ancient", "--network", "pods", "--apply")
        self.assertHeld("10.1.2.2")


class VersionTest(unittest.TestCase):
    def test_version(self):
        if not os.access(os.environ.get("IPAMCTL", ""), os.X_OK):
            self.skipTest("IPAMCTL names no program: build the product ipamctl")
        done = subprocess.run([os.environ["IPAMCTL"], "--version"], capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stderr), (0, ""))
        self.assertRegex(done.stdout, r"^ipamctl \d+\.\d+\.\d+\n$")


if __name__ == "__main__":
    isolation.main()
