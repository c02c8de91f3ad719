#!/usr/bin/env python3
"""Ours and the distribution's host-local (and ORIGINAL, when it is named) take turns on one data directory.

The specification, as a model, is the referee.
"""

import ipaddress
import os

import isolation
import model
import plugin
import seeds

# Network name to configurations that may follow one another on it: the sets, and now and then changed sets.
NETWORKS = {
    "single": [
        [[{"subnet": "10.20.0.0/24"}]],
        [[{"subnet": "10.20.0.0/24", "rangeStart": "10.20.0.100", "rangeEnd": "10.20.0.200"}]],
    ],
    "windows": [
        [
            [
                {"subnet": "10.21.0.0/24", "rangeStart": "10.21.0.10", "rangeEnd": "10.21.0.60"},
                {"subnet": "10.22.0.0/25", "gateway": "10.22.0.126"},
                {"subnet": "10.21.0.0/24", "rangeStart": "10.21.0.100", "rangeEnd": "10.21.0.140"},
            ]
        ]
    ],
    "dual": [
        [[{"subnet": "10.23.0.0/24"}], [{"subnet": "fd00:23::/120"}]],
        [[{"subnet": "fd00:23::/120"}], [{"subnet": "10.23.0.0/24"}]],
    ],
    "tight": [[[{"subnet": "10.24.0.0/24"}], [{"subnet": "fd00:24::/123", "rangeStart": "fd00:24::3"}]]],
    "triple": [[[{"subnet": "10.25.0.0/25"}], [{"subnet": "fd00:25::/64"}], [{"subnet": "10.26.0.0/26"}]]],
}


class History(plugin.PluginTest):
    """One long random history, made of the same calls whoever answers them."""

    def setUp(self):
        super().setUp()
        self.binaries = [plugin.host_local(), plugin.other_host_local()]
        self.binaries += filter(None, [os.environ.get("ORIGINAL")])
        self.random = seeds.source("the alternating history")
        self.directories = {name: model.Directory() for name in NETWORKS}
        self.variant = dict.fromkeys(NETWORKS, 0)
        self.live, self.born, self.step = [], 0, 0
        self.outcomes = {}

    def test_all_give_what_the_specification_says(self):
        """Each call gives the model's result or refusal, and the directory equals the model after every step."""
        for self.step in range(seeds.count("STEPS", 1500)):
            self.one_step()
            if self.step % 100 == 0:
                self.compare_all()
        self.compare_all()
        print("outcomes: %s, %d attachments at the end" % (sorted(self.outcomes.items()), len(self.live)))
        # A history without any of these would be none.
        for outcome in ("ADD", "DEL", "CHECK", "ADD refused", "CHECK refused"):
            self.assertIn(outcome, self.outcomes)

    # MARK: a step

    def one_step(self):
        die = self.random.random()
        if die < 0.01:
            self.reconfigure()
        elif die < 0.02:
            self.leave_old_entry()
        elif die < 0.12:
            self.turn("CHECK", *self.someone())
        elif die < (0.35 if len(self.live) < 400 else 0.6):
            self.turn("DEL", *self.someone())
        else:
            self.turn("ADD", *self.newcomer())

    def someone(self):
        """Mostly a living attachment, at times one that never was."""
        if self.live and self.random.random() < 0.9:
            return self.random.choice(self.live)
        return self.random.choice(sorted(NETWORKS)), "nobody-%d" % self.random.randrange(50), "eth0"

    def newcomer(self):
        """Mostly a new attachment, at times one that has addresses, or a second interface of a container."""
        die = self.random.random()
        if self.live and die < 0.1:
            return self.random.choice(self.live)
        if self.live and die < 0.2:
            network, container, _ = self.random.choice(self.live)
            return network, container, "net%d" % self.random.randrange(3)
        self.born += 1
        return self.random.choice(sorted(NETWORKS)), "c%d" % self.born, "eth0"

    def reconfigure(self):
        name = self.random.choice(sorted(NETWORKS))
        self.variant[name] = self.random.randrange(len(NETWORKS[name]))

    def leave_old_entry(self):
        """An entry of an early release: the id alone."""
        name = self.random.choice(sorted(NETWORKS))
        directory = os.path.join(self.data, name)
        free = [a for a in self.some_addresses(name) if str(a) not in self.directories[name].files]
        if not free or not os.path.isdir(directory):
            return
        self.born += 1
        attachment = (name, "c%d" % self.born, "eth0")
        with open(os.path.join(directory, str(free[0])), "x", encoding="ascii") as entry:
            entry.write(attachment[1])
        self.directories[name].files[str(free[0])] = attachment[1].encode()
        self.live.append(attachment)

    def some_addresses(self, name):
        """One random address from each set of a network."""
        for ranges in model.parse(NETWORKS[name][self.variant[name]]):
            window = self.random.choice(ranges)
            reach = min(int(window.last) - int(window.first), 300)
            yield window.first + self.random.randint(0, reach)

    def requests(self, name, container, interface):
        """Requested addresses, only where all releases agree on the outcome.

        A failing ADD of an attachment with older addresses would roll these back too in the other releases, so such an
        attachment asks for an address of every set, all of them free, or for none.
        """
        if self.random.random() < 0.7:
            return []
        wanted = list(self.some_addresses(name))
        if not self.directories[name].holds(container, interface):
            wanted = [address for address in wanted if self.random.random() < 0.6]
            if self.random.random() < 0.1:
                wanted.append(ipaddress.ip_address("192.0.2.%d" % self.random.randrange(256)))
            return wanted
        gateways = {item.gateway for ranges in model.parse(NETWORKS[name][self.variant[name]]) for item in ranges}
        usable = [a for a in wanted if str(a) not in self.directories[name].files and a not in gateways]
        return usable if len(usable) == len(wanted) else []

    def turn(self, verb, name, container, interface):
        """One call of the binary whose turn it is, compared with the model."""
        sets, directory = NETWORKS[name][self.variant[name]], self.directories[name]
        requests = self.requests(name, container, interface) if verb == "ADD" else []
        binary = self.binaries[self.step % len(self.binaries)]
        network = self.network(name=name, sets=sets, version="0.4.0", binary=binary)
        more = {"args": {"cni": {"ips": [str(address) for address in requests]}}} if requests else {}
        answer = network.call(verb, container, interface=interface, more=more)
        said = "step %d, %s %s %s/%s %s: %s" % (self.step, verb, name, container, interface, requests, answer)
        try:
            if verb == "ADD":
                given = directory.add(model.parse(sets), container, interface, requests)
                self.assertSucceeds(answer, said)
                self.assertEqual([(ip["address"], ip["gateway"]) for ip in answer.document["ips"]], given, said)
                self.live.append((name, container, interface))
            else:
                if verb == "CHECK":
                    directory.check(container, interface)
                else:
                    directory.delete(sets, container, interface)
                self.assertSucceeds(answer, said)
        except model.Refusal as refusal:
            self.assertEqual(answer.status, 1, said)
            # Whether there are details, too, is each program's own affair.
            self.assertEqual((answer.document["code"], answer.document["msg"]), (999, str(refusal)), said)
            verb += " refused"
        self.outcomes[verb] = self.outcomes.get(verb, 0) + 1
        self.live = [one for one in self.live if one[1] != container or self.directories[one[0]].holds(*one[1:])]
        self.compare(name, said)

    # MARK: comparison

    def compare(self, name, said=""):
        found = plugin.read_directory(os.path.join(self.data, name))
        self.assertEqual(found.pop("lock", b""), b"", said)
        self.assertEqual(found, self.directories[name].files, said)

    def compare_all(self):
        for name in NETWORKS:
            self.compare(name)
        self.assertLessEqual(set(plugin.read_directory(self.data)), set(NETWORKS) | {".swift-ipam"})


if __name__ == "__main__":
    isolation.main()
