"""A host-local network of a certain fill, and the calls on it."""

import dataclasses
import ipaddress
import json
import os
import subprocess

import measure

NAME = "bench"


@dataclasses.dataclass(frozen=True)
class Program:
    """A build of host-local."""

    label: str
    path: str

    def version(self):
        """What it says of itself; for a file of a Debian package also the package and its version."""
        said = subprocess.run([self.path], env={}, stdin=subprocess.DEVNULL, capture_output=True, text=True)
        words = (said.stderr.splitlines() or ["no version"])[0].removeprefix("CNI host-local plugin ")
        return ", ".join(part for part in (self.package(), words) if part and part != "version unknown") or words

    def package(self):
        try:
            owner = subprocess.run(["dpkg-query", "--search", self.path], capture_output=True, text=True)
            if owner.returncode:
                return None
            name = owner.stdout.split(":")[0]
            form = "--showformat=Debian's ${Package} ${Version}"
            return subprocess.run(["dpkg-query", "--show", form, name], capture_output=True, text=True).stdout
        except FileNotFoundError:
            return None


class Network:
    """A data directory with one network. Two of the same arguments are the same, byte for byte, and share nothing."""

    def __init__(self, program, directory, subnet="10.64.0.0/16", first=2, count=0, cursor=None):
        """Reserves `count` addresses from the one numbered `first` of the subnet on.

        The cursor is on the last of them unless another number is given. Files are made as the original makes them.
        """
        self.program, self.subnet = program, ipaddress.ip_network(subnet)
        self.data_directory = directory
        self.directory = os.path.join(directory, NAME)
        os.makedirs(self.directory)
        for number in range(first, first + count):
            self._write(str(self.subnet[number]), "pod-%d\r\neth0" % number)
        self._write("lock", "")
        if count or cursor:
            self.place_cursor(cursor or first + count - 1)
        self.configuration = os.path.join(directory, "network.json")
        ipam = {"type": "host-local", "dataDir": directory, "ranges": [[{"subnet": subnet}]]}
        with open(self.configuration, "w", encoding="ascii") as file:
            json.dump({"cniVersion": "1.0.0", "name": NAME, "ipam": ipam}, file)

    def _write(self, name, content):
        file = os.open(os.path.join(self.directory, name), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        os.write(file, content.encode())
        os.close(file)

    def place_cursor(self, number):
        """Rewrites the cursor in place, as ADD does."""
        self._write("last_reserved_ip.0", str(self.subnet[number]))

    def environment(self, verb, container):
        return {
            "CNI_COMMAND": verb,
            "CNI_CONTAINERID": container,
            "CNI_IFNAME": "eth0",
            "CNI_NETNS": "/nowhere",
            "CNI_PATH": "/opt/cni/bin",
        }

    def call(self, verb, container="", program=None, expected=0):
        command = [(program or self.program).path]
        return measure.run(command, self.environment(verb, container), self.configuration, expected)

    def add(self, container, **options):
        return self.call("ADD", container, **options)

    def delete(self, container, **options):
        return self.call("DEL", container, **options)

    def output(self, verb, container):
        """What a call prints, for a look at the answer outside of any measurement."""
        with open(self.configuration, "rb") as file:
            environment = self.environment(verb, container)
            done = subprocess.run([self.program.path], env=environment, stdin=file, capture_output=True, text=True)
            return done.stdout

    def remove_file(self, number):
        """Takes a reservation away behind the program's back."""
        os.unlink(os.path.join(self.directory, str(self.subnet[number])))

    def reserved(self):
        """How many addresses are reserved."""
        return sum(name[0].isdigit() for name in os.listdir(self.directory))
