"""Input for the fuzzer: valid calls, spoilt as values, as text, as environment, or not at all."""

import json
import os
import posixpath
import re

VERBS = ("ADD", "DEL", "CHECK", "GC", "STATUS", "VERSION")

# Values that break programs: limits of integers and floats, texts that are nearly addresses, long and odd strings.
SCALARS = (
    [None, True, False, 0, -1, 1.5, 1e300, 2**31, 2**53 + 1, 2**63 - 1, 2**63, -(2**63) - 1, 2**64, 10**40]
    + ["", " ", ".", "..", "/", "a/../b", "eth0", "\u0000", "\u2028", "\ud800", "é", "%s%n", "x" * 300, "x" * 70000]
    + ["0.1.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0", "1.1", "9.9.9", "v1.0.0", "1.0.0.0", "-1.0.0", "9" * 20]
    + ["10.1.2.0/24", "10.1.2.0/30", "10.1.2.0/31", "10.1.2.0/32", "0.0.0.0/0", "255.255.255.0/24"]
    + ["10.1.2.3/024", "10.1/16", "fd00::/8", "fd00::/126", "::/0", "::ffff:10.1.2.0/120", "::100:0/104"]
    + ["ff00::/128", "1::2::3/64", "fe80::1%eth0/64", "10.1.2.1", "10.1.2.255", "010.1.2.3", "256.1.1.1", "1.2.3"]
    + ["::", "::1", "::ffff:10.1.2.5", "FD00::A", "fd00::1%lo"]
    + ["/etc/resolv.conf", "/etc", "/nowhere", "/proc/self/environ"]
)
KEYS = (
    "name cniVersion ipam type dataDir resolvConf routes ranges subnet rangeStart rangeEnd gateway runtimeConfig "
    "ipRanges ips args cni dst gw mtu advmss priority table scope prevResult dns cni.dev/valid-attachments "
    "containerID ifname"
).split()
SPLINTERS = (
    [b"{", b"}", b"[", b"]", b",", b":", b'"', b"\\", b"null", b"1e999", b"-"]
    + [b"\\u0000", b"\\ud83d", b"\xff", b"\x00"]
)
PAIRS = ["IP=10.1.2.9", "IP=fd00::9", "IP=", "IgnoreUnknown=1", "IgnoreUnknown=maybe", "K=V", "=", ";", "K"]


class Mutator:
    def __init__(self, random, data, corpus):
        self.random, self.data = random, data
        self.good, self.recorded = ([json.dumps(one) for one in source] for source in (built_in(), recorded(corpus)))

    def example(self):
        """(stdin, environment) of one call, both bytes."""
        random, variables = self.random, self.environment()
        config = json.loads(random.choice(self.recorded if self.recorded and random.random() < 0.4 else self.good))
        if variables.get(b"CNI_COMMAND") in (b"GC", b"STATUS") and isinstance(config, dict) and random.random() < 0.7:
            config["cniVersion"] = "1.1.0"
            valid = [{"containerID": "c%d" % number, "ifname": "eth0"} for number in range(9)]
            config.setdefault("cni.dev/valid-attachments", valid)
        kind = random.random()
        if kind < 0.03:
            stdin = random.randbytes(random.choice((0, 1, 2, 10, 100, 5000)))
        elif kind < 0.65:
            for _ in range(random.choice((0, 1, 1, 2, 4))):
                config = self.spoil_value(config)
            stdin = self.text(config)
        else:
            stdin = self.spoil_text(self.text(config))
        return stdin, variables

    def text(self, config):
        """The configuration as it goes to the plugin, on our data directory."""
        if isinstance(config, dict) and isinstance(config.get("ipam"), dict):
            config["ipam"]["dataDir"] = self.data
        return json.dumps(config).encode()

    def environment(self):
        random = self.random
        variables = {
            "CNI_COMMAND": random.choice(("ADD", "ADD", "ADD", "DEL", *VERBS)),
            "CNI_CONTAINERID": "c%d" % random.randrange(40),
            "CNI_NETNS": "/nowhere",
            "CNI_IFNAME": "eth%d" % random.randrange(2),
            "CNI_PATH": "/nowhere",
        }
        if random.random() < 0.15:
            variables["CNI_ARGS"] = ";".join(random.choices(PAIRS, k=random.randrange(1, 4)))
        encoded = {name.encode(): value.encode() for name, value in variables.items()}
        if random.random() < 0.15:
            name = random.choice([*encoded, b"CNI_ARGS", b"CNI_NETNS_OVERRIDE", b"HOME", b"LANG", b"MALLOC_ARENA_MAX"])
            encoded[name] = self.spoil_variable(encoded.get(name, b""))
        if random.random() < 0.03:
            del encoded[random.choice(sorted(encoded))]
        return encoded

    def spoil_variable(self, value):
        random = self.random
        spoilt = random.choice(
            (
                b"",
                value * 2,
                value + b"\n",
                value[: len(value) // 2],
                b"." * random.randrange(1, 4),
                b"x" * random.choice((15, 16, 255, 4096, 100000)),
                random.randbytes(random.randrange(1, 40)),
                "\u00e9\u2028\u00a0".encode(),
                b"../../" + value,
            )
        )
        return spoilt.replace(b"\0", b"")

    # MARK: values

    def spoil_value(self, config):
        """The configuration with one place changed."""
        places = list(containers(config))
        if not places:
            return self.random.choice(SCALARS)
        place = self.random.choice(places)
        how = self.random.randrange(6)
        if isinstance(place, list):
            self.spoil_list(place, how)
        elif how == 0 or not place:
            place[self.random.choice(KEYS)] = self.random.choice(SCALARS)
        else:
            key = self.random.choice(sorted(place))
            if how == 1:
                del place[key]
            elif how == 2:
                place[self.random.choice((key.upper(), key.title(), self.random.choice(KEYS)))] = place.pop(key)
            elif how == 3:
                place[key] = self.random.choice(([place[key]], {key: place[key]}, [], {}, [[]], [None]))
            else:
                place[key] = self.random.choice(SCALARS)
        return config

    def spoil_list(self, place, how):
        if how == 0 and place:
            place.pop(self.random.randrange(len(place)))
        elif how == 1 and place:
            place.extend(place * self.random.choice((1, 3, 50)))
        elif how == 2 and place:
            place[self.random.randrange(len(place))] = self.random.choice(SCALARS)
        else:
            place.append(self.random.choice((*SCALARS, [], {}, [{}], {"subnet": "10.9.0.0/24"}, {"dst": "0.0.0.0/0"})))

    # MARK: text

    def spoil_text(self, text):
        """The text with some places changed."""
        random, spoilt = self.random, bytearray(text)
        for _ in range(random.choice((1, 1, 2, 5, 20))):
            at = random.randrange(len(spoilt) + 1)
            until = min(len(spoilt), at + random.choice((1, 1, 2, 8, 40)))
            how = random.randrange(6)
            if how == 0:
                del spoilt[at:until]
            elif how == 1:
                spoilt[at:at] = spoilt[at:until] * random.choice((1, 2, 30))
            elif how == 2:
                spoilt[at:at] = random.choice(SPLINTERS) * random.choice((1, 1, 1, 200))
            elif how == 3 and at < len(spoilt):
                spoilt[at] ^= 1 << random.randrange(8)
            elif how == 4:
                spoilt[at:until] = random.randbytes(until - at)
            else:
                del spoilt[at:]
        return bytes(spoilt)


def containers(value):
    """Every object and list inside a value, itself included."""
    if isinstance(value, (dict, list)):
        yield value
        for part in value.values() if isinstance(value, dict) else value:
            yield from containers(part)


def built_in():
    """Valid configurations of all shapes."""
    for version in ("0.2.0", "0.4.0", "1.0.0", "1.1.0"):
        v4, v6 = {"subnet": "10.1.2.0/28"}, {"subnet": "fd00::/64", "gateway": "fd00::f"}
        full = {
            "type": "host-local",
            "ranges": [[v4, {"subnet": "10.1.3.0/24", "rangeStart": "10.1.3.9", "rangeEnd": "10.1.3.20"}], [v6]],
            "routes": [{"dst": "0.0.0.0/0"}, {"dst": "::/0", "gw": "fd00::f", "mtu": 1400, "table": 7, "scope": 0}],
        }
        old = {"type": "host-local", "subnet": "10.1.4.0/29", "rangeStart": "10.1.4.2", "gateway": "10.1.4.6"}
        common = {"cniVersion": version, "name": "pods", "type": "bridge"}
        yield {**common, "ipam": full, "cni.dev/valid-attachments": [{"containerID": "c1", "ifname": "eth0"}]}
        yield {**common, "ipam": full, "args": {"cni": {"ips": ["10.1.3.14/24"]}}}
        yield {**common, "ipam": old, "runtimeConfig": {"ips": ["10.1.4.3"]}}
        yield {**common, "ipam": {"type": "host-local"}, "runtimeConfig": {"ipRanges": [[v4], [v6]]}}


def recorded(directory):
    """The configurations of the golden vectors, when there are any."""
    for file in sorted(os.listdir(directory)) if directory else []:
        if file.endswith(".json"):
            with open(os.path.join(directory, file), encoding="utf-8") as stored:
                for case in json.load(stored):
                    yield from (step["stdin"] for step in case["steps"] if isinstance(step.get("stdin"), dict))


def names_directory_below(data, inputs):
    """True when one of the inputs may name a directory below the data directory as its data directory."""
    inside = re.escape(posixpath.normpath(data).encode()) + rb'/*[^"/]'
    return any(re.search(inside, text.replace(b"\\/", b"/")) for text in inputs)
