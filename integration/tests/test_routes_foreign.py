#!/usr/bin/env python3
"""Other programs that route the same destinations: BIRD beside the agent, Felix's routes, and taking over on request."""

import os
import shutil
import subprocess
import unittest

import iproute
import isolation
import nodes
import waiting

BLOCK = nodes.block(2)
CONFIGURATION = """
router id 172.30.1.11;
log "%(log)s" all;
protocol device { scan time 1; }
protocol static blocks {
  ipv4;
%(routes)s
}
protocol kernel {
  learn;
  %(persist)s
  scan time 1;
  metric %(metric)d;
  ipv4 { import all; export where source = RTS_STATIC; };
}
"""


class Bird:
    """Debian's BIRD in a node's namespace, with static routes that it puts into the kernel.

    Calico's BIRD uses metric 0 or a large one, BIRD 2 uses 32 unless told otherwise.
    """

    def __init__(self, test, node, routes, persists=False, metric=0):
        self.program = shutil.which("bird")
        if not self.program:
            raise unittest.SkipTest("no bird (Debian's bird2)")
        self.directory = os.path.join(test.temporary, "bird-" + node.name)
        os.makedirs(self.directory, exist_ok=True)
        self.log = os.path.join(self.directory, "log")
        text = CONFIGURATION % {
            "log": self.log,
            "routes": "\n".join("  route %s;" % route for route in routes),
            "persist": "persist;" if persists else "",
            "metric": metric,
        }
        with open(os.path.join(self.directory, "bird.conf"), "w", encoding="ascii") as file:
            file.write(text)
        self.node, self.process = node, None
        test.addCleanup(self.stop)

    def start(self):
        command = [*self.node.host.wrapper, self.program, "-f", "-c", os.path.join(self.directory, "bird.conf")]
        command += ["-s", os.path.join(self.directory, "control"), "-P", os.path.join(self.directory, "pid")]
        self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL)
        return self

    def stop(self):
        """Ends it cleanly: its routes go, unless they persist."""
        if self.process is not None and self.process.poll() is None:
            self.process.terminate()
            self.process.wait(timeout=30)


class Beside(nodes.RoutesTest):
    """Unencapsulated pools, and two nodes that reach each other."""

    def setUp(self):
        super().setUp()
        self.net = self.build()
        self.node = self.net[1]

    def bird(self, *routes, **options):
        return Bird(self, self.node, routes or ["%s via 172.30.1.12" % BLOCK], **options).start()

    def birds_routes(self):
        return self.node.routes(protocol=iproute.BIRD)

    def assertBirds(self, count=1):
        waiting.until(
            lambda: len([one for one in self.birds_routes() if one.startswith(BLOCK)]) == count,
            lambda: "BIRD has %s" % self.birds_routes(),
        )

    def assertOwn(self, expected, seconds=15):
        self.assertRoutes(self.node, expected, seconds=seconds)


class WithBird(Beside):
    def test_R32_what_BIRD_programs_is_left_to_it_and_said(self):
        bird = self.bird()
        self.assertBirds()
        agent = self.start(1)
        self.assertCondition(agent, "Foreign", BLOCK, "BIRD")
        self.assertStay(self.node, [nodes.blackhole(1)], 3)
        self.assertBirds()
        self.assertEqual(len(agent.said(BLOCK, "BIRD")), 1, agent.log())
        # The plan says so, too.
        self.assertIn("held", agent.call("plan").stdout.lower())
        bird.stop()
        # BIRD's route goes with it, and the agent steps in.
        self.assertOwn([nodes.blackhole(1), nodes.direct(2)], 30)
        self.assertBirds(0)
        self.assertNoCondition(agent, "Foreign")

    def test_R32_a_route_of_BIRD_at_another_metric_counts_as_well(self):
        """Both would be in the table, and which one forwards would be an accident."""
        bird = self.bird(metric=32)
        self.assertBirds()
        agent = self.start(1)
        self.assertCondition(agent, "Foreign", BLOCK, "BIRD")
        self.assertStay(self.node, [nodes.blackhole(1)], 2)
        bird.stop()
        self.assertOwn([nodes.blackhole(1), nodes.direct(2)], 30)

    def test_R12_adoption_takes_over_at_once_and_BIRD_cannot_take_it_back(self):
        bird = self.bird(persists=True)
        self.assertBirds()
        self.start(1, adopt_bird_tunnel_routes=True)
        expected = [nodes.blackhole(1), nodes.direct(2)]
        self.assertOwn(expected)
        bird.stop()
        self.assertStay(self.node, expected, 2)

    def test_R12_without_adoption_routes_that_outlive_BIRD_stay_BIRDs(self):
        bird = self.bird(persists=True)
        self.assertBirds()
        bird.stop()
        self.assertBirds()
        agent = self.start(1)
        self.assertCondition(agent, "Foreign", BLOCK, "BIRD")
        self.assertStay(self.node, [nodes.blackhole(1)], 2)
        self.assertBirds()

    def test_routes_of_ours_are_not_lost_to_a_BIRD_that_comes_later(self):
        self.start(1)
        expected = [nodes.blackhole(1), nodes.direct(2)]
        self.assertOwn(expected)
        bird = self.bird()
        self.assertStay(self.node, expected, 3)
        bird.stop()
        self.assertStay(self.node, expected, 2)

    def test_what_BIRD_routes_elsewhere_is_not_touched(self):
        self.bird("192.0.2.0/24 via 172.30.1.1")
        waiting.until(lambda: any("192.0.2.0/24" in one for one in self.birds_routes()), "BIRD has no route")
        agent = self.start(1)
        self.assertOwn([nodes.blackhole(1), nodes.direct(2)])
        agent.stop()
        agent.cleanup()
        self.assertOwn([])
        self.assertTrue(any("192.0.2.0/24" in one for one in self.birds_routes()))


class WithFelix(Beside):
    """Felix's routes, as it leaves them."""

    def setUp(self):
        super().setUp()
        self.routes = ["%s via 172.30.1.12 dev eth0 onlink" % BLOCK, "10.65.99.0/26 via 172.30.1.12 dev eth0 onlink"]
        for route in self.routes:
            self.node.ip("route", "add", *route.split(), "proto", "80")

    def test_R10_Felixs_routes_are_left_alone(self):
        """Those of blocks and those that nothing wants."""
        agent = self.start(1)
        self.assertCondition(agent, "Foreign", BLOCK, "Felix")
        self.assertStay(self.node, [nodes.blackhole(1)], 2)
        self.assertRoutes(self.node, self.routes, protocol=iproute.FELIX, seconds=1)
        agent.stop()
        agent.cleanup()
        self.assertRoutes(self.node, self.routes, protocol=iproute.FELIX, seconds=1)

    def test_the_agent_steps_in_where_Felix_withdraws(self):
        self.start(1)
        self.assertOwn([nodes.blackhole(1)])
        self.node.ip("route", "del", BLOCK, "proto", "80")
        self.assertOwn([nodes.blackhole(1), nodes.direct(2)])

    def test_R12_adoption_takes_the_wanted_ones_over(self):
        monitor = iproute.Monitor(self, self.node.host)
        self.start(1, adopt_felix_tunnel_routes=True)
        self.assertOwn([nodes.blackhole(1), nodes.direct(2)])
        waiting.until(
            lambda: not any(BLOCK in one for one in self.node.routes(protocol=iproute.FELIX)), "Felix's route is there, too"
        )
        self.assertEqual([text for text in monitor.deleted(iproute.FELIX) if BLOCK in text], [], "a gap")

    def test_R10_with_Felixs_number_all_of_them_are_the_agents(self):
        """Explicit adoption: what is not wanted goes."""
        self.start(1, adopt_felix_tunnel_routes=True, route_protocol=80)
        self.assertRoutes(self.node, [nodes.blackhole(1), nodes.direct(2)], protocol=iproute.FELIX)

    def test_R11_numbers_of_others_are_refused(self):
        agent = self.node.prepare()
        for number in (0, 1, 2, 3, 4, 9, 11, 12, 16, *range(186, 193)):
            done = agent.call("sync", route_protocol=number)
            self.assertNotEqual(done.status, 0, number)
            self.assertIn(str(number), done.stderr)
        done = agent.call("sync", route_protocol=80)
        self.assertNotEqual(done.status, 0)
        self.assertIn("adopt", done.stderr)
        self.assertRoutes(self.node, [], seconds=1)


class WithNobody(Beside):
    def test_R10_everything_that_is_not_ours_is_as_it_was(self):
        """Routes of many protocols, in and outside of the pool, over the life of an agent and a cleanup."""
        for number in (3, 4, 12, 16, 80, 99, 186):
            for cidr in ("10.65.%d.0/24" % (200 - number // 2), "203.0.113.%d/32" % number):
                self.node.ip("route", "add", cidr, "via", "172.30.1.1", "proto", str(number))
                self.node.ip("route", "add", "blackhole", cidr, "metric", "500", "proto", str(number))
        self.node.ip("route", "add", "10.65.3.0/26", "via", "172.30.1.1", "table", "100", "proto", "84")
        before = iproute.tables(self.node.host, 4)
        agent = self.start(1)
        own = [nodes.blackhole(1), nodes.direct(2)]
        self.assertOwn(own)
        self.assertEqual({**iproute.tables(self.node.host, 4), iproute.AGENT: []}, {**before, iproute.AGENT: []})
        agent.stop()
        agent.cleanup()
        self.assertEqual(dict(iproute.tables(self.node.host, 4)), dict(before))
        other = iproute.read_json("ip", "-n", self.node.host.name, "-j", "route", "show", "table", "100")
        self.assertEqual(len(other), 1, "a route of another table")


if __name__ == "__main__":
    isolation.main()
