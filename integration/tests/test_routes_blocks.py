#!/usr/bin/env python3
"""What becomes of blocks: owned, borrowed from, moved, empty, pending, of pools that change, and of single addresses."""

import errno
import socket

import agents
import calico
import iproute
import isolation
import namespaces
import nodes
import traffic
import waiting

BORROWED = "10.65.1.9"


class Blocks(nodes.RoutesTest):
    """Unencapsulated pools: n1 and n2 reach each other, n3 is behind the router."""

    near = [nodes.blackhole(1), nodes.direct(2)]

    def test_an_address_that_no_pod_has_is_a_dead_end(self):
        """Packets for it vanish on its node and never come back to the router that sent them."""
        net = self.build(pods=True)
        self.start(1, 2)
        self.assertRoutes(net[1], self.near)
        free = nodes.address(1, 50)
        done = net.pods[1].run("ping", "-n", "-c", "2", "-i", "0.2", "-W", "1", free, check=False)
        self.assertIn("100% packet loss", done)
        self.assertNotIn("Unreachable", done)
        with agents.inside(net[1].host, lambda: socket.socket(socket.AF_INET, socket.SOCK_DGRAM)) as end:
            with self.assertRaises(OSError) as refused:
                end.sendto(b"x", (free, 9))
        self.assertEqual(refused.exception.errno, errno.EINVAL)
        iproute.ip(net.router, "route", "add", nodes.block(1), "via", nodes.underlay(1))
        outgoing = traffic.Capture(self, net[1].host, "eth0")
        back = traffic.Capture(self, net.router, "b1")
        net.router.run("ping", "-n", "-c", "1", "-W", "1", free, check=False)
        self.assertEqual((outgoing.echoes(free), back.echoes(free)), (1, 0), "(at the node, back at the router)")

    def test_a_block_without_allocations_is_routed(self):
        net = self.build()
        self.start(1, 2)
        self.change(nodes.block_entries("10.65.102.0/26", "n2"), nodes.block_entries("10.65.101.0/26", "n1"))
        more = ["blackhole 10.65.101.0/26", nodes.direct(2, destination="10.65.102.0/26")]
        self.assertRoutes(net[1], [*self.near, *more])

    def test_R4_the_block_decides_and_not_the_affinity(self):
        """An affinity without a block, and one beside another node's block, route nothing."""
        net = self.build()
        self.start(1)
        affinities = {
            calico.affinity_path("n2", "10.65.110.0/26"): {"state": "pending", "deleted": False},
            calico.affinity_path("n1", nodes.block(2)): {"state": "confirmed", "deleted": False},
        }
        self.change(affinities, nodes.block_entries("10.65.111.0/26", "n2", state="pending"))
        self.change(nodes.block_entries("10.65.112.0/26", "n2", state="pendingDeletion"))
        more = [nodes.direct(2, destination="10.65.%d.0/26" % part) for part in (111, 112)]
        self.assertRoutes(net[1], [*self.near, *more])

    def test_a_block_of_a_load_balancer_is_nobodys(self):
        net = self.build()
        self.start(1)
        self.change(nodes.block_entries("10.65.120.0/26", "virtual:load-balancer"))
        self.change(nodes.block_entries("10.65.121.0/26", "n2"))
        self.assertRoutes(net[1], [*self.near, nodes.direct(2, destination="10.65.121.0/26")])

    def test_a_block_without_affinity_leaves_a_route_to_each_of_its_addresses(self):
        net = self.build()
        self.start(1)
        self.change(nodes.block_entries("10.65.130.0/26", "n2", {3: nodes.held("n2"), 4: nodes.held("n2")}))
        self.assertRoutes(net[1], [*self.near, nodes.direct(2, destination="10.65.130.0/26")])
        self.change(
            nodes.block_entries("10.65.130.0/26", None, {3: nodes.held("n2")}),
            {calico.affinity_path("n2", "10.65.130.0/26"): None},
        )
        self.assertRoutes(net[1], [*self.near, nodes.direct(2, destination="10.65.130.3/32")])

    def test_a_disabled_pool_keeps_its_routes(self):
        net = self.build()
        agent = self.start(1)
        self.assertRoutes(net[1], self.near)
        self.set_pools(disabled=True)
        # Something that follows, so that it is known when the pool was looked at.
        self.change(nodes.block_entries("10.65.140.0/26", "n2"))
        self.assertRoutes(net[1], [*self.near, nodes.direct(2, destination="10.65.140.0/26")])
        self.assertEqual(agent.conditions("DeletionsHeld"), [])

    def test_the_routes_of_a_deleted_pool_are_withdrawn_and_come_back_with_it(self):
        net = self.build()
        self.start(1)
        self.assertRoutes(net[1], self.near)
        self.store.put(calico.pool_path(nodes.V4), None)
        # The IPv6 blackhole stays: the valve for removals has no reason to close.
        self.assertRoutes(net[1], [])
        self.assertRoutes(net[1], [nodes.blackhole(1, 6), nodes.direct(2, 6)], 6)
        self.store.put(*calico.pool_entry(nodes.V4))
        self.assertRoutes(net[1], self.near)

    def test_a_deleted_block_is_withdrawn(self):
        net = self.build()
        self.start(1)
        self.assertRoutes(net[1], self.near)
        self.change(dict.fromkeys(nodes.block_entries(nodes.block(2), "n2")))
        self.assertRoutes(net[1], [nodes.blackhole(1)])

    def test_a_single_address_is_no_blackhole_and_an_exact_route_elsewhere(self):
        net = self.build()
        self.start(1, 2)
        self.change(nodes.block_entries("10.65.150.1/32", "n1"), nodes.block_entries("10.65.150.2/32", "n2"))
        self.assertRoutes(net[1], [*self.near, nodes.direct(2, destination="10.65.150.2/32")])
        expected = [nodes.blackhole(2), nodes.direct(1), nodes.direct(1, destination="10.65.150.1/32")]
        self.assertRoutes(net[2], expected)


class Tunnelled(nodes.RoutesTest):
    """Pools that are always in tunnels."""

    pool = {"vxlanMode": "Always"}
    options = {**nodes.RoutesTest.options, "borrowed_listing_interval": 10}

    def test_R3_a_borrowed_address_has_a_route_everywhere_but_where_it_is(self):
        """The block's own node knows at once, others when they next look for borrowed addresses."""
        net = self.build(pods=True)
        self.start()
        self.give(9, "n3")
        exact = nodes.tunnelled(3, destination=BORROWED + "/32")
        for number in (1, 2):
            self.assertRoutes(net[number], [*nodes.overlay(number), exact], seconds=30)
        self.assertRoutes(net[3], nodes.overlay(3))
        net.connect_pod(3, namespaces.Namespace(self, "borrower"), [BORROWED], "caliborrow")
        for number in (1, 2):
            self.assertReaches(net.pods[number], BORROWED)
        self.give(None, None)
        for number in (1, 2):
            self.assertRoutes(net[number], nodes.overlay(number), seconds=30)

    def give(self, ordinal, node):
        """Changes n1's block alone, as an ADD of another node does: its affinity stays as it is."""
        entries = nodes.own_block(1, more={ordinal: nodes.held(node)} if node else None)
        self.store.put(calico.block_path(nodes.block(1)), entries[calico.block_path(nodes.block(1))])

    def test_R22_a_borrowed_tunnel_address_is_on_the_device_itself(self):
        """Without that route, answers to the node fall into the blackhole of the block that lent the address."""
        net = self.build(pods=True)
        self.start()
        spec = {"ipv4VXLANTunnelAddr": BORROWED}
        self.change(nodes.node_entry(3, spec=spec), nodes.own_block(1, more={9: nodes.held("n3", 4)}))
        through = nodes.tunnelled(3, via=BORROWED)
        expected = [nodes.blackhole(1), nodes.tunnelled(2), through, "10.65.1.9/32 dev vxlan.calico scope link mtu 1450"]
        self.assertRoutes(net[1], expected)
        self.assertIn(BORROWED, iproute.neighbours(net[1].host, "vxlan.calico"))
        waiting.until(
            lambda: iproute.addresses(net[3].host, "vxlan.calico") == {BORROWED + "/32"}, "n3 has another address"
        )
        self.assertReaches(net[3].host, nodes.address(1))

    def test_R22_R23_a_block_that_moves_is_replaced_in_place(self):
        net = self.build()
        self.start()
        monitors = [iproute.Monitor(self, net[number].host) for number in nodes.UNDERLAY]
        for number in nodes.UNDERLAY:
            self.assertRoutes(net[number], nodes.overlay(number))
        moved = nodes.tunnelled(3, destination=nodes.block(1))
        self.change(
            nodes.block_entries(nodes.block(1), "n3", {nodes.TUNNEL: nodes.held("n1", 4)}),
            {calico.affinity_path("n1", nodes.block(1)): None},
        )
        tunnel = "10.65.1.0/32 dev vxlan.calico scope link mtu 1450"
        self.assertRoutes(net[1], [moved, nodes.tunnelled(2), nodes.tunnelled(3)])
        self.assertRoutes(net[2], [moved, tunnel, nodes.blackhole(2), nodes.tunnelled(3)])
        self.assertRoutes(net[3], ["blackhole " + nodes.block(1), tunnel, nodes.tunnelled(2), nodes.blackhole(3)])
        for monitor in monitors:
            self.assertEqual(monitor.deleted(), [])

    def test_R30_a_changed_tunnel_address_never_empties_the_device(self):
        net = self.build()
        self.start(1)
        self.assertRoutes(net[1], nodes.overlay(1))
        monitor = iproute.Monitor(self, net[1].host)
        own = nodes.own_block(1, more={7: nodes.held("n1", 4)})
        self.change(nodes.node_entry(1, spec={"ipv4VXLANTunnelAddr": "10.65.1.7"}), own)

        def is_there():
            found = set(net[1].routes())
            self.assertLessEqual(set(nodes.overlay(1)), found)
            return iproute.addresses(net[1].host, "vxlan.calico") == {"10.65.1.7/32"}

        waiting.until(is_there, "the device has the old address")
        self.assertEqual(monitor.deleted(), [])
        # IPv4 removes routes in silence: that none had to be made again shows that none was removed.
        self.assertEqual([text for text in monitor.changed() if "vxlan.calico" in text], [])


class Guards(nodes.RoutesTest):
    """What must not be programmed, whatever the datastore says."""

    def pools(self):
        return [(nodes.V4, {}), (nodes.V6, {}), ("172.30.0.0/16", {"vxlanMode": "Always"})]

    def setUp(self):
        super().setUp()
        self.near = [nodes.blackhole(1), nodes.direct(2)]

    def test_R1_an_address_of_a_node_is_no_destination(self):
        net = self.build(borrowed_listing_interval=10)
        agent = self.start(1)
        self.change(nodes.block_entries("172.30.1.12/32", "n3"))
        self.assertCondition(agent, "Guarded", "172.30.1.12")
        self.assertRoutes(net[1], self.near)

    def test_R2_what_contains_a_nodes_address_is_not_sent_into_the_tunnel(self):
        net = self.build()
        agent = self.start(1)
        self.change(nodes.block_entries("172.30.2.0/26", "n2"))
        self.assertCondition(agent, "Guarded", "172.30.2.0/26")
        self.assertRoutes(net[1], self.near)

    def test_R8_a_pod_of_this_node_keeps_its_address(self):
        net = self.build(borrowed_listing_interval=10)
        net[1].ip("link", "add", "cali9", "type", "veth", "peer", "name", "peer9")
        for device in ("cali9", "peer9"):
            net[1].ip("link", "set", device, "up")
        net[1].ip("route", "add", "10.65.2.9/32", "dev", "cali9")
        agent = self.start(1)
        self.change(nodes.own_block(2, more={9: nodes.held("n3")}))
        self.set_pools(vxlanMode="CrossSubnet")
        self.assertCondition(agent, "LocalWorkload", "10.65.2.9", seconds=30)
        self.assertRoutes(net[1], nodes.cross_subnet(1))
        net[1].ip("route", "del", "10.65.2.9/32", "dev", "cali9")
        self.assertRoutes(net[1], [*nodes.cross_subnet(1), nodes.tunnelled(3, destination="10.65.2.9/32")])
        self.assertNoCondition(agent, "LocalWorkload")

    def test_a_node_without_an_address_is_unresolved_until_it_has_one(self):
        self.change((calico.node_path("n2"), calico.node("n2")))
        net = self.build()
        agent = self.start(1)
        self.assertCondition(agent, "Unresolved", "n2")
        self.assertRoutes(net[1], [nodes.blackhole(1)])
        self.change(nodes.node_entry(2))
        self.assertRoutes(net[1], self.near)
        self.assertNoCondition(agent, "Unresolved")


if __name__ == "__main__":
    isolation.main()
