#!/usr/bin/env python3
"""Nodes that come, go and change, and nodes that have fixed ranges or stand in a list."""

import json
import os

import calico
import iproute
import isolation
import nodes
import waiting


class Membership(nodes.RoutesTest):
    """Nodes of a datastore, in tunnels."""

    pool = {"vxlanMode": "Always"}

    def without_third(self, number):
        return [one for one in nodes.overlay(number) if nodes.block(3) not in one]

    def test_R22_a_deleted_node_is_forgotten_and_one_of_its_name_takes_its_place(self):
        net = self.build()
        self.start(1)
        self.assertRoutes(net[1], nodes.overlay(1))
        self.store.put(calico.node_path("n3"), None)
        self.assertRoutes(net[1], self.without_third(1))
        mac = nodes.hardware_address("n3")
        waiting.until(
            lambda: mac not in iproute.forwarding(net[1].host, "vxlan.calico")
            and nodes.address(3, nodes.TUNNEL) not in iproute.neighbours(net[1].host, "vxlan.calico"),
            "the neighbour of a node that is gone",
        )
        self.change(nodes.node_entry(3, ("172.30.2.99/24", None)))
        self.assertRoutes(net[1], nodes.overlay(1))
        self.assertEqual(iproute.forwarding(net[1].host, "vxlan.calico")[mac], "172.30.2.99")

    def test_a_nodes_new_address_changes_the_tunnels_end_and_no_route(self):
        net = self.build()
        self.start(1)
        self.assertRoutes(net[1], nodes.overlay(1))
        monitor = iproute.Monitor(self, net[1].host)
        self.change(nodes.node_entry(3, ("172.30.2.99/24", "fd30:2::99/64")))
        mac = nodes.hardware_address("n3")
        waiting.until(
            lambda: iproute.forwarding(net[1].host, "vxlan.calico").get(mac) == "172.30.2.99", "the old end of the tunnel"
        )
        self.assertEqual((monitor.deleted(), monitor.changed()), ([], []))

    def test_R6_a_node_that_leaves_the_subnet_is_reached_through_the_tunnel(self):
        self.set_pools(vxlanMode="CrossSubnet")
        net = self.build()
        self.start(1)
        self.assertRoutes(net[1], nodes.cross_subnet(1))
        monitor = iproute.Monitor(self, net[1].host)
        self.change(nodes.node_entry(2, ("172.30.2.12/24", "fd30:2::12/64")))
        self.assertRoutes(net[1], nodes.overlay(1))
        self.change(nodes.node_entry(2))
        self.assertRoutes(net[1], nodes.cross_subnet(1))
        self.assertEqual(monitor.deleted(), [])

    def test_R6_the_kernel_has_the_last_word_on_who_is_near(self):
        """The configured subnet has n2 in it, but packets for it go through the router."""
        self.set_pools(vxlanMode="CrossSubnet")
        net = self.build()
        net[1].ip("route", "add", nodes.underlay(2) + "/32", "via", "172.30.1.1")
        self.start(1)
        self.assertRoutes(net[1], nodes.overlay(1))
        net[1].ip("route", "del", nodes.underlay(2) + "/32", "via", "172.30.1.1")
        # The kernel is asked again when a link, an address or the default route changes.
        net[1].ip("addr", "add", "192.0.2.7/32", "dev", "eth0")
        self.assertRoutes(net[1], nodes.cross_subnet(1))

    def test_R28_many_nodes_are_reached_through_nexthop_objects(self):
        """Above 256 nodes; the routes read the same."""
        entries = {}
        for number in range(300):
            name, cidr = "far-%d" % number, "10.65.%d.%d/26" % (160 + number // 4, number % 4 * 64)
            value = calico.node(name)
            tunnel = cidr.split("/")[0]
            value["spec"] = {
                "bgp": {"ipv4Address": "172.31.%d.%d/16" % (number // 200, number % 200 + 1)},
                "ipv4VXLANTunnelAddr": tunnel,
            }
            entries[calico.node_path(name)] = value
            entries.update(nodes.block_entries(cidr, name))
        self.store.put_all(entries)
        net = self.build()
        agent = self.start(1)
        waiting.until(lambda: len(net[1].routes()) == 303, lambda: "%d routes" % len(net[1].routes()), 30)
        objects = iproute.read_json("ip", "-n", net[1].host.name, "-j", "nexthop", "show", "protocol", "84")
        # One for each node's tunnel: 302 of IPv4, and two of IPv6.
        self.assertEqual(len(objects), 304)
        self.assertLessEqual(set(nodes.overlay(1)), set(net[1].routes()))
        self.assertIn("10.65.160.64/26 via 10.65.160.64 dev vxlan.calico onlink mtu 1450", net[1].routes())
        agent.kill()
        agent.start()
        again = iproute.read_json("ip", "-n", net[1].host.name, "-j", "nexthop", "show", "protocol", "84")
        self.assertEqual(sorted(one["id"] for one in again), sorted(one["id"] for one in objects))
        agent.stop()
        done = agent.cleanup()
        self.assertEqual(done.status, 0, done)
        self.assertEqual(net[1].routes(), [])
        self.assertEqual(iproute.read_json("ip", "-n", net[1].host.name, "-j", "nexthop", "show"), [])


class FixedRanges(nodes.RoutesTest):
    """Nodes that stand in a list, each with a range of its own."""

    options = {"mode": "podCIDR", "borrowed_listing_interval": None}

    def setUp(self):
        super().setUp()
        self.list = os.path.join(self.temporary, "nodes.json")
        self.write([self.row(number) for number in nodes.UNDERLAY])

    def row(self, number, ranges=None):
        cidrs = ranges or ["10.65.%d.0/24" % number, "fd65:%d::/64" % number]
        return {"name": nodes.name(number), "addresses": list(nodes.UNDERLAY[number]), "podCIDRs": cidrs}

    def write(self, rows):
        with open(self.list + ".new", "w", encoding="ascii") as file:
            json.dump({"nodes": rows}, file)
        os.replace(self.list + ".new", self.list)

    def listed(self, **options):
        net = self.build(nodes_file=self.list, database_file=None, **options)
        return net, self.start(1)

    def direct(self, number, family=4, destination=None):
        cidr = destination or ("10.65.%d.0/24" % number if family == 4 else "fd65:%d::/64" % number)
        return nodes.direct(number, family, cidr)

    def test_each_range_on_the_link_is_one_route_and_the_own_one_is_none(self):
        net, agent = self.listed()
        for family in (4, 6):
            self.assertRoutes(net[1], [self.direct(2, family)], family)
        self.assertCondition(agent, "OffSubnet", "n3")

    def test_the_own_range_is_a_blackhole_where_that_is_wanted(self):
        net, _ = self.listed(pod_cidr_blackhole=True)
        self.assertRoutes(net[1], ["blackhole 10.65.1.0/24", self.direct(2)])

    def test_a_range_that_another_node_takes_over_keeps_its_route(self):
        """The old node goes before the new one has the range, or after."""
        again = self.row(2)
        again.update(name="n9", addresses=["172.30.1.19/24", "fd30:1::19/64"])
        taken = "10.65.2.0/24 via 172.30.1.19 dev eth0 onlink"
        for order in ("the old one goes first", "the new one comes first", "both at once"):
            with self.subTest(order):
                self.write([self.row(1), self.row(2)])
                net, agent = self.listed()
                self.assertRoutes(net[1], [self.direct(2)])
                monitor = iproute.Monitor(self, net[1].host)
                if order == "the old one goes first":
                    self.write([self.row(1), self.row(3)])
                    self.assertRoutes(net[1], [])
                if order == "the new one comes first":
                    # Both have it for a while: the list contradicts itself, and somebody has to be told.
                    self.write([self.row(1), self.row(2), again])
                    waiting.until(agent.conditions, "nothing is said of a range that two nodes have")
                self.write([self.row(1), again])
                self.assertRoutes(net[1], [taken])
                if order == "both at once":
                    self.assertEqual(monitor.deleted(), [])
                agent.stop()

    def test_a_broken_list_changes_nothing_and_is_said_once(self):
        net, agent = self.listed()
        self.assertRoutes(net[1], [self.direct(2)])
        with open(self.list, "w", encoding="ascii") as file:
            file.write('{"nodes": [{"nam": "n1"')
        waiting.until(lambda: agent.said("nodes.json"), "nothing is said of a broken list")
        self.assertStay(net[1], [self.direct(2)], 2)
        self.assertLessEqual(len(agent.said("nodes.json")), 2, agent.log())
        self.write([self.row(1), self.row(2, ["10.65.20.0/24"])])
        self.assertRoutes(net[1], [self.direct(2, destination="10.65.20.0/24")])

    def test_sync_programs_once_and_plan_and_cleanup_tell(self):
        net = self.build(nodes_file=self.list, database_file=None)
        agent = net[1].prepare()
        before = iproute.tables(net[1].host, 4)
        self.assertIn("10.65.2.0/24", json.dumps(agent.plan()))
        self.assertEqual(iproute.tables(net[1].host, 4), before, "plan changed something")
        done = agent.sync()
        self.assertIn(done.status, (0, 1), done)
        self.assertRoutes(net[1], [self.direct(2)], seconds=1)
        self.assertRoutes(net[1], [self.direct(2, 6)], 6, seconds=1)
        net[1].ip("route", "add", "10.70.0.0/24", "via", "172.30.1.1", "proto", "80")
        done = agent.cleanup()
        self.assertEqual(done.status, 0, done)
        self.assertIn("10.65.2.0/24", done.stdout + done.stderr)
        self.assertEqual((net[1].routes(), net[1].routes(6)), ([], []))
        self.assertEqual(net[1].routes(protocol=iproute.FELIX), ["10.70.0.0/24 via 172.30.1.1 dev eth0"])


if __name__ == "__main__":
    isolation.main()
