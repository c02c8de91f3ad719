#!/usr/bin/env python3
"""Kills, restarts, a datastore that fails, missing rights: routes are right or left alone, and it is said once."""

import os
import shutil
import signal
import time

import agents
import calico
import iproute
import isolation
import nodes
import seeds
import waiting


class Faults(nodes.RoutesTest):
    pool = {"vxlanMode": "CrossSubnet"}

    def setUp(self):
        super().setUp()
        self.net = self.build()
        self.node = self.net[1]

    def assertAll(self, seconds=15):
        for family in (4, 6):
            self.assertRoutes(self.node, nodes.cross_subnet(1, family), family, seconds)

    def follow(self, part, seconds=15):
        """A new block is routed: the agent follows the datastore."""
        cidr = "10.65.%d.0/26" % part
        self.change(nodes.block_entries(cidr, "n2"))
        self.assertRoutes(self.node, [*nodes.cross_subnet(1), nodes.direct(2, destination=cidr)], seconds=seconds)
        self.change(dict.fromkeys(nodes.block_entries(cidr, "n2")))
        self.assertAll(seconds)


class Restarts(Faults):
    def test_a_clean_stop_leaves_the_routes(self):
        agent = self.start(1)
        self.assertAll()
        monitor = iproute.Monitor(self, self.node.host)
        agent.stop()
        self.assertAll(1)
        self.assertEqual(monitor.deleted(), [])
        self.assertIsNotNone(iproute.link(self.node.host, "vxlan.calico"))

    def test_a_restart_with_all_routes_there_sends_none(self):
        """IPv4: not one message. IPv6: at most what is there, again."""
        agent = self.start(1)
        self.assertAll()
        agent.kill()
        monitor = iproute.Monitor(self, self.node.host)
        agent.start()
        told = [text for _, text in monitor.routes()]
        self.assertEqual([text for text in told if "10.65." in text], [])
        self.assertLessEqual(set(told), set(self.kernel_lines(6)))
        self.assertAll(1)

    def kernel_lines(self, family):
        done = self.node.host.run("ip", "-%d" % family, "route", "show")
        return [" ".join(text.split()) for text in done.splitlines()]

    def test_R12_what_changed_while_the_agent_was_dead_is_put_right(self):
        """Only what changed: what is still wanted is neither deleted nor sent again."""
        agent = self.start(1)
        self.change(nodes.block_entries("10.65.40.0/26", "n2"), nodes.block_entries("10.65.41.0/26", "n3"))
        extra = [nodes.direct(2, destination="10.65.40.0/26"), nodes.tunnelled(3, destination="10.65.41.0/26")]
        self.assertRoutes(self.node, [*nodes.cross_subnet(1), *extra])
        agent.kill()
        monitor = iproute.Monitor(self, self.node.host)
        gone = dict.fromkeys(nodes.block_entries("10.65.40.0/26", "n2"))
        moved = {calico.affinity_path("n3", "10.65.41.0/26"): None}
        self.change(gone, moved, nodes.block_entries("10.65.41.0/26", "n2"), nodes.block_entries("10.65.42.0/26", "n1"))
        agent.start()
        extra = [nodes.direct(2, destination="10.65.41.0/26"), "blackhole 10.65.42.0/26"]
        self.assertRoutes(self.node, [*nodes.cross_subnet(1), *extra])
        self.assertEqual(len([text for text in monitor.deleted() if "10.65." in text]), 1)
        touched = {text.split()[0] for text in monitor.changed() if text.startswith("10.65.")}
        self.assertEqual(touched, {"10.65.41.0/26"}, "and 10.65.42.0/26, a blackhole")

    def test_killed_at_any_point_while_the_world_changes(self):
        """After every kill the next agent ends with what the datastore says, and no wanted key was ever deleted."""
        chance = seeds.source("kills of the agent")
        monitor = iproute.Monitor(self, self.node.host)
        owners = {}
        for _ in range(seeds.count("KILLS", 25)):
            agent = self.node.start(is_ready=False)
            for _ in range(chance.randrange(1, 4)):
                self.change_owner(owners, chance)
                if chance.random() < 0.3:
                    self.node.ip("route", "del", nodes.block(2), check=False)
                if chance.random() < 0.2:
                    self.node.ip("link", "del", "vxlan.calico", check=False)
                time.sleep(chance.random() * 0.15)
            agent.kill()
        agent = self.node.start()
        expected = nodes.cross_subnet(1) + [self.line(cidr, owner) for cidr, owner in owners.items()]
        self.assertRoutes(self.node, expected, seconds=30)
        self.assertRoutes(self.node, nodes.cross_subnet(1, 6), 6)
        kept = [text for text in monitor.deleted() if "blackhole " + nodes.block(1) in text]
        self.assertEqual(kept, [], "the own block's blackhole was wanted all the time")

    def change_owner(self, owners, chance):
        """A block comes, moves or goes."""
        cidr = "10.65.%d.0/26" % chance.randrange(50, 70)
        old, new = owners.pop(cidr, None), chance.choice((None, 1, 2, 3))
        entries = dict.fromkeys(nodes.block_entries(cidr, nodes.name(old))) if old else {}
        if new:
            owners[cidr] = new
            entries.update(nodes.block_entries(cidr, nodes.name(new)))
        if entries:
            self.change(entries)

    def line(self, cidr, owner):
        if owner == 1:
            return "blackhole " + cidr
        return (nodes.direct if owner == 2 else nodes.tunnelled)(owner, destination=cidr)

    def test_a_reboot_restores_everything(self):
        agent = self.start(1)
        self.assertAll()
        agent.kill()
        self.node = self.net.rebuild(1)
        self.assertEqual(self.node.routes(), [])
        self.node.start()
        self.assertAll()
        self.assertEqual(set(iproute.forwarding(self.node.host, "vxlan.calico").values()), {"172.30.1.12", "172.30.2.13"})

    def another(self, first, **options):
        """A second agent for the same node, with a log of its own."""
        second = agents.Agent(self, self.node.host, **{**first.options, **options})
        second.log_path += ".second"
        return second

    def test_two_agents_on_one_node_do_not_fight(self):
        first = self.start(1)
        self.assertAll()
        monitor = iproute.Monitor(self, self.node.host)
        second = self.another(first, listen="127.0.0.1:9099")
        second.start(is_ready=False)
        self.assertStay(self.node, nodes.cross_subnet(1), 3)
        self.follow(77)
        changed = [text for text in monitor.deleted() + monitor.changed() if "10.65." in text and "10.65.77." not in text]
        self.assertEqual(changed, [])
        self.assertLess(len(monitor.routes()), 20, "they fight")
        for agent in (first, second):
            lines = agent.log().splitlines()
            self.assertLess(len(lines), 40, agent.log())

    def test_a_taken_port_is_said_once_and_routing_goes_on(self):
        first = self.start(1)
        self.assertAll()
        second = self.another(first)
        second.start(is_ready=False)
        waiting.until(lambda: second.said("9098"), lambda: second.log())
        first.kill()
        self.follow(78)
        self.assertLessEqual(len(second.said("9098")), 2, second.log())


class Datastore(Faults):
    """The datastore fails; what the kernel has stays, and is still defended."""

    def files(self):
        return [path for path in (self.database + suffix for suffix in ("", "-wal", "-shm")) if os.path.exists(path)]

    def move(self, back=False):
        away = os.path.join(self.temporary, "away")
        os.makedirs(away, exist_ok=True)
        source = away if back else self.temporary
        for name in os.listdir(source):
            if name.startswith("ipam.db"):
                os.rename(os.path.join(source, name), os.path.join(self.temporary if back else away, name))

    def repaired(self):
        """A stranger's deletion is still put right."""
        self.node.ip("route", "del", nodes.block(2), "proto", "84")
        self.assertAll()

    def test_R24_a_datastore_that_is_away_for_a_while(self):
        agent = self.start(1, deletion_valve_confirmation=1)
        self.assertAll()
        monitor = iproute.Monitor(self, self.node.host)
        self.move()
        self.assertStay(self.node, nodes.cross_subnet(1), 5)
        self.repaired()
        self.move(back=True)
        self.follow(79, 60)
        self.assertEqual([text for text in monitor.deleted() if "10.65.79." not in text and nodes.block(2) not in text], [])
        self.assertLess(len(agent.log().splitlines()), 40, agent.log())

    def test_a_datastore_that_cannot_be_read_is_said_once(self):
        """The file is there, and is not a datastore any more."""
        agent = self.start(1)
        self.assertAll()
        lines = len(agent.log().splitlines())
        self.move()
        with open(self.database, "wb") as file:
            file.write(b"this is not a database" * 400)
        waiting.until(lambda: agent.conditions("SourceInterrupted"), lambda: "nothing is said\n" + agent.log(), 30)
        self.assertStay(self.node, nodes.cross_subnet(1), 4)
        self.repaired()
        said = agent.log().splitlines()[lines:]
        self.assertTrue(1 <= len([line for line in said if "ipam.db" in line]) <= 2, "\n".join(said))
        os.unlink(self.database)
        self.move(back=True)
        self.follow(80, 60)
        self.assertNoCondition(agent, "SourceInterrupted")

    def test_an_agent_that_starts_without_a_datastore_leaves_the_routes(self):
        agent = self.start(1)
        self.assertAll()
        agent.kill()
        self.move()
        monitor = iproute.Monitor(self, self.node.host)
        # An empty listing would be believed soon.
        agent.start(is_ready=False, deletion_valve_confirmation=1)
        self.assertStay(self.node, nodes.cross_subnet(1), 5)
        self.assertNotEqual(agent.get("/readyz")[0], 200)
        self.assertTrue(agent.is_running, agent.log())
        self.assertEqual(monitor.routes(), [])
        self.move(back=True)
        self.follow(81, 60)
        waiting.until(agent.is_ready, "not ready")

    def test_R24_an_emptied_datastore_removes_nothing(self):
        """All blackholes would go: the agent asks again before it believes that."""
        agent = self.start(1, deletion_valve_confirmation=600)
        self.assertAll()
        monitor = iproute.Monitor(self, self.node.host)
        entries = self.store.entries("/calico/")
        self.store.put_all(dict.fromkeys(entries))
        self.assertCondition(agent, "DeletionsHeld")
        self.assertStay(self.node, nodes.cross_subnet(1), 3)
        self.store.put_all(entries)
        self.assertNoCondition(agent, "DeletionsHeld")
        self.follow(82)
        self.assertEqual([text for text in monitor.deleted() if "10.65.82." not in text], [])

    def test_R24_a_datastore_that_stays_empty_is_believed(self):
        agent = self.start(1, deletion_valve_confirmation=2)
        self.assertAll()
        self.store.put_all(dict.fromkeys(self.store.entries("/calico/")))
        self.assertCondition(agent, "DeletionsHeld")
        for family in (4, 6):
            self.assertRoutes(self.node, [], family, seconds=60)

    def test_a_malformed_object_is_named_and_everything_else_goes_on(self):
        agent = self.start(1)
        self.assertAll()
        bad = {
            calico.block_path("10.65.90.0/26"): b'{"cidr": "10.65.90.0/26", "affinity": ',
            calico.affinity_path("n2", "10.65.90.0/26"): {"state": "confirmed", "deleted": False},
            calico.node_path("n7"): {"kind": "Node", "metadata": {"name": "n7"}, "spec": {"bgp": {"ipv4Address": "1.2.3"}}},
            calico.RESOURCES + "ippools/bad": {"kind": "IPPool", "metadata": {"name": "bad"}, "spec": {"cidr": "10.99"}},
        }
        self.store.put_all(bad)
        for word in ("10.65.90.0", "n7", "bad"):
            self.assertCondition(agent, "Malformed", word)
        self.follow(83)
        for word in ("10.65.90.0", "n7"):
            self.assertLessEqual(len(agent.said(word, "malformed")), 1, agent.log())
        self.store.put_all(dict.fromkeys(bad))
        self.assertNoCondition(agent, "Malformed")
        self.follow(84)

    def test_a_malformed_object_at_the_start_stops_nothing(self):
        self.store.put(calico.block_path("10.65.91.0/26"), b"{")
        self.store.put(calico.affinity_path("n2", "10.65.91.0/26"), {"state": "confirmed", "deleted": False})
        agent = self.start(1)
        self.assertAll()
        self.assertCondition(agent, "Malformed", "10.65.91.0")


class Rights(Faults):
    """What the agent must be allowed to do."""

    without = ("setpriv", "--bounding-set=-net_admin", "--inh-caps=-net_admin")

    def setUp(self):
        super().setUp()
        if not shutil.which("setpriv"):
            self.skipTest("no setpriv to take the capability away")

    def test_without_the_capability_it_is_named_once_and_nothing_crashes(self):
        agent = self.node.prepare()
        agent.start(is_ready=False, wrapper=self.without)
        waiting.until(lambda: agent.said("CAP_NET_ADMIN"), lambda: "not named:\n" + agent.log())
        waiting.while_true(lambda: agent.is_running, lambda: "it ended:\n" + agent.log(), 3)
        self.assertEqual(len(agent.said("CAP_NET_ADMIN")), 1, agent.log())
        self.assertNotEqual(agent.get("/readyz")[0], 200)
        agent.kill(signal.SIGTERM)

    def test_sync_without_the_capability_fails_and_says_so(self):
        done = self.node.prepare().call("sync", wrapper=self.without)
        self.assertEqual(done.status, 1, done)
        self.assertIn("CAP_NET_ADMIN", done.stdout + done.stderr)
        self.assertEqual(self.node.routes(), [])

    def test_plan_needs_no_capability_and_changes_nothing(self):
        done = self.node.prepare().call("plan", wrapper=self.without)
        self.assertIn(nodes.block(2), done.stdout, done)
        self.assertEqual((self.node.routes(), iproute.link(self.node.host, "vxlan.calico")), ([], None))


class Scale(nodes.RoutesTest):
    def test_5000_nodes_with_4_blocks_each(self):
        """The routes are complete, a restart sends none of them, and one change costs one message."""
        self.pool = {"vxlanMode": "Always"}
        self.set_pools(vxlanMode="Always")
        entries = {}
        for number in range(5000):
            name, value = "m%d" % number, calico.node("m%d" % number)
            first = (10 << 24) + (128 << 16) + number * 4 * 64
            cidrs = ["%d.%d.%d.%d/26" % tuple((first + part * 64).to_bytes(4, "big")) for part in range(4)]
            value["spec"] = {
                "bgp": {"ipv4Address": "172.31.%d.%d/16" % (number // 250, number % 250 + 1)},
                "ipv4VXLANTunnelAddr": cidrs[0].split("/")[0],
            }
            entries[calico.node_path(name)] = value
            for cidr in cidrs:
                entries.update(nodes.block_entries(cidr, name))
        entries.update([calico.pool_entry(("10.128.0.0/9", {"vxlanMode": "Always"}))])
        self.store.put_all(entries)
        net = self.build()
        node = net[1]
        agent = self.start(1)
        waiting.until(lambda: len(node.routes()) == 20_003, lambda: "%d routes" % len(node.routes()), 60)
        self.assertEqual(len(iproute.neighbours(node.host, "vxlan.calico")), 5002)
        agent.kill()
        monitor = iproute.Monitor(self, node.host)
        agent.start()
        self.assertEqual(monitor.changed(), [])
        self.assertEqual(monitor.deleted(), [])
        self.change(nodes.block_entries("10.250.0.0/26", "m17"))
        waiting.until(lambda: len(node.routes()) == 20_004, lambda: "%d routes" % len(node.routes()))
        self.assertEqual(len(monitor.changed()), 1)


if __name__ == "__main__":
    isolation.main()
