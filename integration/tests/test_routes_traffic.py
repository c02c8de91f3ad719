#!/usr/bin/env python3
"""Packets while routes change: none is lost, and no send fails."""

import calico
import nodes
import isolation
import seeds
import waiting


class Traffic(nodes.RoutesTest):
    pool = {"vxlanMode": "Always"}

    def test_R23_a_block_that_flips_between_nodes_never_fails_a_send(self):
        """The sender is on the third node; the address is always routed, to one node or the other."""
        net = self.build()
        self.start(1)
        cidr, target = "10.65.60.0/26", "10.65.60.1"
        self.flip(cidr, None, 2)
        self.assertRoutes(net[1], [*nodes.overlay(1), nodes.tunnelled(2, destination=cidr)])
        sender = self.send(net[1].host, target)
        flips = seeds.count("FLIPS", 20)
        for number in range(flips):
            old, new = (2, 3) if number % 2 == 0 else (3, 2)
            self.flip(cidr, old, new)
            expected = nodes.tunnelled(new, destination=cidr)
            waiting.until(lambda: expected in net[1].routes(), "flip %d is not followed" % number)
        counted = sender.stop()
        self.assertGreater(counted["sent"], 10 * flips)
        self.assertEqual(counted["failed"], {})

    def flip(self, cidr, old, new):
        gone = {calico.affinity_path(nodes.name(old), cidr): None} if old else {}
        self.change(gone, nodes.block_entries(cidr, nodes.name(new)))

    def test_changes_elsewhere_lose_no_ping(self):
        """Blocks come and go, nodes change; packets that it does not concern pass every millisecond."""
        net = self.build(pods=True)
        self.start()
        for number in nodes.UNDERLAY:
            for family in (4, 6):
                self.assertRoutes(net[number], nodes.overlay(number, family), family)
        targets = [nodes.address(other, family=family) for other in (2, 3) for family in (4, 6)]
        for target in targets:
            self.assertReaches(net.pods[1], target)
        pings = [self.ping(net.pods[1], target) for target in targets]
        for part in range(100, 110):
            cidr = "10.65.%d.0/26" % part
            self.change(nodes.block_entries(cidr, "n2"), nodes.block_entries("fd65:%d::/122" % part, "n3"))
            self.assertRoutes(net[1], [*nodes.overlay(1), nodes.tunnelled(2, destination=cidr)])
            self.change(
                dict.fromkeys(nodes.block_entries(cidr, "n2")), dict.fromkeys(nodes.block_entries("fd65:%d::/122" % part, "n3"))
            )
            self.assertRoutes(net[1], nodes.overlay(1))
        for one in pings:
            self.assertGreater(self.assertNoneLost(one), 1000)

    def test_a_change_of_mode_back_and_forth_loses_no_ping(self):
        net = self.build(pods=True)
        self.start()
        for number in nodes.UNDERLAY:
            self.assertRoutes(net[number], nodes.overlay(number))
        for other in (2, 3):
            self.assertReaches(net.pods[1], nodes.address(other))
        pings = [self.ping(net.pods[1], nodes.address(other)) for other in (2, 3)]
        for mode, expected in (("CrossSubnet", nodes.cross_subnet), ("Always", nodes.overlay)) * 3:
            self.set_pools(vxlanMode=mode)
            for number in nodes.UNDERLAY:
                self.assertRoutes(net[number], expected(number))
        for one in pings:
            self.assertNoneLost(one)

    def test_an_agent_that_restarts_loses_no_ping(self):
        net = self.build(pods=True)
        agents = self.start()
        for number in nodes.UNDERLAY:
            self.assertRoutes(net[number], nodes.overlay(number))
        self.assertReaches(net.pods[1], nodes.address(3))
        pings = self.ping(net.pods[1], nodes.address(3))
        for agent in agents * 3:
            agent.kill()
            agent.start()
        self.assertNoneLost(pings)


if __name__ == "__main__":
    isolation.main()
