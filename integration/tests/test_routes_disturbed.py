#!/usr/bin/env python3
"""Strangers, links and addresses that take routes away: all is as before, at once, and what is not ours is left alone."""

import iproute
import isolation
import nodes
import waiting

# Generous for a machine that does something else as well; the benchmark holds the agent to less.
AT_ONCE = 0.2


class Disturbed(nodes.RoutesTest):
    """Tunnels for other subnets alone, so that there are routes of every kind."""

    pool = {"vxlanMode": "CrossSubnet"}

    def setUp(self):
        super().setUp()
        self.net = self.build()
        self.node = self.net[1]
        self.agent = self.start(1)
        self.assertAll()

    def assertAll(self, seconds=15):
        for family in (4, 6):
            self.assertRoutes(self.node, nodes.cross_subnet(1, family), family, seconds)

    def assertPeers(self):
        """Neighbours and forwarding entries of both other nodes, in both families."""
        for family in (4, 6):
            macs = {number: nodes.hardware_address(nodes.name(number), family) for number in (2, 3)}
            expected = {nodes.address(number, nodes.TUNNEL, family): mac for number, mac in macs.items()}
            device = nodes.VXLAN[family]
            waiting.until(
                lambda: iproute.neighbours(self.node.host, device) == expected,
                lambda: "neighbours of %s: %s" % (device, iproute.neighbours(self.node.host, device)),
            )
            entries = {mac: nodes.underlay(number, family) for number, mac in macs.items()}
            self.assertEqual(iproute.forwarding(self.node.host, device), entries)

    def between(self, monitor, gone, back):
        """The seconds from a line that has these words to the next that has those: the least of all such pairs."""
        lines = monitor.lines()
        found, began = [], None
        for when, text in lines:
            if all(word in text for word in gone):
                began = when
            elif began is not None and all(word in text for word in back) and not text.startswith("Deleted"):
                found.append(when - began)
                began = None
        self.assertTrue(found, lines)
        return min(found)


class Strangers(Disturbed):
    def test_R18_a_deleted_route_is_back_at_once(self):
        monitor = iproute.Monitor(self, self.node.host)
        for cidr in (nodes.block(2), nodes.block(1), nodes.block(3)):
            self.node.ip("route", "del", cidr, "proto", "84")
            self.assertAll()
            monitor.fence()
            self.assertLess(self.between(monitor, ("Deleted", cidr), (cidr, "proto 84")), AT_ONCE)
        self.node.ip("-6", "route", "del", nodes.block(2, 6))
        self.assertAll()

    def test_R21_a_replaced_route_is_taken_back(self):
        """The kernel tells of no deletion then, only of the other's route."""
        monitor = iproute.Monitor(self, self.node.host)
        for kind, words in (("blackhole", []), ("unicast", ["via", "172.30.1.1", "dev", "eth0"])):
            self.node.ip("route", "replace", kind, nodes.block(2), *words, "proto", "12")
            self.assertAll()
            self.assertRoutes(self.node, [], protocol=iproute.BIRD)
        monitor.fence()
        self.assertLess(self.between(monitor, (nodes.block(2), "proto bird"), (nodes.block(2), "proto 84")), AT_ONCE)

    def test_R10_a_route_at_another_metric_is_somebody_elses(self):
        words = ["via", "172.30.1.1", "dev", "eth0", "metric", "50", "proto", "static"]
        self.node.ip("route", "add", nodes.block(2), *words)
        expected = [nodes.block(2) + " via 172.30.1.1 dev eth0 metric 50"]
        self.assertStay(self.node, expected, 1, protocol="static")
        self.assertAll(1)
        self.agent.kill()
        self.agent.start()
        self.assertRoutes(self.node, expected, protocol="static", seconds=1)

    def test_R15_a_route_that_a_stranger_insists_on_survives_our_deletion(self):
        """The agent has stepped back from a fight when the block goes; what is in its key's place is not its own."""
        words = ["via", "172.30.1.1", "dev", "eth0", "proto", "static"]
        for _ in range(20):
            self.node.ip("route", "replace", nodes.block(2), *words)
        self.assertCondition(self.agent, "Foreign", nodes.block(2))
        self.node.ip("route", "replace", nodes.block(2), *words)
        marker = "10.65.170.0/26"
        self.change(dict.fromkeys(nodes.block_entries(nodes.block(2), "n2")), nodes.block_entries(marker, "n2"))
        rest = [route for route in nodes.cross_subnet(1) if nodes.block(2) not in route]
        self.assertRoutes(self.node, [*rest, nodes.direct(2, destination=marker)])
        self.assertStay(self.node, [nodes.block(2) + " via 172.30.1.1 dev eth0"], 1, protocol="static")

    def append(self):
        """IPv6 makes one route with two ways of ours and of this one."""
        words = ["via", "fd30:1::1", "dev", "eth0", "onlink", "metric", "1024", "proto", "static"]
        self.node.ip("-6", "route", "append", nodes.block(2, 6), *words)

    def test_R23_a_way_that_a_stranger_appends_in_IPv6_is_replaced_by_the_single_one(self):
        self.append()
        self.assertAll()

    def test_R15_a_way_that_a_stranger_appended_in_IPv6_is_not_deleted_with_ours(self):
        self.agent.kill()
        self.append()
        self.change(dict.fromkeys(nodes.block_entries(nodes.block(2, 6), "n2")))
        self.agent.start()

        def left():
            return [one for lines in iproute.tables(self.node.host, 6).values() for one in lines if nodes.block(2, 6) in one]

        expected = [nodes.block(2, 6) + " via fd30:1::1 dev eth0 onlink"]
        waiting.until(lambda: left() == expected, lambda: "left: %s\n%s" % (left(), self.agent.log()))

    def test_R21_two_writers_that_fight_are_told_apart_and_slow_down(self):
        """Someone replaces the route again and again: after a few times the agent waits longer, and names the other."""
        monitor = iproute.Monitor(self, self.node.host)
        for _ in range(40):
            self.node.ip("route", "replace", nodes.block(2), "via", "172.30.1.1", "dev", "eth0", "proto", "186")
        self.assertCondition(self.agent, "Foreign", nodes.block(2), "186")
        ours = [text for text in monitor.changed() if nodes.block(2) in text]
        self.assertLess(len(ours), 20, "the agent keeps fighting")
        # The other gives up; ours is back in the end.
        self.assertRoutes(self.node, nodes.cross_subnet(1), seconds=70)
        self.assertNoCondition(self.agent, "Foreign", 70)

    def test_R20_R27_a_storm_of_foreign_routes_ends_in_one_resync(self):
        """More notifications than the socket holds, and among them the deletion of ours."""
        before = self.agent.metrics()
        self.agent.pause()
        count = 60_000
        cidrs = ["10.%d.%d.%d/32" % (100 + n // 65536, n // 256 % 256, n % 256) for n in range(count)]
        iproute.batch(self.node.host, ("route add blackhole %s proto 97" % cidr for cidr in cidrs))
        self.node.ip("route", "del", nodes.block(2), "proto", "84")
        self.node.ip("route", "add", "blackhole", "10.65.200.0/26", "proto", "84")
        self.agent.resume()
        self.assertAll(30)
        waiting.until(self.agent.is_ready, "not ready after the storm")
        after = self.agent.metrics()
        name = next(name for name in after if name.startswith("ipam_node_resyncs"))
        resyncs = sum(after[one] - before.get(one, 0) for one in after if one.split("{")[0] == name.split("{")[0])
        self.assertIn(resyncs, (1, 2), "resyncs for one storm")
        self.assertEqual(len(self.node.routes(protocol="97")), count)
        ticks = self.ticks()
        self.assertStay(self.node, nodes.cross_subnet(1), 2)
        self.assertLess(self.ticks() - ticks, 20, "the agent is busy with nothing")

    def ticks(self):
        """The processor time of the agent in hundredths of a second."""
        with open("/proc/%d/stat" % self.agent.process.pid, encoding="ascii") as file:
            fields = file.read().rpartition(")")[2].split()
        return int(fields[11]) + int(fields[12])


class Links(Disturbed):
    """What the kernel removes along with links and addresses, often without a word."""

    def restore(self):
        """What the kernel took along and is not the agent's: the IPv6 address and the default routes."""
        self.node.ip("addr", "replace", nodes.UNDERLAY[1][1], "dev", "eth0")
        for one in nodes.ROUTER[1]:
            self.node.ip("route", "replace", "default", "via", one.split("/")[0])

    def test_the_parent_goes_down_and_up(self):
        monitor = iproute.Monitor(self, self.node.host, "link", "route")
        self.node.ip("link", "set", "eth0", "down")
        waiting.until(lambda: nodes.direct(2) not in self.node.routes(), "the kernel keeps routes of a link that is down")
        self.node.ip("link", "set", "eth0", "up")
        self.restore()
        self.assertAll()
        monitor.fence()
        self.assertLess(self.between(monitor, ("eth0@", "state UP"), (nodes.block(2), "proto 84")), AT_ONCE)

    def test_the_last_address_goes_and_comes_back(self):
        """IPv4 then removes every route of the device, and tells of the address alone."""
        self.node.ip("addr", "del", nodes.UNDERLAY[1][0], "dev", "eth0")
        waiting.until(lambda: nodes.direct(2) not in self.node.routes(), "the kernel keeps routes without an address")
        self.assertCondition(self.agent, "NoParent")
        self.node.ip("addr", "add", nodes.UNDERLAY[1][0], "dev", "eth0")
        self.node.ip("route", "replace", "default", "via", "172.30.1.1")
        self.assertAll()
        self.assertPeers()
        self.assertNoCondition(self.agent, "NoParent")

    def test_the_carrier_goes_and_comes_back(self):
        iproute.ip(self.net.router, "link", "set", "b1", "down")
        self.assertStay(self.node, nodes.cross_subnet(1), 0.5)
        iproute.ip(self.net.router, "link", "set", "b1", "up")
        self.assertAll()

    def test_a_link_that_flaps_ends_with_everything_in_place(self):
        for _ in range(10):
            self.node.ip("link", "set", "eth0", "down")
            self.node.ip("link", "set", "eth0", "up")
        self.restore()
        self.assertAll(90)
        self.assertPeers()

    def test_a_tunnel_device_goes_down_and_up(self):
        """Its routes and neighbours go, in IPv6 its address as well."""
        for device in nodes.VXLAN.values():
            self.node.ip("link", "set", device, "down")
            self.assertAll()
            self.assertPeers()
        own = nodes.address(1, nodes.TUNNEL, 6) + "/128"
        self.assertEqual(iproute.addresses(self.node.host, nodes.VXLAN[6], 6), {own})

    def test_R17_a_deleted_tunnel_device_is_made_anew_with_everything_on_it(self):
        for device in nodes.VXLAN.values():
            before = iproute.link(self.node.host, device)["ifindex"]
            self.node.ip("link", "del", device)
            waiting.until(lambda: iproute.link(self.node.host, device), "the device is not made anew")
            self.assertAll()
            self.assertPeers()
            self.assertNotEqual(iproute.link(self.node.host, device)["ifindex"], before)

    def test_a_changed_hardware_address_is_restored_with_the_neighbours(self):
        self.node.ip("link", "set", "vxlan.calico", "address", "02:00:00:00:00:01")
        mac = nodes.hardware_address("n1")
        waiting.until(lambda: iproute.link(self.node.host, "vxlan.calico")["address"] == mac, "the stranger's address stays")
        self.assertPeers()
        self.assertAll()

    def test_R9_the_tunnels_follow_the_parents_MTU(self):
        """The device is never made anew: what the other family has stays, and so does every key."""
        index = iproute.link(self.node.host, "vxlan.calico")["ifindex"]
        monitor = iproute.Monitor(self, self.node.host)
        for mtu in (1400, 1500):
            self.node.ip("link", "set", "eth0", "mtu", str(mtu))
            for family, overhead in ((4, 50), (6, 70)):
                device = nodes.VXLAN[family]
                waiting.until(
                    lambda: iproute.link(self.node.host, device)["mtu"] == mtu - overhead, "%s has another MTU" % device
                )
                old, new = "mtu %d" % nodes.TUNNEL_MTU[family], "mtu %d" % (mtu - overhead)
                expected = [route.replace(old, new) for route in nodes.cross_subnet(1, family)]
                self.assertRoutes(self.node, expected, family)
        self.assertEqual(iproute.link(self.node.host, "vxlan.calico")["ifindex"], index)
        self.assertEqual(monitor.deleted(), [])

    def test_R29_what_can_be_changed_in_place_is(self):
        """A changed MTU, local address or state of learning is put right on the same device."""
        index = iproute.link(self.node.host, "vxlan.calico")["ifindex"]
        self.node.ip("link", "set", "vxlan.calico", "mtu", "1300")
        self.node.ip("link", "set", "vxlan.calico", "type", "vxlan", "id", "4096", "learning")

        def is_right():
            link = iproute.link(self.node.host, "vxlan.calico")
            return link["mtu"] == 1450 and link["linkinfo"]["info_data"]["learning"] is False

        waiting.until(is_right, "the device is not put right", 30)
        self.assertEqual(iproute.link(self.node.host, "vxlan.calico")["ifindex"], index)
        self.assertAll()

    def test_a_device_of_the_same_identifier_is_named(self):
        self.agent.stop()
        self.agent.cleanup()
        self.assertIsNone(iproute.link(self.node.host, "vxlan.calico"))
        words = ["type", "vxlan", "id", "4096", "dstport", "4789", "local", nodes.underlay(1), "dev", "eth0"]
        self.node.ip("link", "add", "flannel.1", *words)
        self.agent.start(is_ready=False)
        waiting.until(lambda: self.agent.said("flannel.1"), lambda: "the holder is not named:\n" + self.agent.log())
        self.assertRoutes(self.node, [nodes.blackhole(1), nodes.direct(2)])
        self.assertRoutes(self.node, nodes.cross_subnet(1, 6), 6)
        self.node.ip("link", "del", "flannel.1")
        self.assertAll(60)


if __name__ == "__main__":
    isolation.main()
