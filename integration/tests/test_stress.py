#!/usr/bin/env python3
"""Many plugin processes on one network at once, some of them killed, while the collector runs."""

import collections
import concurrent.futures
import os
import signal
import subprocess
import threading

import isolation
import ledger
import plugin
import seeds

ADDITIONS, AT_ONCE = 200, 24


def moment(random, share):
    """When to kill a process, for this share of all; spread over the life of one under load."""
    return random.uniform(0, 0.04) if random.random() < share else None


def waits_for_lock(pid):
    """True when the kernel lists the process as blocked by a lock."""
    with open("/proc/locks", encoding="ascii") as locks:
        return any(row.split()[1] == "->" and row.split()[5] == str(pid) for row in locks)


class Parallel(plugin.PluginTest):
    """A network under load from threads that each run one plugin process at a time."""

    def setUp(self):
        super().setUp()
        self.pods = self.network(sets=["10.51.0.0/24", "fd00:51::/64"], version="0.4.0")
        self.ledger = ledger.Ledger()
        self.tally = collections.Counter()

    def start(self, verb, container):
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        return subprocess.Popen([plugin.host_local()], env=plugin.environment(verb, container=container), **pipes)

    def killed(self, verb, container, delay, valid=None):
        """Runs a call that gets SIGKILL after a delay, unless that is None. Returns (was it killed in time, answer)."""
        more = {} if valid is None else {"cniVersion": "1.1.0", "cni.dev/valid-attachments": valid}
        process = self.start(verb, container)
        try:
            out, error = process.communicate(plugin.encode(self.pods.config(**more)), timeout=delay)
        except subprocess.TimeoutExpired:
            process.kill()
            out, error = process.communicate()
        dead = process.returncode == -signal.SIGKILL
        self.tally["killed " + verb] += dead
        return dead, plugin.Answer(process.returncode, out, error, verb)

    def addition(self, container, delay, binary, deletion):
        """ADD of one container, killed when `delay` is given, and perhaps its DEL."""
        # Only ours is killed: what the others leave behind then is not for us to answer for.
        if delay is None:
            dead, answer = False, self.pods.add(container, binary=binary)
        else:
            dead, answer = self.killed("ADD", container, delay)
        if dead:
            self.ledger.give_up(container)
        elif answer.status == 0:
            self.ledger.returned(container, answer.addresses)
        else:
            self.ledger.complain("ADD %s: %s" % (container, answer))
        if deletion is not None and not dead:
            self.deletion(container, *deletion)

    def deletion(self, container, delay, binary):
        self.ledger.give_up(container)
        if delay is None:
            dead, answer = False, self.pods.delete(container, binary=binary)
        else:
            dead, answer = self.killed("DEL", container, delay)
        if dead:
            return
        if answer.status == 0:
            self.ledger.released(container)
        else:
            self.ledger.complain("DEL %s: %s" % (container, answer))

    def collector(self, random, over):
        """GC after GC until the additions are over, a third of them killed."""
        while not over.is_set():
            valid = [{"containerID": container, "ifname": name} for container, name in self.ledger.valid()]
            dead, answer = self.killed("GC", "", moment(random, 0.3), valid)
            self.tally["GC"] += 1
            if not dead and (answer.status or answer.stdout):
                self.ledger.complain("GC: %s" % answer)

    def storm(self, random, generation):
        """All additions, a part of them killed, a part deleted again, with two collectors beside them."""
        binaries = [plugin.host_local()] * 3 + [plugin.other_host_local()]
        containers = ["g%d-%d" % (generation, number) for number in range(ADDITIONS)]
        self.ledger.intend(containers)
        over = threading.Event()
        collectors = [threading.Thread(target=self.collector, args=(seeds.child(random), over)) for _ in range(2)]
        for thread in collectors:
            thread.start()
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            jobs = []
            for container in containers:
                deletion = (moment(random, 0.3), random.choice(binaries)) if random.random() < 0.4 else None
                jobs.append(
                    pool.submit(self.addition, container, moment(random, 0.25), random.choice(binaries), deletion)
                )
        over.set()
        for thread in collectors:
            thread.join()
        for job in jobs:
            job.result()

    def settle(self):
        """The runtime's DEL for everything killed or unknown."""
        for container in sorted(self.ledger.doubtful):
            self.assertSucceeds(self.pods.delete(container))
        self.ledger.doubtful.clear()

    def test_no_address_is_held_twice_or_lost(self):
        """Under parallel ADD, DEL and GC with kills, nobody shares an address, and afterwards none is missing."""
        random = seeds.source("the storm")
        for generation in range(seeds.count("ROUNDS", 3)):
            self.storm(random, generation)
            self.assertEqual(self.ledger.violations, [])
            self.settle()
            expected = {
                address: plugin.content(container)
                for container, addresses in self.ledger.held.items()
                for address in addresses
            }
            found = self.pods.reservations()
            self.assertEqual([address for address, held in found.items() if not held], [], "empty reservations")
            self.assertEqual(found, expected, "the directory is not what the living hold")
            self.assertRefills(sorted(self.ledger.held))
        print("calls: %s" % sorted(self.tally.items()))
        for verb in ("ADD", "DEL", "GC"):
            self.assertGreater(self.tally["killed " + verb], 0, "no %s was killed in time" % verb)

    def assertRefills(self, living):
        """Every v4 address that the living do not hold can be had; then all of them go."""
        self.assertCanBeFilled(self.network(name="pods", sets=["10.51.0.0/24"], version="0.4.0"))
        for container in [*living, *self.fillers()]:
            self.ledger.give_up(container)
            self.assertSucceeds(self.pods.delete(container))
        self.ledger.doubtful.clear()
        self.assertEqual(self.pods.reservations(), {})

    def fillers(self):
        return {held.split(b"\r\n")[0].decode() for held in self.pods.reservations().values()} - set(self.ledger.held)

    def test_one_attachment_is_added_once(self):
        """Of sixteen parallel ADDs of one attachment exactly one succeeds, and its addresses are all there is."""
        for number in range(5):
            container = "same-%d" % number
            with concurrent.futures.ThreadPoolExecutor(16) as pool:
                answers = list(pool.map(lambda _, name=container: self.pods.add(name), range(16)))
            winners = [answer for answer in answers if answer.status == 0]
            self.assertEqual(len(winners), 1, [str(answer) for answer in answers])
            for answer in answers:
                if answer is not winners[0]:
                    self.assertFails(answer, 999, "duplicate allocation is not allowed")
            self.assertReservations(self.pods, dict.fromkeys(winners[0].addresses, container))
            self.assertSucceeds(self.pods.delete(container))

    def test_capacity_is_shared_out_exactly(self):
        """With room for thirteen, exactly thirteen of forty parallel ADDs succeed."""
        small = self.network(name="small", sets=["10.52.0.0/28"], version="0.4.0")
        binaries = [plugin.host_local()] * 4 + [plugin.other_host_local()]
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            jobs = [pool.submit(small.add, "c%d" % number, binary=binaries[number % 5]) for number in range(40)]
        answers = [job.result() for job in jobs]
        given = [answer.addresses[0] for answer in answers if answer.status == 0]
        self.assertEqual(sorted(given), sorted("10.52.0.%d" % last for last in range(2, 15)))
        for answer in answers:
            if answer.status:
                self.assertFails(answer, 999, "no ip addresses available")
        self.assertEqual(set(small.reservations()), set(given))

    def test_lock_of_a_killed_process_is_free(self):
        """A process killed while it waits for the lock, and one killed that holds it, stop nobody."""
        self.assertSucceeds(self.pods.add("first"))
        holder = subprocess.Popen(
            ["flock", "--no-fork", os.path.join(self.pods.directory, "lock"), "sh", "-c", "echo held; exec cat"],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
        )
        self.assertEqual(holder.stdout.readline(), b"held\n")
        waiting = self.start("ADD", "waiting")
        waiting.stdin.write(plugin.encode(self.pods.config()))
        waiting.stdin.close()
        while not waits_for_lock(waiting.pid):
            self.assertIsNone(waiting.poll(), "did not wait for the lock")
        waiting.kill()
        waiting.wait()
        waiting.stdout.close()
        waiting.stderr.close()
        holder.kill()
        holder.communicate()
        self.assertSucceeds(self.pods.add("second"))
        self.assertEqual(len(self.pods.reservations()), 4)


if __name__ == "__main__":
    isolation.main()
