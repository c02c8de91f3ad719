#!/usr/bin/env python3
"""Containers of podman and runc on a CNI network whose addresses come from our host-local.

Podman runs in namespaces for mounts, processes and network of its own, and all its state lies in the test's temporary
directory, but for the control groups, which are removed again.
"""

import json
import os
import shutil

import isolation
import namespaces
import plugin

CONTAINERS_CONF = """
[network]
network_backend = "cni"
cni_plugin_dirs = ["{plugins}"]
network_config_dir = "{networks}"
default_network = "pods"
[engine]
cgroup_manager = "cgroupfs"
events_logger = "file"
lock_type = "file"
runtime = "runc"
tmp_dir = "{state}"
[containers]
log_driver = "k8s-file"
"""

# Where podman, runc and the CNI library keep state that no option moves.
SHADOWED = ("/run", "/var/lib", "/var/cache", "/dev/shm")
APPLETS = ("sh", "cat", "ip", "ping")


class Podman(plugin.PluginTest):
    def setUp(self):
        super().setUp()
        isolation.require()
        if not os.access("/sys/fs/cgroup", os.W_OK):
            self.skipTest("control groups cannot be created here")
        for command, package in (("podman", "podman"), ("runc", "runc"), ("busybox", "busybox-static")):
            if shutil.which(command) is None:
                self.skipTest("%s is missing (package %s)" % (command, package))
        self.group = "/" + os.path.basename(self.temporary)
        self.addCleanup(self.remove_control_groups)
        self.lay_out()
        self.machine = namespaces.Machine(self, SHADOWED)
        self.options = ["--root", self.places["root"], "--runroot", self.places["runroot"]]
        self.options += ["--tmpdir", self.places["state"], "--network-config-dir", self.places["networks"]]
        self.options += ["--storage-driver", "vfs", "--cgroup-manager", "cgroupfs"]
        self.addCleanup(self.remove_containers)

    def lay_out(self):
        names = ("plugins", "networks", "root", "runroot", "state", "image")
        self.places = {name: os.path.join(self.temporary, name) for name in names}
        for place in self.places.values():
            os.mkdir(place)
        for name in ("bridge", "loopback"):
            os.symlink(os.path.join(plugin.other_plugins(), name), os.path.join(self.places["plugins"], name))
        os.symlink(plugin.host_local(), os.path.join(self.places["plugins"], "host-local"))
        for name in ("bin", "dev", "etc", "proc", "run", "sys", "tmp"):
            os.mkdir(os.path.join(self.places["image"], name))
        shutil.copy(shutil.which("busybox"), os.path.join(self.places["image"], "bin", "busybox"))
        for applet in APPLETS:
            os.symlink("busybox", os.path.join(self.places["image"], "bin", applet))
        with open(os.path.join(self.temporary, "containers.conf"), "w", encoding="ascii") as conf:
            conf.write(CONTAINERS_CONF.format(**self.places))
        self.define("pods", [[{"subnet": "10.41.0.0/24"}]], "0.4.0")
        self.define("both", [[{"subnet": "10.42.0.0/24"}], [{"subnet": "fd00:42::/64"}]], "0.4.0")
        self.define("tiny", [[{"subnet": "10.43.0.0/29", "rangeStart": "10.43.0.2", "rangeEnd": "10.43.0.3"}]], "0.4.0")

    def define(self, name, sets, version):
        ipam = {"type": "host-local", "dataDir": self.data, "ranges": sets, "routes": [{"dst": "0.0.0.0/0"}]}
        bridge = {"type": "bridge", "bridge": "br-" + name, "isGateway": True, "ipMasq": False, "ipam": ipam}
        with open(os.path.join(self.places["networks"], name + ".conflist"), "w", encoding="ascii") as file:
            json.dump({"cniVersion": version, "name": name, "plugins": [bridge]}, file)

    # MARK: podman

    def podman(self, *arguments):
        environment = {
            "PATH": os.environ["PATH"] + ":/usr/sbin:/sbin",
            "CONTAINERS_CONF": os.path.join(self.temporary, "containers.conf"),
            "HOME": self.temporary,
        }
        return self.machine.run("podman", *self.options, *arguments, environment=environment)

    def succeed(self, *arguments):
        done = self.podman(*arguments)
        self.assertEqual(done.returncode, 0, "podman %s: %s" % (" ".join(arguments), done.stdout))
        return done.stdout.strip()

    def start(self, name, *options, network="pods"):
        """Starts a container that waits for its removal; returns its addresses on the network."""
        arguments = self.run_arguments(name, network, *options)
        self.succeed(*arguments)
        return self.addresses(name, network)

    def run_arguments(self, name, network, *options):
        # Limits as they are: podman's own defaults need more than root of a container host may have.
        common = ["--name", name, "--network", network, "--ulimit", "host", "--cgroup-parent", self.group, *options]
        return ["run", "--detach", "--interactive", *common, "--rootfs", self.places["image"], "/bin/cat"]

    def addresses(self, name, network):
        found = json.loads(self.succeed("inspect", name))[0]["NetworkSettings"]["Networks"][network]
        return [address for address in (found["IPAddress"], found["GlobalIPv6Address"]) if address]

    def identity(self, name):
        return self.succeed("inspect", "--format", "{{.Id}}", name)

    def remove(self, *names):
        self.succeed("rm", "--force", "--time", "0", *names)

    def remove_containers(self):
        self.podman("rm", "--force", "--all", "--time", "0")

    def remove_control_groups(self):
        for directory, _, _ in os.walk("/sys/fs/cgroup", topdown=False):
            if self.group + "/" in directory + "/":
                os.rmdir(directory)

    def reserved(self, network="pods"):
        return plugin.Network(self.data, name=network).reservations()

    def assertReserved(self, holders, network="pods"):
        """Exactly these addresses are reserved: container name to addresses."""
        wanted = {a: plugin.content(self.identity(name)) for name, held in holders.items() for a in held}
        self.assertEqual(self.reserved(network), wanted)

    # MARK: tests

    def test_containers_get_distinct_addresses(self):
        """Each container has the next address, reserved under its id; `rm` frees all of them."""
        holders = {"c%d" % number: self.start("c%d" % number) for number in range(4)}
        self.assertEqual(sorted(holders.values()), [["10.41.0.%d" % last] for last in (2, 3, 4, 5)])
        self.assertReserved(holders)
        self.remove(*holders)
        self.assertEqual(self.reserved(), {})

    def test_requested_address_is_given(self):
        """`--ip` gives the wanted address, and a second container cannot have it."""
        self.assertEqual(self.start("static", "--ip", "10.41.0.99"), ["10.41.0.99"])
        self.assertReserved({"static": ["10.41.0.99"]})
        refused = self.podman(*self.run_arguments("rival", "pods", "--ip", "10.41.0.99"))
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("requested IP address 10.41.0.99 is not available in range set", refused.stdout)
        self.remove("rival")
        self.assertReserved({"static": ["10.41.0.99"]})
        self.remove("static")
        self.assertEqual(self.reserved(), {})

    def test_containers_reach_each_other(self):
        """A container reaches another and the gateway, over both families."""
        self.start("near", network="both")
        far = self.start("far", network="both")
        self.assertEqual(far, ["10.42.0.3", "fd00:42::3"])
        for address in [*far, "10.42.0.1", "fd00:42::1"]:
            # The v6 address of a fresh interface answers only when its duplicate detection is over.
            self.succeed("exec", "near", "ping", "-q", "-c", "1", "-w", "15", address)
        self.remove("near", "far")
        self.assertEqual(self.reserved("both"), {})

    def test_exhausted_network_refuses_and_recovers(self):
        """A third container on a network of two addresses fails with the plugin's words; a removal makes room."""
        for name in ("one", "two"):
            self.start(name, network="tiny")
        refused = self.podman(*self.run_arguments("three", "tiny"))
        self.assertNotEqual(refused.returncode, 0)
        self.assertIn("no IP addresses available in range set: 10.43.0.2-10.43.0.3", refused.stdout)
        self.remove("one", "three")
        self.assertEqual(self.start("four", network="tiny"), ["10.43.0.2"])

    def test_restart_leaves_one_reservation(self):
        """Stop frees the address, start takes another one, and never are there two."""
        self.start("phoenix")
        self.succeed("stop", "--time", "0", "phoenix")
        self.assertEqual(self.reserved(), {})
        self.succeed("start", "phoenix")
        self.assertReserved({"phoenix": self.addresses("phoenix", "pods")})


if __name__ == "__main__":
    isolation.main()
