#!/usr/bin/env python3
"""The distribution's bridge and ptp plugins, with our host-local behind them, between namespaces."""

import os
import shutil

import isolation
import namespaces
import plugin

VERSIONS = ("0.4.0", "1.0.0")
V4, V6 = [{"subnet": "10.31.0.0/24"}], [{"subnet": "fd00:31::/64"}]


class MainPlugin(plugin.PluginTest):
    """A host in a namespace of its own, whose CNI_PATH holds our host-local as the only one."""

    def setUp(self):
        super().setUp()
        if shutil.which("ping") is None:
            self.skipTest("ping is missing (package iputils-ping)")
        self.plugins = os.path.join(self.temporary, "plugins")
        os.mkdir(self.plugins)
        for name in ("bridge", "ptp", "loopback"):
            path = os.path.join(plugin.other_plugins(), name)
            if not os.access(path, os.X_OK):
                self.skipTest("%s is missing (package containernetworking-plugins)" % path)
            os.symlink(path, os.path.join(self.plugins, name))
        os.symlink(plugin.host_local(), os.path.join(self.plugins, "host-local"))
        self.host = namespaces.Namespace(self, "host")

    def pod(self):
        return namespaces.Namespace(self, "pod")

    def config(self, kind, version, sets, routes=(), **more):
        ipam = {"type": "host-local", "dataDir": self.data, "ranges": sets}
        ipam["routes"] = [{"dst": destination} for destination in routes]
        return {"cniVersion": version, "name": "pods", "type": kind, "ipMasq": False, "ipam": ipam, **more}

    def bridge(self, version, sets, routes=(), **more):
        more.setdefault("bridge", "br-pods")
        return self.config("bridge", version, sets, routes, isGateway=True, **more)

    def call(self, verb, config, container, namespace):
        binary = os.path.join(self.plugins, config["type"])
        path = {"CNI_PATH": self.plugins}
        return plugin.call(binary, verb, config, self.host.wrapper, container=container, namespace=namespace, more=path)

    def add(self, config, container, pod):
        """The result of a successful ADD."""
        return self.assertSucceeds(self.call("ADD", config, container, pod.path)).document

    def reserved(self):
        return plugin.Network(self.data).reservations()

    def assertReaches(self, pod, address):
        self.assertTrue(pod.reaches(address), "%s does not answer\n%s" % (address, pod.run("ip", "addr")))

    def addresses(self, result):
        return [ip["address"].split("/")[0] for ip in result["ips"]]


class Bridge(MainPlugin):
    def connect(self, config):
        """Two pods on the bridge; each must reach the other and the gateway at every address."""
        pods = {"first": self.pod(), "second": self.pod()}
        results = {name: self.add(config, name, pod) for name, pod in pods.items()}
        found = {name: self.addresses(result) for name, result in results.items()}
        self.assertEqual(len(set(found["first"] + found["second"])), 2 * len(config["ipam"]["ranges"]))
        for name, pod in pods.items():
            self.assertEqual(pod.addresses(), set(found[name]))
            for gateway in [ip["gateway"] for ip in results[name]["ips"]]:
                self.assertReaches(pod, gateway)
        for address in found["second"]:
            self.assertReaches(pods["first"], address)
        self.assertEqual(
            self.reserved(),
            {address: plugin.content(name) for name, addresses in found.items() for address in addresses},
        )
        for name, pod in pods.items():
            self.assertSucceeds(self.call("DEL", config, name, pod.path))
        self.assertEqual(self.reserved(), {}, "DEL left reservations")

    def test_pods_on_a_bridge_reach_each_other(self):
        """Two pods get different v4 addresses, reach each other and the gateway, and DEL frees both."""
        for version in VERSIONS:
            with self.subTest(version=version):
                self.connect(self.bridge(version, [V4], ["0.0.0.0/0"]))

    def test_pods_with_both_families_reach_each_other(self):
        """The same with one address of each family."""
        for version in VERSIONS:
            with self.subTest(version=version):
                self.connect(self.bridge(version, [V4, V6], ["0.0.0.0/0", "::/0"]))

    def test_check_is_forwarded(self):
        """CHECK through the bridge passes while the reservation exists and reports its loss."""
        for version in VERSIONS:
            with self.subTest(version=version):
                config, pod = self.bridge(version, [V4]), self.pod()
                result = self.add(config, "checked", pod)
                config["prevResult"] = result
                self.assertSucceeds(self.call("CHECK", config, "checked", pod.path))
                os.unlink(os.path.join(self.data, "pods", self.addresses(result)[0]))
                answer = self.call("CHECK", config, "checked", pod.path)
                self.assertFails(answer, 999, "failed to find address added by container checked")
                self.assertSucceeds(self.call("DEL", config, "checked", pod.path))

    def test_second_add_of_a_container_fails(self):
        """An ADD of an id that has an address is refused, in another namespace as well, and takes nothing away."""
        config = self.bridge("1.0.0", [V4, V6])
        result = self.add(config, "twice", self.pod())
        held = dict.fromkeys(self.addresses(result), plugin.content("twice"))
        self.assertFails(self.call("ADD", config, "twice", self.pod().path), 999, "duplicate allocation is not allowed")
        self.assertEqual(self.reserved(), held)

    def test_failure_before_allocation_leaves_nothing(self):
        """A pod namespace that does not exist fails ADD, and after DEL there is no reservation."""
        config = self.bridge("1.0.0", [V4, V6])
        self.assertFails(self.call("ADD", config, "lost", "/run/netns/no-such-namespace"))
        self.assertSucceeds(self.call("DEL", config, "lost", "/run/netns/no-such-namespace"))
        self.assertEqual(self.reserved(), {})
        self.assertSucceeds(self.call("ADD", config, "lost", self.pod().path))

    def test_failure_after_allocation_leaves_nothing(self):
        """When the bridge fails with the address already given, its own DEL and the runtime's free everything."""
        config = self.bridge("1.0.0", [V4, V6], bridge="br-taken")
        self.host.run("ip", "link", "add", "br-taken", "type", "bridge")
        self.host.run("ip", "addr", "add", "10.99.0.1/24", "dev", "br-taken")
        pod = self.pod()
        self.assertFails(self.call("ADD", config, "failed", pod.path), text="br-taken")
        cursor = os.path.join(self.data, "pods", plugin.CURSOR + "0")
        self.assertTrue(os.path.exists(cursor), "the failure came before the allocation: the test proves nothing")
        self.assertEqual(self.reserved(), {})
        self.assertSucceeds(self.call("DEL", config, "failed", pod.path))
        self.assertEqual(self.reserved(), {})

    def test_deletion_without_namespace_frees(self):
        """DEL for a pod whose namespace is gone, with and without its path, frees the addresses."""
        config = self.bridge("1.0.0", [V4, V6])
        for namespace in ("", "/run/netns/gone"):
            with self.subTest(namespace=namespace):
                self.add(config, "gone", self.pod())
                self.assertEqual(len(self.reserved()), 2)
                self.assertSucceeds(self.call("DEL", config, "gone", namespace))
                self.assertEqual(self.reserved(), {})


class PointToPoint(MainPlugin):
    def connect(self, config):
        pod = self.pod()
        result = self.add(config, "single", pod)
        self.assertEqual(pod.addresses(), set(self.addresses(result)))
        for ip in result["ips"]:
            self.assertReaches(pod, ip["gateway"])
            self.assertReaches(self.host, ip["address"].split("/")[0])
        config["prevResult"] = result
        self.assertSucceeds(self.call("CHECK", config, "single", pod.path))
        self.assertSucceeds(self.call("DEL", config, "single", pod.path))
        self.assertEqual(self.reserved(), {}, "DEL left reservations")

    def test_pod_reaches_the_hosts_end(self):
        """A ptp pod and the host's end of its link reach each other; DEL frees the address."""
        for version in VERSIONS:
            with self.subTest(version=version):
                self.connect(self.config("ptp", version, [V4], ["0.0.0.0/0"]))

    def test_pod_with_both_families_reaches_the_hosts_end(self):
        """The same with one address of each family."""
        for version in VERSIONS:
            with self.subTest(version=version):
                self.connect(self.config("ptp", version, [V4, V6], ["0.0.0.0/0", "::/0"]))


if __name__ == "__main__":
    isolation.main()
