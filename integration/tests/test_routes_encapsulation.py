#!/usr/bin/env python3
"""Routes in tunnels and beside them: what each mode of a pool makes of three nodes, with `ip` as the judge."""

import calico
import iproute
import isolation
import nodes
import traffic
import waiting


class Overlay(nodes.RoutesTest):
    """Pools that are always in tunnels."""

    pool = {"vxlanMode": "Always"}

    def test_R17_R22_every_block_is_one_route_through_the_tunnel_and_pods_reach_each_other(self):
        net = self.build(pods=True)
        self.start()
        for number in nodes.UNDERLAY:
            for family in (4, 6):
                self.assertRoutes(net[number], nodes.overlay(number, family), family)
        outside = traffic.Capture(self, net.router, "brA")
        for family in (4, 6):
            for other in (2, 3):
                self.assertReaches(net.pods[1], nodes.address(other, family=family))
            self.assertReaches(net[1].host, nodes.address(3, family=family))
        self.assertGreater(outside.datagrams(4789), 0, "nothing of it was in a tunnel")

    def test_R13_each_other_node_has_one_neighbour_and_one_forwarding_entry(self):
        net = self.build()
        self.start()
        self.assertRoutes(net[1], nodes.overlay(1))
        for family in (4, 6):
            device, others = nodes.VXLAN[family], (2, 3)
            macs = {number: nodes.hardware_address(nodes.name(number), family) for number in others}
            self.assertRoutes(net[1], nodes.overlay(1, family), family)
            neighbours = {nodes.address(number, nodes.TUNNEL, family): macs[number] for number in others}
            self.assertEqual(iproute.neighbours(net[1].host, device), neighbours)
            entries = {macs[number]: nodes.underlay(number, family) for number in others}
            self.assertEqual(iproute.forwarding(net[1].host, device), entries)

    def test_R9_R29_the_device_has_what_calico_gives_it(self):
        net = self.build()
        self.start(1)
        parent = iproute.link(net[1].host, "eth0")["ifindex"]
        for family, local in ((4, "local"), (6, "local6")):
            device = iproute.link(net[1].host, nodes.VXLAN[family])
            data = device["linkinfo"]["info_data"]
            self.assertEqual(device["mtu"], nodes.TUNNEL_MTU[family])
            self.assertEqual(device["address"], nodes.hardware_address("n1", family))
            self.assertIn("UP", device["flags"])
            self.assertEqual((data["id"], data["port"], data["learning"]), (4096, 4789, False))
            self.assertEqual(data.get(local), nodes.underlay(1, family))
            self.assertEqual(data["link"], "eth0" if isinstance(data["link"], str) else parent)
            own = iproute.destination(nodes.address(1, nodes.TUNNEL, family), family)
            self.assertEqual(iproute.addresses(net[1].host, nodes.VXLAN[family], family), {own})

    def test_R22_R23_a_change_to_CrossSubnet_loses_no_packet(self):
        """One replace for each route that changes; no neighbour, no forwarding entry and no other route does."""
        net = self.build(pods=True)
        self.start()
        for number in nodes.UNDERLAY:
            self.assertRoutes(net[number], nodes.overlay(number))
        for other in (2, 3):
            self.assertReaches(net.pods[1], nodes.address(other))
        before = (iproute.neighbours(net[1].host, "vxlan.calico"), iproute.forwarding(net[1].host, "vxlan.calico"))
        monitor = iproute.Monitor(self, net[1].host)
        pings = [self.ping(net.pods[1], nodes.address(other)) for other in (2, 3)]
        self.set_pools(vxlanMode="CrossSubnet")
        for number in nodes.UNDERLAY:
            for family in (4, 6):
                self.assertRoutes(net[number], nodes.cross_subnet(number, family), family)
        for one in pings:
            self.assertNoneLost(one)
        self.assertEqual(monitor.deleted(), [])
        after = (iproute.neighbours(net[1].host, "vxlan.calico"), iproute.forwarding(net[1].host, "vxlan.calico"))
        self.assertEqual(before, after)
        self.assertEqual([text for text in monitor.changed() if nodes.block(3) in text], [])


class Unencapsulated(nodes.RoutesTest):
    """Pools without tunnels."""

    def near(self, family=4):
        return [nodes.blackhole(1, family), nodes.direct(2, family)]

    def test_R7_a_node_behind_a_router_is_left_out_and_named(self):
        net = self.build()
        agent = self.start(1)
        for family in (4, 6):
            self.assertRoutes(net[1], self.near(family), family)
        self.assertCondition(agent, "OffSubnet", "n3")
        self.assertIsNone(iproute.link(net[1].host, "vxlan.calico"), "a device that nothing needs")

    def test_R7_viaRouter_goes_through_the_router_that_leads_to_the_node(self):
        net = self.build(pods=True, off_subnet_policy="viaRouter")
        self.start()
        self.assertRoutes(net[1], [*self.near(), nodes.block(3) + " via 172.30.1.1 dev eth0"])
        self.assertRoutes(net[1], [*self.near(6), nodes.block(3, 6) + " via fd30:1::1 dev eth0"], 6)
        self.assertRoutes(net[3], [nodes.blackhole(3)] + [nodes.block(n) + " via 172.30.2.1 dev eth0" for n in (1, 2)])
        # The router has to know the way, from whomever.
        for number in nodes.UNDERLAY:
            iproute.ip(net.router, "route", "add", nodes.block(number), "via", nodes.underlay(number))
        self.assertReaches(net.pods[1], nodes.address(3))

    def test_R7_onlink_does_as_Felix_does(self):
        net = self.build(off_subnet_policy="onlink")
        agent = self.start(1)
        self.assertRoutes(net[1], [*self.near(), nodes.direct(3)])
        self.assertEqual(agent.conditions("OffSubnet"), [])

    def test_R22_a_pool_that_leaves_its_tunnels_takes_the_device_along(self):
        self.set_pools(vxlanMode="CrossSubnet")
        net = self.build(pods=True)
        agents = self.start()
        self.assertRoutes(net[1], nodes.cross_subnet(1))
        self.assertReaches(net.pods[1], nodes.address(2))
        monitor, pings = iproute.Monitor(self, net[1].host), self.ping(net.pods[1], nodes.address(2))
        self.set_pools(vxlanMode="Never")
        for family in (4, 6):
            self.assertRoutes(net[1], self.near(family), family)
            waiting.until(
                lambda: iproute.link(net[1].host, nodes.VXLAN[family]) is None, "the device is still there"
            )
        self.assertCondition(agents[0], "OffSubnet", "n3")
        self.assertEqual([text for text in monitor.deleted() if nodes.block(2) in text], [])
        self.assertNoneLost(pings)


class IPInIP(nodes.RoutesTest):
    """Pools in the kernel's older tunnel, which not every kernel has."""

    def pools(self):
        return [(nodes.V4, {"ipipMode": "Always"}), (nodes.V6, {"vxlanMode": "Always"})]

    def setUp(self):
        super().setUp()
        for number in nodes.UNDERLAY:
            self.store.put(*nodes.node_entry(number, spec=self.tunnel(number)))

    def tunnel(self, number):
        v4, v6 = nodes.UNDERLAY[number]
        return {"bgp": {"ipv4Address": v4, "ipv6Address": v6, "ipv4IPIPTunnelAddr": nodes.address(number, nodes.TUNNEL)}}

    def has_ipip(self, network):
        return iproute.link(network.router, "tunl0") is not None or iproute.ip(
            network.router, "link", "add", "probe0", "type", "ipip", "remote", "192.0.2.1", check=False
        )

    def test_a_kernel_without_ipip_is_said_and_other_pools_go_on(self):
        net = self.build()
        if self.has_ipip(net):
            self.skipTest("this kernel has ipip")
        agent = self.start(1)
        self.assertRoutes(net[1], nodes.overlay(1, 6), 6)
        self.assertRoutes(net[1], [nodes.blackhole(1)])
        self.assertCondition(agent, "EncapsulationUnsupported", "ipip")
        self.assertEqual(len(agent.said("ipip", "kernel")), 1, agent.log())

    def test_every_block_is_one_route_through_tunl0(self):
        net = self.build(pods=True)
        if not self.has_ipip(net):
            self.skipTest("this kernel has no ipip")
        self.start()
        others = [
            "%s via %s dev tunl0 onlink mtu 1480" % (nodes.block(number), nodes.underlay(number)) for number in (2, 3)
        ]
        self.assertRoutes(net[1], [nodes.blackhole(1), *others])
        for other in (2, 3):
            self.assertReaches(net.pods[1], nodes.address(other))
        self.store.put_all(dict(calico.pool_entry((cidr, {"ipipMode": "CrossSubnet"})) for cidr in (nodes.V4,)))
        self.assertRoutes(net[1], [nodes.blackhole(1), nodes.direct(2), others[1]])


class TunnelAddresses(nodes.RoutesTest):
    """Addresses of tunnel devices that the agents allocate themselves."""

    pool = {"vxlanMode": "Always"}
    options = {}

    def setUp(self):
        super().setUp()
        bare = {"ipv4VXLANTunnelAddr": None, "ipv6VXLANTunnelAddr": None}
        for number in nodes.UNDERLAY:
            path, value = nodes.node_entry(number)
            value["spec"] = {key: one for key, one in value["spec"].items() if key not in bare}
            blocks = [
                nodes.block_entries(nodes.block(number, family), nodes.name(number), {nodes.POD: nodes.held(nodes.name(number))})
                for family in (4, 6)
            ]
            gone = {
                calico.HANDLES + kind + nodes.name(number): None for kind in ("vxlan-tunnel-addr-", "vxlan-v6-tunnel-addr-")
            }
            self.change((path, value), *blocks, gone)

    def test_each_node_gets_one_from_its_pools_and_all_pods_meet(self):
        net = self.build(pods=True)
        self.start()
        for number in nodes.UNDERLAY:
            waiting.until(
                lambda: len(net[number].routes(4)) == 3 and len(net[number].routes(6)) == 3,
                lambda: "n%d has %s\n%s" % (number, net[number].routes(), nodes.said(net[number])),
                30,
            )
        for family in (4, 6):
            for other in (2, 3):
                self.assertReaches(net.pods[1], nodes.address(other, family=family))
        self.assertEqual(list(self.store.faults()), [])
        for number in nodes.UNDERLAY:
            spec = self.store.value(calico.node_path(nodes.name(number)))["spec"]
            own = {spec["ipv4VXLANTunnelAddr"], spec["ipv6VXLANTunnelAddr"]}
            for family in (4, 6):
                found = iproute.addresses(net[number].host, nodes.VXLAN[family], family)
                self.assertLessEqual({one.split("/")[0] for one in found}, own)
            handles = {handle for handle, node in self.store.allocations().values() if node == nodes.name(number)}
            self.assertIn("vxlan-tunnel-addr-" + nodes.name(number), handles)

    def test_a_restart_keeps_the_address_and_allocates_no_other(self):
        net = self.build()
        agent = self.start(1)
        waiting.until(lambda: iproute.addresses(net[1].host, "vxlan.calico"), "no address", 30)
        waiting.until(
            lambda: self.store.value(calico.node_path("n1"))["spec"].get("ipv6VXLANTunnelAddr"), "no IPv6 address", 30
        )
        before = self.store.allocations()
        for _ in range(3):
            agent.kill()
            agent.start()
        self.assertEqual(self.store.allocations(), before)


if __name__ == "__main__":
    isolation.main()
