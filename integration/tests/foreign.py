"""Changes made to a network's directory behind the plugin's back, and other machines to make them on."""

import contextlib
import os
import subprocess
import uuid

import namespaces
import plugin

FORTY = 40
INDEX = "/run/swift-ipam"


class Host:
    """Another machine: what is remembered below /run and who the machine is differ, the disk may be copied over."""

    def __init__(self, test, name):
        self.place = os.path.join(test.temporary, "host-" + name)
        os.makedirs(os.path.join(self.place, "index"))
        self.identities = {"/etc/machine-id": uuid.uuid4().hex, "/proc/sys/kernel/random/boot_id": str(uuid.uuid4())}
        for path, value in self.identities.items():
            with open(os.path.join(self.place, os.path.basename(path)), "w", encoding="ascii") as file:
                file.write(value + "\n")

    @contextlib.contextmanager
    def active(self):
        """Calls inside are made on this machine."""
        os.makedirs(INDEX, exist_ok=True)
        with contextlib.ExitStack() as stack:
            stack.enter_context(namespaces.mounted("--bind", os.path.join(self.place, "index"), INDEX))
            for path in self.identities:
                if os.path.exists(path):
                    source = os.path.join(self.place, os.path.basename(path))
                    stack.enter_context(namespaces.mounted("--bind", source, path))
            yield


class ForeignTest(plugin.PluginTest):
    """A network filled by ours, changes by others, and the question whether ours sees them."""

    def filled(self, prefix="living", **options):
        """A network with forty reservations made by ours."""
        network = self.network(sets=["10.81.0.0/25"], **options)
        for number in range(FORTY):
            self.assertSucceeds(network.add("%s-%d" % (prefix, number)))
        return network

    def path(self, network, address):
        return os.path.join(network.directory, address)

    def reserve(self, network, address, container):
        """A reservation as the original makes it, by hand."""
        with open(self.path(network, address), "xb") as file:
            file.write(plugin.content(container))

    def address_of(self, network, container):
        return next(name for name, held in network.reservations().items() if held == plugin.content(container))

    def copy(self, source, target):
        """A copy with all times, as an administrator makes it."""
        subprocess.run(["cp", "--archive", source, target], check=True)

    def assertTruthful(self, network, prefix="new"):
        """Every kind of call agrees with what lies in the directory now."""
        held = {container: address for address, container in self.containers(network).items()}
        for container, address in held.items():
            self.assertFails(network.add(container), 999, "%s has been allocated to %s" % (address, container))
            self.assertSucceeds(network.check(container))
        for number in range(3):
            given = self.assertSucceeds(network.add("%s-%d" % (prefix, number))).addresses[0]
            self.assertNotIn(given, held.values())
        self.assertEqual(len(network.reservations()), len(held) + 3)
        for container in held:
            self.assertSucceeds(network.delete(container))
        new = {"%s-%d" % (prefix, number) for number in range(3)}
        self.assertEqual(set(self.containers(network).values()), new, "DEL missed one")

    def containers(self, network):
        return {address: held.split(b"\r\n")[0].decode() for address, held in network.reservations().items()}

    def assertAbsent(self, network, containers):
        """These hold nothing: CHECK fails and DEL changes nothing."""
        before = network.reservations()
        for container in containers:
            self.assertFails(network.check(container), 999, "failed to find address")
            self.assertSucceeds(network.delete(container))
        self.assertEqual(network.reservations(), before)
