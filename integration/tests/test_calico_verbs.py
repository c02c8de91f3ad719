#!/usr/bin/env python3
"""The verbs that upstream's calico-ipam lacks: CHECK that looks, GC and STATUS; and both families or none."""

import contextlib
import os
import re
import shutil
import sqlite3
import subprocess

import calico
import isolation


class Check(calico.CalicoTest):
    def previous(self, answer):
        return {"prevResult": answer.document}

    def test_held_addresses(self):
        for version in ("0.4.0", "1.0.0", "1.1.0"):
            with self.subTest(version=version):
                network = self.network(version=version, assign_ipv6="true")
                added = self.assertSucceeds(network.add())
                with self.unchanged():
                    self.assertSucceeds(network.check())
                    self.assertSucceeds(network.check(more=self.previous(added)))
                self.assertSucceeds(network.delete())
                with self.unchanged():
                    text = "no address is assigned to container c1"
                    self.assertFails(network.check(), 999, text)
                    self.assertFails(network.check(more=self.previous(added)), 999, text)

    def test_other_addresses_than_expected(self):
        """The runtime expects what another container has."""
        mine, others = self.assertSucceeds(self.net.add("c1")), self.assertSucceeds(self.net.add("c2"))
        answer = self.assertFails(self.net.check("c1", more=self.previous(others)), 999, "does not hold")
        self.assertIn(others.addresses[0], answer.document["msg"])
        self.assertIn(mine.addresses[0], answer.document["details"])

    def test_address_that_was_released_and_given_away(self):
        added = self.assertSucceeds(self.net.add("c1", arguments="IP=192.168.7.7"))
        self.assertSucceeds(self.net.delete("c1"))
        self.assertSucceeds(self.net.add("c2", arguments="IP=192.168.7.7"))
        self.assertFails(self.net.check("c1", more=self.previous(added)), 999, "no address is assigned")
        self.assertSucceeds(self.net.check("c2", more=self.previous(added)))


class Status(calico.CalicoTest):
    def files(self):
        return sorted(os.path.relpath(os.path.join(top, name), self.temporary)
                      for top, folders, names in os.walk(self.temporary) for name in folders + names)

    def test_usable_store(self):
        before = self.files()
        with self.unchanged():
            self.assertSucceeds(self.net.status())
        left = [name for name in self.files() if name not in before and not re.search(r"-(wal|shm)$", name)]
        self.assertEqual(left, [])

    def test_missing_store(self):
        """STATUS does not make a store, nor its directory, and says that there are no pools."""
        for path in (os.path.join(self.temporary, "other.db"), os.path.join(self.temporary, "no", "such", "ipam.db")):
            before = self.files()
            self.assertFails(self.net.status(more={"database_file": path}), 50)
            self.assertEqual(self.files(), before)

    def test_nothing_is_locked_or_created(self):
        """No lock is taken, no file made for writing, nothing below /run touched."""
        if shutil.which("strace") is None:
            self.skipTest("strace is missing (package strace)")
        log = os.path.join(self.temporary, "trace")
        strace = ["strace", "-f", "-qq", "-o", log, "-y", "-e", "trace=%file,flock,fcntl"]
        # A connection that is open elsewhere has made the log, as in a store in use.
        with self.store.open() as connection:
            connection.execute("SELECT count(*) FROM entries").fetchone()
            answer = self.net.status(wrapper=strace)
        self.assertSucceeds(answer)
        with open(log, encoding="utf-8", errors="replace") as file:
            calls = file.read().splitlines()
        # SQLite names the flag when it opens the log that is there.
        created = [call for call in calls if "O_CREAT" in call and not re.search(r"-(wal|shm)\"", call)]
        made = created + [call for call in calls if re.search(r"\b(mkdir|mknod|rename|unlink)", call)]
        self.assertEqual(made, [])
        self.assertEqual([call for call in calls if "flock(" in call or "/run/" in call], [])
        # SQLite's readers share a byte of the log's index; nobody may hold one alone.
        self.assertEqual([call for call in calls if "F_WRLCK" in call and self.path + "-shm" in call], [])

    def test_reader_does_not_disturb_a_locked_store(self):
        """While another process holds both locks, STATUS and CHECK answer at once."""
        added = self.assertSucceeds(self.net.add())
        for lock in (self.net.lock, self.path + ".lock"):
            holder = hold(lock)
            self.addCleanup(release, holder)
        self.assertSucceeds(self.net.status(wrapper=["timeout", "5"]))
        self.assertSucceeds(self.net.check(more={"prevResult": added.document}, wrapper=["timeout", "5"]))

    def test_no_pool(self):
        self.store.remove_pool(calico.V4)
        self.assertFails(self.net.status(), 50, "ippool")
        self.assertFails(self.network(ipv4_pools=["nowhere"]).status(), 50, "nowhere")

    def test_pool_for_other_nodes(self):
        self.store.add_pool(calico.V4, nodeSelector="has(rack)")
        self.assertFails(self.net.status(), 50, "no configured Calico pools for node node-a")

    def test_node_that_does_not_exist(self):
        self.assertFails(self.network(node="nowhere").status(), 50, "Node(nowhere)")

    def test_family_that_is_off_is_not_looked_at(self):
        self.store.remove_pool(calico.V6)
        self.assertSucceeds(self.net.status())
        self.assertFails(self.network(assign_ipv6="true").status(), 50)

    def test_wrong_configuration(self):
        self.assertFails(self.network(assign_ipv4=True).status(), text="cannot unmarshal bool")

    def test_garbage_in_place_of_the_store(self):
        path = os.path.join(self.temporary, "garbage.db")
        with open(path, "wb") as file:
            file.write(b"garbage" * 1000)
        self.assertFails(self.net.status(more={"database_file": path}), 50, "is not an SQLite file")


class Collection(calico.CalicoTest):
    nodes = ("node-a", "node-b")

    def test_stale_are_released_and_living_kept(self):
        network = self.network(assign_ipv6="true")
        for container in ("live-1", "live-2", "stale-1", "stale-2"):
            self.assertSucceeds(network.add(container))
        stale = self.store.held("stale-1") + self.store.held("stale-2")
        answer = self.assertSucceeds(network.collect(["live-1", "live-2"]))
        for address in stale:
            self.assertIn("released %s of net1.stale-" % address, answer.stderr.decode())
        self.assertEqual(sorted(self.store.handles()), ["net1.live-1", "net1.live-2"])
        with self.unchanged():
            self.assertEqual(self.assertSucceeds(network.collect(["live-1", "live-2"])).stderr, b"")
        self.assertSucceeds(network.collect([]))
        self.assertEqual(self.store.handles(), {})

    def test_any_interface_keeps_a_container(self):
        """Handles name no interface, so one valid attachment keeps all that the container has."""
        self.assertSucceeds(self.net.add("live", interface="eth0"))
        valid = [{"containerID": "live", "ifname": "net7"}]
        with self.unchanged():
            self.assertSucceeds(self.net.collect([], more={"cni.dev/valid-attachments": valid}))

    def test_containers_with_dots_are_reported_and_kept(self):
        """net1.a.b may be container a.b of net1 or container b of net1.a."""
        self.assertSucceeds(self.net.add("a.b"))
        self.assertSucceeds(self.network(name="net1.x").add("y"))
        with self.unchanged():
            answer = self.assertSucceeds(self.net.collect([]))
        for handle in ("net1.a.b", "net1.x.y"):
            self.assertIn("handle %s is ambiguous" % handle, answer.stderr.decode())
        with self.unchanged():
            answer = self.assertSucceeds(self.net.collect(["a.b"]))
        self.assertNotIn("net1.a.b", answer.stderr.decode())

    def test_other_networks_are_kept(self):
        for name in ("net2", "net", "net11"):
            self.assertSucceeds(self.network(name=name).add("c1"))
        with self.unchanged():
            self.assertSucceeds(self.net.collect([]))

    def test_other_nodes_are_kept(self):
        """What another node's containers have is that node's to collect, also from a block of this one."""
        self.assertSucceeds(self.network(node="node-b").add("theirs"))
        self.assertSucceeds(self.net.add("ours"))
        (ours,) = self.store.held("ours")
        borrowed = ours.rsplit(".", 1)[0] + "." + str(int(ours.rsplit(".", 1)[1]) ^ 1)
        self.assertSucceeds(self.network(node="node-b").add("borrower", arguments="IP=" + borrowed))
        self.assertSucceeds(self.net.collect([]))
        self.assertEqual(sorted(self.store.handles()), ["net1.borrower", "net1.theirs"])
        self.assertSucceeds(self.network(node="node-b").collect([]))
        self.assertEqual(self.store.handles(), {})

    def test_foreign_handles_are_kept(self):
        """Tunnel addresses and whatever else is under other handles are nobody's containers."""
        self.store.fill(2, "192.168.5.0/26")
        block = self.store.value(calico.block_path("192.168.5.0/26"))
        block["attributes"][0] = {"handle_id": "vxlan-tunnel-addr-node-a", "secondary": {"node": "node-a"}}
        del block["attributes"][1]["handle_id"]
        self.store.put_all(
            {
                calico.block_path("192.168.5.0/26"): block,
                calico.HANDLES + "net1.full-0": None,
                calico.HANDLES + "net1.full-1": None,
                calico.HANDLES + "vxlan-tunnel-addr-node-a": {"block": {"192.168.5.0/26": 1}, "deleted": False},
            }
        )
        with self.unchanged():
            self.assertSucceeds(self.net.collect([]))

    def test_lists_that_cannot_be_believed(self):
        """A list that is missing, null or malformed is an error, and nothing is released."""
        self.assertSucceeds(self.net.add())
        key = "cni.dev/valid-attachments"
        with self.unchanged():
            self.assertFails(self.net.call("GC", more={"cniVersion": "1.1.0"}), 7, "GC needs the list")
            for value in (None, {}, "c1", 1, True, ["c1"], [None], [{}], [{"containerID": "c1"}], [{"ifname": "eth0"}],
                          [{"containerID": 1, "ifname": "eth0"}], [{"containerID": "", "ifname": "eth0"}]):
                with self.subTest(value=value):
                    self.assertFails(self.net.collect([], more={key: value}), 7, "valid-attachments")

    def test_turned_off(self):
        self.assertSucceeds(self.net.add())
        with self.unchanged():
            self.assertSucceeds(self.network(gc=False).collect([]))

    def test_missing_store(self):
        """Without a store there is nothing to collect, and none is made."""
        path = os.path.join(self.temporary, "other.db")
        self.assertSucceeds(self.net.collect([], more={"database_file": path}))
        self.assertFalse(os.path.exists(path))

    def test_thousand_handles(self):
        """A thousand stale containers go in one call."""
        for number in range(16):
            self.store.fill(64, "192.168.%d.0/26" % number, first=64 * number)
        self.assertSucceeds(self.net.collect(["full-7"]))
        self.assertEqual(list(self.store.handles()), ["net1.full-7"])


class BothOrNone(calico.CalicoTest):
    def assertNothingTaken(self, answer, family):
        self.assertFails(answer, 999, "failed to request IPv%d addresses: Assigned 0 out of 1" % family)
        self.assertHolds("new", [])
        self.assertNotIn("net1.new", self.store.handles())

    def full(self, keep, small, block_size, family):
        """One family's pool full, the other's not."""
        self.store.remove_pool(calico.V4 if family == 4 else calico.V6)
        self.store.add_pool(small, blockSize=block_size)
        only = {"assign_ipv4": "true" if family == 4 else "false", "assign_ipv6": "true" if family == 6 else "false"}
        for number in range(2):
            self.assertSucceeds(self.network(**only).add("c%d" % number))
        before = self.store.allocations()
        network = self.network(assign_ipv6="true")
        for _ in range(2):
            self.assertNothingTaken(network.add("new"), family)
        self.assertEqual(self.store.allocations(), before)
        self.assertSucceeds(network.delete("c0"))
        self.assertEqual(len(self.assertSucceeds(network.add("new")).addresses), 2)

    def test_v4_full(self):
        self.full(calico.V6, "10.7.0.0/31", 31, 4)

    def test_v6_full(self):
        self.full(calico.V4, "fd07::/127", 127, 6)

    def test_both_in_one_commit(self):
        """Both families, with their handle, are of one revision of the store."""
        self.assertSucceeds(self.network(assign_ipv6="true").add())
        with self.store.open() as connection:
            query = "SELECT DISTINCT revision FROM entries WHERE path LIKE '/calico/ipam/v2/%'"
            self.assertEqual(len(connection.execute(query).fetchall()), 1)


class Evidence(calico.CalicoTest):
    """What can prove later that an attachment ended is recorded with its addresses, and goes with them."""

    def test_recorded_and_forgotten(self):
        namespace = os.path.join(self.temporary, "namespace")
        with open(namespace, "wb"):
            pass
        self.assertSucceeds(self.net.add("c1", namespace=namespace))
        self.assertSucceeds(self.net.add("c2", namespace="/nowhere", interface="net1"))
        first, second = self.store.evidence()
        with open("/proc/sys/kernel/random/boot_id", encoding="ascii") as file:
            boot = file.read().strip()
        status = os.stat(namespace)
        self.assertEqual(
            [first[key] for key in ("handle", "interface", "network", "container", "boot_id", "namespace_path")],
            ["net1.c1", "eth0", "net1", "c1", boot, namespace],
        )
        self.assertEqual((first["namespace_device"], first["namespace_inode"]), (status.st_dev, status.st_ino))
        self.assertEqual((second["handle"], second["interface"]), ("net1.c2", "net1"))
        self.assertEqual((second["namespace_device"], second["namespace_inode"]), (None, None))
        self.assertSucceeds(self.net.delete("c1"))
        self.assertEqual([row["handle"] for row in self.store.evidence()], ["net1.c2"])
        self.assertSucceeds(self.net.collect([]))
        self.assertEqual(self.store.evidence(), [])

    def test_nothing_is_recorded_of_a_failure(self):
        self.store.remove_pool(calico.V6)
        self.assertFails(self.network(assign_ipv6="true").add())
        self.assertFails(self.net.add(arguments="IP=10.9.9.9"))
        self.assertEqual(self.store.evidence(), [])


def hold(path):
    """A process that holds a lock until `release`."""
    os.makedirs(os.path.dirname(path), exist_ok=True)
    holder = subprocess.Popen(
        ["flock", "--no-fork", path, "sh", "-c", "echo held; exec cat"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    if holder.stdout.readline() != b"held\n":
        raise AssertionError("the lock %s cannot be held" % path)
    return holder


def release(holder):
    holder.communicate()


class EarlierBoots(calico.CalicoTest):
    """What an earlier boot left goes when addresses run out, if the configuration says so; nothing else does."""

    def setUp(self):
        super().setUp()
        self.directory = os.path.join(self.temporary, "boots")
        os.mkdir(self.directory)
        store = calico.Store.make(os.path.join(self.directory, "ipam.db"), pools=())
        store.add_pool("10.63.0.0/30", blockSize=30)
        self.full = calico.Network(self.directory)
        for container in ("old-1", "old-2", "kept-1", "kept-2"):
            self.assertSucceeds(self.full.add(container))
        with contextlib.closing(sqlite3.connect(store.path)) as database, database:
            database.execute("UPDATE attachments SET boot_id = 'another' WHERE container LIKE 'old-%'")
            # Another boot of another machine proves nothing.
            change = "UPDATE attachments SET boot_id = 'another', machine_id = 'other' WHERE container = 'kept-2'"
            database.execute(change)

    def test_nothing_is_released_unless_asked_for(self):
        self.assertFails(self.full.add("new"), 999, "Assigned 0 out of 1")

    def test_released_on_proof(self):
        network = calico.Network(self.directory, releaseAfterReboot=True)
        self.assertSucceeds(network.add("new"))
        self.assertFails(self.full.check("old-1"), 999)
        self.assertFails(self.full.check("old-2"), 999)
        for container in ("kept-1", "kept-2", "new"):
            self.assertSucceeds(self.full.check(container))
        self.assertSucceeds(network.add("newer"))
        self.assertFails(network.add("too-many"), 999, "Assigned 0 out of 1")


if __name__ == "__main__":
    isolation.main()
