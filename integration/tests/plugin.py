"""Calls CNI plugins the way a runtime does: environment and stdin in, exit status and JSON out."""

import dataclasses
import ipaddress
import json
import os
import shutil
import subprocess
import tempfile
import unittest

CURSOR = "last_reserved_ip."
NOWHERE = "/nowhere/netns"  # host-local looks at the file's identity only, and a missing file is nobody's namespace


def host_local():
    """The plugin under test."""
    return os.path.abspath(os.environ["HOST_LOCAL"])


def other_plugins():
    """The directory of the distribution's plugins."""
    return os.environ.get("CNI_PLUGINS") or "/usr/lib/cni"


def other_host_local():
    """The distribution's host-local, release 1.1.1 on Debian 12; the test is skipped where there is none."""
    path = os.path.join(other_plugins(), "host-local")
    if not os.access(path, os.X_OK):
        raise unittest.SkipTest("%s is missing (package containernetworking-plugins)" % path)
    return path


@dataclasses.dataclass
class Answer:
    """What a plugin said."""

    status: int
    stdout: bytes
    stderr: bytes
    verb: str = "ADD"

    @property
    def document(self):
        """The one JSON document on stdout."""
        return json.loads(self.stdout)

    @property
    def addresses(self):
        """The addresses of a result, without their prefix lengths."""
        return [ip["address"].split("/")[0] for ip in self.document["ips"]]

    def __str__(self):
        return "status %d, stdout %r, stderr %r" % (self.status, self.stdout[:2000], self.stderr[-2000:])


def environment(verb, container="c1", interface="eth0", namespace=NOWHERE, arguments="", more=None):
    """The variables of a call. A None in `more` takes a variable away."""
    variables = {
        "PATH": "/usr/sbin:/usr/bin:/sbin:/bin",
        "CNI_COMMAND": verb,
        "CNI_CONTAINERID": container,
        "CNI_NETNS": namespace,
        "CNI_IFNAME": interface,
        "CNI_PATH": other_plugins(),
    }
    if arguments:
        variables["CNI_ARGS"] = arguments
    variables.update(more or {})
    return {name: value for name, value in variables.items() if value is not None}


def encode(config):
    """stdin for a configuration; bytes pass unchanged."""
    return config if isinstance(config, bytes) else json.dumps(config).encode()


def call(binary, verb, config, wrapper=(), cwd=None, user=None, **variables):
    """Runs a plugin to its end. `wrapper` is a command to run it through, `variables` are those of `environment`."""
    identity = {} if user is None else {"user": user, "group": user, "extra_groups": []}
    done = subprocess.run(
        [*wrapper, binary],
        input=encode(config),
        env=environment(verb, **variables),
        cwd=cwd,
        capture_output=True,
        **identity,
    )
    return Answer(done.returncode, done.stdout, done.stderr, verb)


def content(container, interface="eth0"):
    """What a reservation of this attachment holds."""
    return ("%s\r\n%s" % (container, interface)).encode()


class Network:
    """A network configuration, its directory, and the calls on it."""

    def __init__(self, data_directory, name="pods", sets=("10.1.2.0/24",), version="1.0.0", binary=None, options=None):
        self.data_directory, self.name, self.version = data_directory, name, version
        self.binary = binary or host_local()
        self.options = options or {}
        self.sets = [[{"subnet": item}] if isinstance(item, str) else item for item in sets]

    @property
    def directory(self):
        return os.path.join(self.data_directory, self.name)

    def config(self, **more):
        ipam = {"type": "host-local", "dataDir": self.data_directory, "ranges": self.sets, **self.options}
        return {"cniVersion": self.version, "name": self.name, "type": "test", "ipam": ipam, **more}

    def call(self, verb, container="c1", binary=None, more=None, **options):
        return call(binary or self.binary, verb, self.config(**(more or {})), container=container, **options)

    def add(self, container="c1", **options):
        return self.call("ADD", container, **options)

    def delete(self, container="c1", **options):
        return self.call("DEL", container, **options)

    def check(self, container="c1", **options):
        return self.call("CHECK", container, **options)

    def collect(self, valid, **options):
        """GC, which exists from version 1.1.0 on; `valid` lists (container, interface)."""
        attachments = [{"containerID": container, "ifname": interface} for container, interface in valid]
        return self.call("GC", more={"cniVersion": "1.1.0", "cni.dev/valid-attachments": attachments}, **options)

    def reservations(self):
        """The content of every file but lock and cursors, by name."""
        return {
            name: held
            for name, held in read_directory(self.directory).items()
            if name != "lock" and not name.startswith(CURSOR)
        }


def read_directory(path):
    """Name to content of all that lies in a directory; a missing one is empty, a subdirectory has the content None."""
    found = {}
    try:
        entries = list(os.scandir(path))
    except FileNotFoundError:
        return found
    for entry in entries:
        if entry.is_dir(follow_symlinks=False):
            found[entry.name] = None
            continue
        with open(entry.path, "rb") as file:
            found[entry.name] = file.read()
    return found


class PluginTest(unittest.TestCase):
    """A test with a temporary directory, and assertions on answers."""

    longMessage = True
    maxDiff = 4000

    def setUp(self):
        self.temporary = os.path.realpath(tempfile.mkdtemp(prefix="swift-ipam-test."))
        self.addCleanup(shutil.rmtree, self.temporary, ignore_errors=True)
        self.data = os.path.join(self.temporary, "data")

    def network(self, **options):
        return Network(options.pop("data_directory", self.data), **options)

    def assertSucceeds(self, answer, message=None):
        """Status 0, and on stdout exactly what the verb gives: a result with addresses, a document, or nothing."""
        said = "%s: %s" % (message or answer.verb + " failed", answer)
        self.assertEqual(answer.status, 0, said)
        if answer.verb == "ADD":
            self.assertTrue(answer.stdout and answer.addresses, said)
        elif answer.verb == "VERSION":
            self.assertIsInstance(answer.document, dict, said)
        else:
            self.assertEqual(answer.stdout, b"", said)
        return answer

    def assertFails(self, answer, code=None, text=""):
        """Status 1 and one error document, with this code and with this text in message or details."""
        self.assertEqual(answer.status, 1, str(answer))
        document = answer.document
        self.assertIsInstance(document.get("code"), int, str(answer))
        self.assertIsInstance(document.get("msg"), str, str(answer))
        if code is not None:
            self.assertEqual(document["code"], code, str(answer))
        self.assertIn(text.lower(), (document["msg"] + " " + document.get("details", "")).lower())
        return answer

    def assertReservations(self, network, expected):
        """The directory holds exactly these: address to (container, interface) or container."""
        wanted = {
            address: content(*holder) if isinstance(holder, tuple) else content(holder)
            for address, holder in expected.items()
        }
        self.assertEqual(network.reservations(), wanted)

    def assertCanBeFilled(self, network, prefix="fill"):
        """Every address of the network's sets that nobody holds can still be had, and then none more."""
        free = min(capacity(ranges) - held_in(ranges, network.reservations()) for ranges in network.sets)
        for number in range(free):
            self.assertSucceeds(network.add("%s-%d" % (prefix, number)), "address lost, %d left" % (free - number))
        self.assertFails(network.add(prefix + "-beyond"), 999, "no ip addresses available")


def windows(ranges):
    """(first, last, gateway) of each range of a set, as addresses."""
    for item in ranges:
        subnet = ipaddress.ip_network(item["subnet"])
        last = subnet[-1] if subnet.version == 6 else subnet[-2]
        yield tuple(
            ipaddress.ip_address(item.get(key, default))
            for key, default in (("rangeStart", subnet[1]), ("rangeEnd", last), ("gateway", subnet[1]))
        )


def capacity(ranges):
    """How many attachments a set can hold."""
    return sum(int(last) - int(first) + 1 - (first <= gateway <= last) for first, last, gateway in windows(ranges))


def held_in(ranges, names):
    """How many of the named addresses lie in a set."""
    addresses = [ipaddress.ip_address(name) for name in names]
    return sum(
        any(first.version == address.version and first <= address <= last for first, last, _ in windows(ranges))
        for address in addresses
    )
