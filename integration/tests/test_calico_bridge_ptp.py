#!/usr/bin/env python3
"""The distribution's bridge and ptp plugins with calico-ipam behind them: `ipam.gateway` and `ipam.routes`."""

import os

import calico
import isolation
import test_bridge_ptp

V4, V6 = "10.31.0.0/24", "fd00:31::/120"
DEFAULTS = {"10.31.0.1": "0.0.0.0/0", "fd00:31::1": "::/0"}


class MainPlugin(test_bridge_ptp.MainPlugin):
    """A host whose CNI_PATH holds calico-ipam, and a store with one block a family, as large as its pool.

    The gateways must be in the pods' networks, and nobody's else: reservations keep them.
    """

    def setUp(self):
        super().setUp()
        os.symlink(calico.calico_ipam(), os.path.join(self.plugins, "calico-ipam"))
        self.database = os.path.join(self.temporary, "ipam.db")
        pools = [(V4, {"blockSize": 24}), (V6, {"blockSize": 120})]
        self.store = calico.Store.make(self.database, pools)
        self.store.put(
            calico.RESOURCES + "ipreservations/edges",
            {
                "kind": "IPReservation",
                "apiVersion": "projectcalico.org/v3",
                "metadata": {"name": "edges"},
                "spec": {"reservedCIDRs": ["10.31.0.0/31", "10.31.0.255", "fd00:31::/127"]},
            },
        )

    def configuration(self, kind, version, families, **more):
        gateways = list(DEFAULTS)[: len(families)]
        ipam = {
            "type": "calico-ipam",
            "dataDir": os.path.join(self.temporary, "networks"),
            "assign_ipv6": "true" if 6 in families else "false",
            "gateway": gateways,
            "routes": [{"dst": DEFAULTS[gateway]} for gateway in gateways],
        }
        return {
            "cniVersion": version,
            "name": "pods",
            "type": kind,
            "ipMasq": False,
            "nodename": calico.NODE,
            "database_file": self.database,
            "ipam_lock_file": os.path.join(self.temporary, "ipam.lock"),
            "ipam": ipam,
            **more,
        }

    def connect(self, config, families):
        """Two pods; each must reach the other and its gateway at every address."""
        pods = {"first": self.pod(), "second": self.pod()}
        results = {name: self.add(config, name, pod) for name, pod in pods.items()}
        found = {name: self.addresses(result) for name, result in results.items()}
        for name, pod in pods.items():
            self.assertEqual(len(found[name]), len(families))
            self.assertEqual(pod.addresses(), set(found[name]))
            self.assertEqual(self.store.held(name, "pods"), sorted(found[name]))
            for gateway in [ip["gateway"] for ip in results[name]["ips"]]:
                self.assertReaches(pod, gateway)
        for one, other in (("first", "second"), ("second", "first")):
            for address in found[other]:
                self.assertReaches(pods[one], address)
        for name, pod in pods.items():
            config["prevResult"] = results[name]
            if config["cniVersion"] >= "0.4.0":
                self.assertSucceeds(self.call("CHECK", config, name, pod.path))
            del config["prevResult"]
            self.assertSucceeds(self.call("DEL", config, name, pod.path))
        self.assertEqual(self.store.allocations(), {}, "DEL left addresses")
        self.assertEqual(list(self.store.faults()), [])

    def both(self, kind, **more):
        for version in ("0.3.1", *test_bridge_ptp.VERSIONS):
            for families in ((4,), (4, 6)):
                with self.subTest(version=version, families=families):
                    self.connect(self.configuration(kind, version, families, **more), families)


class Bridge(MainPlugin):
    def test_pods_on_a_bridge_reach_each_other(self):
        """Two pods, one and both families."""
        self.both("bridge", bridge="br-pods", isGateway=True)

    def test_without_our_keys_bridge_has_no_gateway(self):
        """What calico-ipam answers for the main plugin calico is of no use to bridge, and is given back."""
        config = self.configuration("bridge", "1.0.0", (4,), bridge="br-bare", isGateway=True)
        del config["ipam"]["gateway"], config["ipam"]["routes"]
        pod = self.pod()
        answer = self.call("ADD", config, "first", pod.path)
        if answer.status:
            self.assertFails(answer)
            self.assertEqual(self.store.allocations(), {})
        self.assertSucceeds(self.call("DEL", config, "first", pod.path))
        self.assertEqual(self.store.allocations(), {})

    def test_failure_after_allocation_leaves_nothing(self):
        """When the bridge fails with the address already given, its own DEL and the runtime's free everything."""
        config = self.configuration("bridge", "1.0.0", (4, 6), bridge="br-taken", isGateway=True)
        self.host.run("ip", "link", "add", "br-taken", "type", "bridge")
        self.host.run("ip", "addr", "add", "10.99.0.1/24", "dev", "br-taken")
        pod = self.pod()
        self.assertFails(self.call("ADD", config, "failed", pod.path), text="br-taken")
        self.assertTrue(self.store.blocks(), "the failure came before the allocation: the test proves nothing")
        self.assertEqual(self.store.allocations(), {})
        self.assertSucceeds(self.call("DEL", config, "failed", pod.path))

    def test_deletion_without_namespace_frees(self):
        config = self.configuration("bridge", "1.0.0", (4, 6), bridge="br-pods", isGateway=True)
        for namespace in ("", "/run/netns/gone"):
            with self.subTest(namespace=namespace):
                self.add(config, "gone", self.pod())
                self.assertEqual(len(self.store.allocations()), 2)
                self.assertSucceeds(self.call("DEL", config, "gone", namespace))
                self.assertEqual(self.store.allocations(), {})


class PointToPoint(MainPlugin):
    def test_pods_on_links_of_their_own_reach_each_other(self):
        """Two pods, each on a link to the host, one and both families."""
        self.host.run("sysctl", "-q", "-w", "net.ipv6.conf.all.forwarding=1")
        self.both("ptp")


if __name__ == "__main__":
    isolation.main()
