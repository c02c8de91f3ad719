#!/usr/bin/env python3
"""What people and programs are shown of routes, and what the agent needs of the kernel to make them."""

import json
import os
import re
import shutil
import subprocess
import unittest

import isolation
import nodes


def ipamctl():
    """The operator's tool."""
    path = os.environ.get("IPAMCTL", "")
    if not os.access(path, os.X_OK):
        raise unittest.SkipTest("IPAMCTL names no program: build the product ipamctl")
    return os.path.abspath(path)


class Shown(nodes.RoutesTest):
    pool = {"vxlanMode": "CrossSubnet"}

    def show(self, inside, node, *more):
        """The routes of a node as `ipamctl route show` tells them on another or the same one."""
        command = [*inside.host.wrapper, ipamctl(), "route", "show", "--node", node, "--database", self.database]
        done = subprocess.run([*command, *more], capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def states(self, text):
        return {one["destination"]: (one["state"], one["node"]) for one in json.loads(text)["routes"]}

    def test_route_show_compares_with_the_kernel_of_the_node_itself(self):
        net = self.build()
        answer = net[1].prepare().sync()
        self.assertEqual(answer.status, 0, answer)
        self.assertRoutes(net[1], nodes.cross_subnet(1))
        shown = self.states(self.show(net[1], "n1", "-o", "json"))
        wanted = {nodes.block(number, family): ("present", "n%d" % number) for number in (1, 2, 3) for family in (4, 6)}
        self.assertEqual(shown, wanted)
        net[1].ip("route", "del", nodes.block(2))
        self.assertEqual(self.states(self.show(net[1], "n1", "-o", "json"))[nodes.block(2)], ("missing", "n2"))

    def test_route_show_of_another_node_says_what_it_should_have(self):
        net = self.build()
        shown = self.states(self.show(net[1], "n3", "-o", "json"))
        self.assertEqual({state for state, _ in shown.values()}, {None})
        self.assertEqual(len(shown), 6)
        table = self.show(net[1], "n3")
        self.assertRegex(table, r"%s +blackhole" % re.escape(nodes.block(3)))
        self.assertRegex(table, r"%s +%s +vxlan.calico +n1" % (re.escape(nodes.block(1)), nodes.address(1, nodes.TUNNEL)))
        self.assertRegex(table, "only it can tell")

    def test_R6_the_decision_for_each_destination_is_in_the_agents_answers(self):
        net = self.build()
        agent = self.start(1)
        self.assertRoutes(net[1], nodes.cross_subnet(1))
        status, body = agent.get("/routes")
        self.assertEqual(status, 200, body)
        reasons = {one["destination"]: one["reason"] for one in json.loads(body)["routes"]}
        self.assertIn("on this node's link", reasons[nodes.block(2)])
        self.assertIn("not in this node's subnet", reasons[nodes.block(3)])

    def test_forwarding_that_is_off_is_said_and_left_as_it_is(self):
        net = self.build()
        net[1].host.run("sysctl", "-q", "-w", "net.ipv4.ip_forward=0")
        agent = self.start(1)
        self.assertCondition(agent, "HostSetting", "net.ipv4.ip_forward")
        self.assertEqual(net[1].host.run("sysctl", "-n", "net.ipv4.ip_forward").strip(), "0")

    def test_an_agent_with_another_nodes_name_sends_nothing_of_this_machine_to_itself(self):
        net = self.build()
        agent = self.start(1, node_name="nobody")
        self.assertCondition(agent, "Unresolved", "nobody")
        for route in net[1].routes():
            self.assertNotIn(nodes.block(1), route)
            self.assertNotIn(nodes.underlay(1), route)


class Sockets(nodes.RoutesTest):
    pool = {"vxlanMode": "Always"}

    def test_R26_only_routing_is_asked_of_the_kernel_and_connections_are_not_touched(self):
        if shutil.which("strace") is None:
            self.skipTest("strace is missing (package strace)")
        net = self.build()
        trace = os.path.join(self.temporary, "trace")
        wrapper = ("strace", "-f", "-qq", "-e", "trace=socket,openat,execve", "-o", trace)
        answer = net[1].prepare().call("sync", wrapper=wrapper)
        self.assertEqual(answer.status, 0, answer)
        self.assertRoutes(net[1], nodes.overlay(1))
        with open(trace, encoding="utf-8") as file:
            calls = file.read()
        kinds = set(re.findall(r"socket\(AF_NETLINK, [^,]+, (\w+)\)", calls))
        self.assertEqual(kinds, {"NETLINK_ROUTE"})
        self.assertNotIn("conntrack", calls)
        # strace execs the agent; the agent execs nobody.
        self.assertEqual(len(re.findall(r"execve\(", calls)), 1)


if __name__ == "__main__":
    isolation.main()
