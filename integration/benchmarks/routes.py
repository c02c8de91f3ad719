#!/usr/bin/env python3
"""ipam-node against `ip -batch` with the same routes, in one run; what counts are the ratios. Called by integration/benchmark."""

import argparse
import os
import statistics
import subprocess
import sys
import time

import measure
import report
import routing

# Routes and the next hops that they are dealt out to.
SIZES = [(1_000, 10), (1_000, 1_000), (10_000, 10), (10_000, 1_000), (10_000, 5_000)]
LARGE = [(100_000, 10), (100_000, 1_000), (100_000, 5_000)]
# Seconds for one section's rounds.
BUDGET = 20
SYNC_RATIO, TUNNEL_RATIO, FLATNESS, REPAIR_LIMIT = 0.7, 0.1, 2, 20
MEMORY_LIMIT, REST_LIMIT, REST_SECONDS = 50, 0.1, 60
FLIPS = 20_000
SECONDS = "ipam_node_reconcile_duration_seconds_sum"
BYTES, MESSAGES = "ipam_node_datastore_read_bytes_total", "ipam_node_netlink_messages_total"


def amount(number):
    return format(number, ",")


class Benchmark:
    def __init__(self, chosen, directory):
        self.chosen, self.directory, self.rows = chosen, directory, []
        os.environ["IPAM_NODE"] = chosen.ours

    def row(self, title, ours, original=None, empty=None, bars=(), unit="ms", note=""):
        row = report.Row(title, ours, original, empty, tuple(bars), unit, note)
        self.rows.append(row)
        print("  " + row.line(), flush=True)

    def scene(self, *arguments, **options):
        return routing.Scene(self.directory, *arguments, **options)

    # MARK: whole processes

    def programs(self, scene):
        """The commands of both that make the scene's routes, as `measure` runs them."""
        scene.write_list()
        inside = [routing.IP, "netns", "exec", scene.namespace.name]
        ours = [routing.IP, *scene.of_list().command("sync")[1:]]
        theirs = [*inside, routing.IP, "-batch", scene.write_batch()]
        return (lambda _: measure.run(ours, os.environ)), (lambda _: measure.run(theirs, os.environ))

    def check(self, scene, who):
        if scene.count() != scene.routes:
            raise RuntimeError("%s made %d of %d routes" % (who, scene.count(), scene.routes))

    def reconcile(self, scene):
        """One first reconciling of an agent, as it measures it: computation, comparison and everything that the kernel does."""
        agent = scene.of_list(listen="127.0.0.1:%d" % routing.agents.PORT).start(is_ready=False)
        routing.waiting.until(agent.is_ready, lambda: "not ready:\n" + agent.log(), 120)
        sample = measure.Sample(agent.metrics()[SECONDS], routing.processor_time(agent.process.pid), 0)
        agent.kill()
        return sample

    def initial(self, sizes):
        """All routes missing, then all there."""
        for routes, hops in sizes:
            with self.scene(routes, hops) as scene:
                ours, theirs = self.programs(scene)
                steps = [
                    (None, lambda _: scene.empty()),
                    ("ours", ours),
                    (None, lambda _: self.check(scene, "ipam-node")),
                    ("ours again", ours),
                    ("reconciling again", lambda _: self.reconcile(scene)),
                    (None, lambda _: scene.empty()),
                    ("reconciling", lambda _: self.reconcile(scene)),
                    (None, lambda _: self.check(scene, "ipam-node")),
                    (None, lambda _: scene.empty()),
                    ("ip", theirs),
                    (None, lambda _: self.check(scene, "ip")),
                    ("ip again", theirs),
                ]
                taken = measure.in_turn(steps, BUDGET, least=3, most=20)
                title = "%s routes over %s next hops" % (amount(routes), amount(hops))
                bars = [report.Bar("original", SYNC_RATIO)] if (routes, hops) == (10_000, 10) else []
                self.row("initial sync, %s: reconciling" % title, taken["reconciling"], taken["ip"], None, bars)
                self.row("initial sync, %s: whole process" % title, taken["ours"], taken["ip"])
                self.row("nothing to do, %s: reconciling" % title, taken["reconciling again"], taken["ip again"])
                self.row("nothing to do, %s: whole process" % title, taken["ours again"], taken["ip again"])

    def tunnel(self, routes=20_000, hops=5_000):
        """Next hops on a tunnel device; the agent makes the device, neighbours and forwarding entries as well."""
        with self.scene(routes, hops, tunnel=True) as scene:
            ours, theirs = self.programs(scene)

            def prepare(_):
                scene.empty()
                scene.make_tunnel()

            steps = [
                (None, lambda _: scene.empty()),
                ("ours", ours),
                (None, lambda _: self.check(scene, "ipam-node")),
                (None, lambda _: scene.empty()),
                ("reconciling", lambda _: self.reconcile(scene)),
                (None, lambda _: self.check(scene, "ipam-node")),
                (None, prepare),
                ("ip", theirs),
                (None, lambda _: self.check(scene, "ip")),
            ]
            taken = measure.in_turn(steps, BUDGET, least=3, most=10)
            title = "%s routes over %s next hops on a VXLAN device" % (amount(routes), amount(hops))
            bars = [report.Bar("original", TUNNEL_RATIO)]
            self.row("initial sync, %s: reconciling" % title, taken["reconciling"], taken["ip"], None, bars)
            self.row("initial sync, %s: whole process" % title, taken["ours"], taken["ip"])

    # MARK: the agent that stays

    def running(self, scene, **options):
        agent = scene.of_store(**options)
        agent.start(is_ready=False)
        routing.waiting.until(agent.is_ready, lambda: "not ready:\n" + agent.log(), 120)
        return agent

    def changes(self, scene, agent, count=30):
        """Blocks that come one by one: (seconds from commit to route, seconds of reconciling, seconds of processor) each."""
        waits, durations, processor = [], [], []
        with routing.Listener(scene) as listener:
            for number in range(count):
                cidr = routing.dotted((10 << 24) + (200 << 16) + number * 64) + "/26"
                before, used = agent.metrics()[SECONDS], routing.processor_time(agent.process.pid)
                began = time.perf_counter()
                scene.store.put_all(routing.calico.filled(cidr, "m0", []))
                waits.append(listener.when(routing.RTM_NEWROUTE, cidr, began) - began)
                # One look at the datastore later all that the change caused is done; the next one comes at another moment
                # of the half second between looks.
                time.sleep(0.6 + number % 10 * 0.05)
                processor.append(routing.processor_time(agent.process.pid) - used)
                durations.append(agent.metrics()[SECONDS] - before)
        return [statistics.median(one) * 1000 for one in (waits, durations, processor)]

    def repairs(self, scene, count=30):
        """Milliseconds from the deletion of a route by a stranger to the route's return."""
        samples = []
        with routing.Listener(scene) as listener:
            for number in range(count):
                cidr, began = scene.block(number * (scene.routes // count)), time.perf_counter()
                scene.ip("route", "del", cidr, "proto", "84")
                gone = listener.when(routing.RTM_DELROUTE, cidr, began)
                samples.append((listener.when(routing.RTM_NEWROUTE, cidr, gone) - gone) * 1000)
        return samples

    def incremental(self):
        """One change and one repair among few routes and among many."""
        before = None
        for routes, hops in ((100, 10), (10_000, 1_000), (100_000, 1_000)):
            with self.scene(routes, hops) as scene:
                scene.write_store()
                agent = self.running(scene)
                self.check(scene, "ipam-node")
                wait, duration, processor = self.changes(scene, agent)
                among = "among %s routes" % amount(routes)
                bars = [report.Bar("empty", FLATNESS)] if routes == 100_000 else []
                first = before or (None, None)
                self.row("one change " + among + ": reconciling", duration, None, first[0], bars)
                self.row("one change " + among + ": processor time, HTTP included", processor, None, first[1])
                self.row("one change " + among + ": from commit to kernel", wait)
                samples = self.repairs(scene)
                bars = [report.Bar("itself", REPAIR_LIMIT)] if routes == 100_000 else []
                note = "most %s ms" % report.figure(max(samples))
                self.row("a stranger's deletion repaired " + among, statistics.median(samples), bars=bars, note=note)
                before = before or (duration, processor)
                if routes == 100_000:
                    self.restart(scene, agent)

    def restart(self, scene, agent):
        """Everything is there: what is said to the kernel, and for how long."""
        agent.kill()
        began = time.perf_counter()
        with routing.Listener(scene) as listener:
            agent.start(is_ready=False)
            routing.waiting.until(agent.is_ready, lambda: "not ready:\n" + agent.log(), 120)
            took = (time.perf_counter() - began) * 1000
            told = sum(kind in (routing.RTM_NEWROUTE, routing.RTM_DELROUTE) for _, kind, _ in listener.events)
        title = "restart with %s routes present" % amount(scene.routes)
        sent = sum(value for name, value in agent.metrics().items() if name.startswith(MESSAGES) and "route" in name)
        self.row(title + ": route messages sent", sent, bars=[report.Bar("itself", 0)], unit="", note="%d told of by the kernel" % told)
        self.row(title + ": from spawn to ready", took)

    def rest(self, hops=5_000):
        """The agent with nothing to do, and 1,000 allocations in other nodes' blocks."""
        with self.scene(4 * hops, hops, tunnel=True) as scene:
            scene.write_store()
            agent = self.running(scene)
            self.check(scene, "ipam-node")
            process, at = agent.process.pid, "at rest, %s nodes with 4 blocks each" % amount(hops)
            self.row("bytes read from the datastore at the start, " + at[9:], agent.metric(BYTES) / 1e6, unit="MB")
            time.sleep(5)
            used = routing.processor_time(process)
            time.sleep(REST_SECONDS)
            used = (routing.processor_time(process) - used) / REST_SECONDS * 100
            self.row("processor, " + at, used, bars=[report.Bar("itself", REST_LIMIT)], unit="% of a core")
            memory = routing.resident_memory(process)
            self.row("memory, " + at, memory, bars=[report.Bar("itself", MEMORY_LIMIT)], unit="MiB")
            before = agent.metric(BYTES)
            for number in range(1000):
                scene.store.put_all(self.remote_add(scene, number % 500, number // 500 + 1))
            time.sleep(3)
            read = agent.metric(BYTES) - before
            self.row("bytes read from the datastore in 1,000 remote ADDs", read, bars=[report.Bar("itself", 0)], unit="B")

    @staticmethod
    def remote_add(scene, index, count):
        """What an ADD on another node writes into a block that it has: the block and a handle, and no affinity."""
        cidr, node = scene.block(index), "m%d" % (index % scene.hops)
        entries = routing.calico.filled(cidr, node, ["add-%d-%d" % (index, one) for one in range(count)])
        del entries[routing.calico.affinity_path(node, cidr)]
        return entries

    def flips(self):
        """One route between two next hops under a sender that does not pause; a program of its own, in one process."""
        if not self.chosen.flips:
            return
        paths = [
            ("IPv4", "172.16.0.1", "198.51.100.0/24", "172.16.0.2", "172.16.0.3", "198.51.100.1"),
            ("IPv6", "fd00:16::1", "fd00:51::/64", "fd00:16::2", "fd00:16::3", "fd00:51::1"),
        ]
        for family, *path, target in paths:
            with self.scene(1, 2) as scene:
                scene.ip("addr", "add", "fd00:16::1/64", "dev", "eth0")
                for gateway in path[2:]:
                    # Nobody answers for it, and a sender would wait for the answer.
                    scene.ip("neigh", "add", gateway, "lladdr", "02:00:00:00:00:01", "dev", "eth0", "nud", "permanent")
                with self.flipping(scene, path) as program:
                    sender = routing.traffic.sent(scene.place, scene.namespace, target)
                    said, _ = program.communicate("go\n", timeout=120)
                    counted = sender.stop()
                note = "%s sent, %.1f µs a flip" % (amount(counted["sent"]), int(said) / 1000)
                note += "".join(", %d with %s" % (times, error) for error, times in counted["failed"].items())
                title = "failed sends while an %s route flips %s times" % (family, amount(FLIPS))
                failed = sum(counted["failed"].values())
                if counted["sent"] < FLIPS:
                    raise RuntimeError("only %d datagrams while the route flipped" % counted["sent"])
                self.row(title, failed, bars=[report.Bar("itself", 0)], unit="", note=note)

    def flipping(self, scene, path):
        """The program that flips, with its route in place and waiting for a line."""
        command = [*scene.namespace.wrapper, self.chosen.flips, str(FLIPS), *path]
        program = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        if (said := program.stdout.readline()) != "ready\n":
            raise RuntimeError("%s does not start: %s" % (self.chosen.flips, said))
        return program

    def run(self):
        sections = {
            "initial": lambda: self.initial(SIZES),
            "tunnel": self.tunnel,
            "incremental": self.incremental,
            "rest": self.rest,
            "flips": self.flips,
            "large": lambda: self.initial(LARGE),
        }
        for name in self.chosen.sections or sections:
            sections[name]()


def arguments():
    parser = argparse.ArgumentParser(prog="integration/benchmark routes", description=__doc__)
    parser.add_argument("--ours", default=os.environ.get("IPAM_NODE"), help="ipam-node (environment: IPAM_NODE)")
    parser.add_argument("--flips", default=os.environ.get("FLIPS"), help="RouteFlips (environment: FLIPS)")
    results = os.path.join(os.path.dirname(routing.HERE), "results", "routes.md")
    parser.add_argument("--output", default=results, help="where the report goes")
    names = ["initial", "tunnel", "incremental", "rest", "flips", "large"]
    parser.add_argument("sections", nargs="*", metavar="SECTION", help="all, or some of: " + ", ".join(names))
    chosen = parser.parse_args()
    if not chosen.ours or not os.access(chosen.ours, os.X_OK):
        parser.error("%s is not executable" % chosen.ours)
    if unknown := set(chosen.sections) - set(names):
        parser.error("no section %s" % ", ".join(sorted(unknown)))
    return chosen


TEXT = """\
# ipam-node against ip -batch

Repeat it with `integration/benchmark routes`.

- ipam-node: %(ours)s
- ip: %(ip)s
- machine: %(machine)s
- date: %(date)s

%(met)d bars met, %(missed)d missed.

%(table)s

Times of both are the median and, in brackets, the least, taking turns in one loop. `ip` is `ip -batch` with a file of
`route replace`, from spawn to exit. Reconciling is what the agent measures itself: computing routes from nodes, reading
the kernel's tables, comparing, and everything that the kernel does; whole process is `ipam-node sync` with a list of
nodes, from spawn to exit, with the reading of the list and the 10 ms in which the agent collects what comes together. On
the VXLAN device the agent makes the device, a neighbour, a forwarding entry and a nexthop object for each node as well;
`ip` makes the routes alone. Changes are blocks written to an SQLite file that the agent watches; from commit to kernel
includes the wait for its next look at the file. A repair is from the kernel's notification of the deletion to that of the
new route. "To 100" is the figure among 100 routes. A bar is the most that a ratio of medians, or the figure itself, may be.
"""


def main():
    chosen = arguments()
    with report.workplace() as (directory, machine):
        benchmark = Benchmark(chosen, directory)
        benchmark.run()
    headings = ["what", "ipam-node", "ip", "ratio", "bar", "to 100", "bar", "CPU, ratio", "runs"]
    versions = {"ours": said(chosen.ours, "--version"), "ip": said(routing.IP, "-V")}
    return report.publish(TEXT, chosen.output, benchmark.rows, headings, machine=machine, **versions)


def said(*command):
    return subprocess.run(command, capture_output=True, text=True).stdout.strip().splitlines()[0]


if __name__ == "__main__":
    sys.exit(main())
