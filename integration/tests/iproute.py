"""What `ip` and `bridge` say of a namespace, in one form that tests can compare.

A route is a line like `10.65.3.0/26 via 10.65.3.0 dev vxlan.calico onlink mtu 1450`, a metric that every route of the
family has by default is left out, and so is what the kernel reports of its own accord (routes specification, 6.4).
"""

import collections
import json
import re
import subprocess

import waiting

AGENT, FELIX, BIRD = "84", "80", "bird"
# What protocols' numbers are called where /etc/iproute2 has names for them.
NAMES = {"2": "kernel", "3": "boot", "4": "static", "12": "bird"}
DEFAULT_METRICS = {4: 0, 6: 1024}


def read_json(*command):
    """What a command prints with its option for JSON."""
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode:
        raise AssertionError("%s: %s" % (" ".join(command), done.stderr))
    return json.loads(done.stdout or "[]")


def ip(namespace, *arguments, check=True):
    """Runs `ip` in a namespace, and returns whether it worked."""
    done = subprocess.run(["ip", "-n", namespace.name, *arguments], stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
    if check and done.returncode:
        raise AssertionError("ip %s in %s: %s" % (" ".join(arguments), namespace.name, done.stdout))
    return done.returncode == 0


def batch(namespace, lines):
    """Runs many `ip` commands in a namespace with one process."""
    done = subprocess.run(
        ["ip", "-n", namespace.name, "-batch", "-"],
        input="\n".join(lines) + "\n",
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if done.returncode:
        raise AssertionError("ip -batch in %s: %s" % (namespace.name, done.stdout))


def tables(namespace, family):
    """The main table as protocol to lines, in the order of the table."""
    # Without -d scope and type are left out; with a filter by protocol the protocol is.
    rows = read_json("ip", "-n", namespace.name, "-j", "-d", "-%d" % family, "route", "show", "table", "main")
    found = collections.defaultdict(list)
    for row in rows:
        number = str(row.get("protocol", "boot"))
        found[NAMES.get(number, number)].append(line(row, family))
    return found


def line(row, family):
    """One route as people write it."""
    kind = row.get("type", "unicast")
    words = [] if kind == "unicast" else [kind]
    words.append(destination(row["dst"], family))
    for hop in row.get("nexthops") or [row]:
        if "nexthops" in row:
            words.append("nexthop")
        if "gateway" in hop:
            words += ["via", hop["gateway"]]
        # A route that leads nowhere is on the loopback device in IPv6.
        if "dev" in hop and kind == "unicast":
            words += ["dev", hop["dev"]]
        if "onlink" in hop.get("flags", ()):
            words.append("onlink")
    if row.get("scope") == "link" and "gateway" not in row:
        words += ["scope", "link"]
    if "prefsrc" in row:
        words += ["src", row["prefsrc"]]
    metric = row.get("metric", DEFAULT_METRICS[family])
    if metric != DEFAULT_METRICS[family]:
        words += ["metric", str(metric)]
    for metrics in row.get("metrics", ()):
        if "mtu" in metrics:
            words += ["mtu", str(metrics["mtu"])]
    return " ".join(words)


def destination(text, family):
    """`ip` leaves the length of an exact prefix out, and calls the widest one by name."""
    if text == "default":
        return "0.0.0.0/0" if family == 4 else "::/0"
    return text if "/" in text else "%s/%d" % (text, 32 if family == 4 else 128)


def neighbours(namespace, device):
    """Address to hardware address of the permanent neighbours on a device."""
    rows = read_json("ip", "-n", namespace.name, "-j", "neigh", "show", "dev", device, "nud", "permanent")
    return {row["dst"]: row["lladdr"] for row in rows if "lladdr" in row}


def forwarding(namespace, device):
    """Hardware address to the node behind it, as a VXLAN device has it."""
    rows = read_json("bridge", "-n", namespace.name, "-j", "fdb", "show", "dev", device)
    return {row["mac"]: row["dst"] for row in rows if "dst" in row and not row["mac"].startswith(("00:00", "33:33"))}


def link(namespace, device):
    """What is told of a device, or None when there is none."""
    try:
        return read_json("ip", "-n", namespace.name, "-j", "-d", "link", "show", "dev", device)[0]
    except AssertionError:
        return None


def addresses(namespace, device, family=4):
    """The global addresses of a device, with their lengths."""
    rows = read_json("ip", "-n", namespace.name, "-j", "-%d" % family, "addr", "show", "dev", device, "scope", "global")
    return {"%s/%d" % (one["local"], one["prefixlen"]) for row in rows for one in row.get("addr_info", ()) if "local" in one}


class Monitor:
    """`ip monitor` in a namespace: every notification from its making on, each with its time in seconds.

    A line is like `Deleted 10.65.2.0/26 via 172.30.1.12 dev eth0 proto 84 onlink`.
    """

    STAMP = re.compile(r"^\[\d+-\d+-\d+T(\d+):(\d+):(\d+\.\d+)\] (.*)$")

    def __init__(self, test, namespace, *objects):
        self.namespace, self.fences = namespace, 0
        self.path = "%s/monitor-%s-%d" % (test.temporary, namespace.name, id(self))
        with open(self.path, "wb") as output:
            command = [*namespace.wrapper, "stdbuf", "-oL", "ip", "-ts", "monitor", *(objects or ("route",))]
            self.process = subprocess.Popen(command, stdin=subprocess.DEVNULL, stdout=output, stderr=output)
        test.addCleanup(self.end)
        self.fence()

    def end(self):
        if self.process.poll() is None:
            self.process.kill()
            self.process.wait()

    def fence(self, seconds=20):
        """Waits until everything that happened before was seen: changes a route of its own until that is."""
        self.fences += 1
        mark = "198.18.%d.%d" % (self.fences // 250, self.fences % 250)

        def is_seen():
            # At the start the monitor may not listen yet, so the change is made again.
            ip(self.namespace, "route", "replace", "unreachable", mark, "metric", "99")
            ip(self.namespace, "route", "del", "unreachable", mark, "metric", "99")
            return any(mark in text for _, text in self.lines(raw=True))

        waiting.until(is_seen, "ip monitor did not tell of a change that it should have seen", seconds)

    def lines(self, raw=False):
        """(time, text) of what was told so far, without the fences."""
        found, when = [], 0.0
        with open(self.path, encoding="utf-8", errors="replace") as file:
            for row in file:
                stamped = self.STAMP.match(row.rstrip())
                if stamped:
                    hours, minutes, seconds, row = stamped.groups()
                    when = int(hours) * 3600 + int(minutes) * 60 + float(seconds)
                row = " ".join(row.split())
                if row and (raw or "198.18." not in row):
                    found.append((when, row))
        return found

    def routes(self, protocol=AGENT):
        """What was told of one protocol's routes."""
        self.fence()
        return [(when, text) for when, text in self.lines() if " proto %s" % protocol in text]

    def deleted(self, protocol=AGENT):
        """The routes of one protocol that were deleted."""
        return [text.removeprefix("Deleted ") for _, text in self.routes(protocol) if text.startswith("Deleted ")]

    def changed(self, protocol=AGENT):
        """The routes of one protocol that were added or replaced."""
        return [text for _, text in self.routes(protocol) if not text.startswith("Deleted ")]

