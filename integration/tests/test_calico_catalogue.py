#!/usr/bin/env python3
"""Upstream's own tests of calico-ipam (front-end specification, section 8.1), by their numbers."""

import ipaddress

import calico
import isolation
import plugin

EXTRA = "192.169.1.0/24"
WANTED = "192.168.123.123"


class Catalogue(calico.CalicoTest):
    """A node, and one pool of each family, as upstream's fixture has them; the version is its default as well."""

    def network(self, **options):
        return super().network(version="0.3.1", **options)

    def assertAnswer(self, answer, prefixes):
        """One address of each prefix length, and a route to each."""
        document = self.assertSucceeds(answer).document
        found = [ipaddress.ip_interface(item["address"]) for item in document["ips"]]
        self.assertEqual([item.network.prefixlen for item in found], prefixes, str(answer))
        for item in found:
            pool = ipaddress.ip_network(calico.V4 if item.version == 4 else calico.V6)
            self.assertIn(item.ip, pool)
        self.assertEqual([route["dst"] for route in document["routes"]], [item["address"] for item in document["ips"]])

    def add_and_delete(self, prefixes, **ipam):
        network = self.network(**ipam)
        answer = network.add()
        self.assertAnswer(answer, prefixes)
        self.assertHolds("c1", answer.addresses)
        self.assertSucceeds(network.delete())
        self.assertEqual(self.store.allocations(), {})
        self.assertEqual(self.store.handles(), {})

    def test_01_plain_addition_gives_v4(self):
        self.add_and_delete([26])

    def test_02_v4_by_name(self):
        self.add_and_delete([26], assign_ipv4="true")

    def test_03_v6_alone(self):
        self.add_and_delete([122], assign_ipv4="false", assign_ipv6="true")

    def test_04_both_families(self):
        self.add_and_delete([26, 122], assign_ipv4="true", assign_ipv6="true")

    def missing_family(self, pool, family):
        """Without one family's pool nothing of either is given."""
        self.store.remove_pool(pool)
        network = self.network(assign_ipv4="true", assign_ipv6="true")
        for container in ("c1", "c2"):
            answer = self.assertFails(network.add(container), 999, "ippool")
            self.assertNotIn("ips", answer.document)
            self.assertEqual(self.store.allocations(), {}, family)
        self.assertSucceeds(network.delete())
        self.assertEqual(self.store.handles(), {})

    def test_05_both_families_without_a_v6_pool(self):
        self.missing_family(calico.V6, "v4")

    def test_06_both_families_without_a_v4_pool(self):
        self.missing_family(calico.V4, "v6")

    def test_07_pool_by_network(self):
        self.add_and_delete([26], ipv4_pools=[calico.V4])

    def test_07_pool_by_name(self):
        self.add_and_delete([26], ipv4_pools=[calico.pool_name(calico.V4)])

    def test_08_several_pools(self):
        self.store.add_pool(EXTRA)
        network = self.network(ipv4_pools=[EXTRA, calico.V4])
        (address,) = self.assertSucceeds(network.add()).addresses
        self.assertRegex(address, r"^192\.16[89]\.")

    def test_09_disabled_pool_is_passed_over(self):
        network = self.network()
        (first,) = self.assertSucceeds(network.add()).addresses
        self.assertTrue(first.startswith("192.168."), first)
        self.store.add_pool(calico.V4, disabled=True)
        self.store.add_pool(EXTRA)
        (second,) = self.assertSucceeds(network.add()).addresses
        self.assertTrue(second.startswith("192.169.1."), second)
        # Both are the container's, and its DEL frees both, one of them in a disabled pool.
        self.assertHolds("c1", [first, second])
        self.assertSucceeds(network.delete())
        self.assertHolds("c1", [])

    def test_10_pool_that_does_not_exist(self):
        network = self.network(ipv4_pools=[calico.V4, EXTRA])
        with self.unchanged():
            answer = self.assertFails(network.add(), 999)
        self.assertIn(EXTRA + ") does not exist", answer.document["msg"])

    def request(self, address=WANTED, container="c1"):
        return self.network().add(container, arguments="IP=" + address)

    def test_11_requested_address(self):
        document = self.assertSucceeds(self.request()).document
        self.assertEqual([item["address"] for item in document["ips"]], [WANTED + "/32"])
        self.assertEqual(document["routes"], [{"dst": WANTED + "/32"}])
        self.assertHolds("c1", [WANTED])

    def test_12_requested_again_after_deletion(self):
        for _ in range(2):
            self.assertEqual(self.assertSucceeds(self.request()).addresses, [WANTED])
            self.assertSucceeds(self.network().delete(arguments="IP=" + WANTED))
            self.assertHolds("c1", [])

    def test_13_requested_twice(self):
        self.assertSucceeds(self.request())
        for container in ("c1", "c2"):
            answer = self.assertFails(self.request(container=container), 999)
            self.assertIn("Address already assigned in block", answer.document["msg"])
        self.assertHolds("c1", [WANTED])

    def test_14_pool_for_another_use(self):
        self.store.add_pool("10.123.0.0/16", allowedUses=["Tunnel"])
        with self.unchanged():
            answer = self.assertFails(self.request("10.123.0.5"), 999)
        self.assertEqual(
            answer.document["msg"],
            'IP address 10.123.0.5 is in IP pool "10-123-0-0-16", which is not allowed for use "Workload" '
            "(allowedUses: [Tunnel])",
        )

    def test_15_deletion_of_an_unknown_container(self):
        with self.unchanged():
            self.assertSucceeds(self.network().delete("unknown", arguments="IP=" + WANTED))

    def assigned_before(self, handle):
        """An address under this handle, which the DEL of c1 has to release."""
        block = "192.168.123.64/26"
        self.store.fill(1, block)
        entry = self.store.value(calico.block_path(block))
        entry["attributes"][0]["handle_id"] = handle
        self.store.put_all(
            {
                calico.block_path(block): entry,
                calico.HANDLES + calico.NETWORK + ".full-0": None,
                calico.HANDLES + handle: {"block": {block: 1}, "deleted": False},
            }
        )
        self.assertEqual(self.store.allocations(), {"192.168.123.64": (handle, calico.NODE)})
        answer = self.assertSucceeds(self.network().delete())
        self.assertEqual(answer.stdout, b"")
        self.assertEqual(self.store.allocations(), {})
        self.assertEqual(self.store.handles(), {})

    def test_16_deletion_of_an_old_handle(self):
        self.assigned_before("c1")

    def test_16_deletion_of_an_old_handle_of_a_pod(self):
        """Under Kubernetes it was made of namespace and pod."""
        arguments = "IgnoreUnknown=1;K8S_POD_NAMESPACE=ns;K8S_POD_NAME=pod"
        self.assertSucceeds(self.network(name="ns").add("pod"))
        self.assertEqual(list(self.store.handles()), ["ns.pod"])
        self.assertSucceeds(self.network().delete("c1", arguments=arguments))
        self.assertEqual(self.store.handles(), {})

    def test_17_deletion_of_a_handle(self):
        self.assigned_before(calico.NETWORK + ".c1")


class Errors(calico.CalicoTest):
    """Messages of section 1.6 that tools may look for."""

    def test_requested_address_outside_every_pool(self):
        with self.unchanged():
            answer = self.assertFails(self.net.add(arguments="IP=10.9.9.9"), 999)
        self.assertEqual(answer.document["msg"], "The provided IP address is not in a configured pool\n")

    def test_requested_address_in_a_disabled_pool(self):
        self.store.add_pool(calico.V4, disabled=True)
        with self.unchanged():
            answer = self.assertFails(self.net.add(arguments="IP=" + WANTED), 999)
        self.assertEqual(answer.document["msg"], "The provided IP address is not in a configured pool\n")

    def test_no_pool_of_the_family(self):
        self.store.remove_pool(calico.V4)
        with self.unchanged():
            self.assertFails(self.net.add(), 999, "cannot find a qualified ippool")

    def test_no_pool_selects_the_node(self):
        self.store.add_pool(calico.V4, nodeSelector="has(rack)")
        with self.unchanged():
            self.assertFails(self.net.add(), 999, "no configured Calico pools for node node-a")

    def test_no_pool_for_workloads(self):
        self.store.add_pool(calico.V4, allowedUses=["Tunnel"])
        with self.unchanged():
            text = "cannot find a qualified ippool, no pools match the required use (Workload)"
            self.assertFails(self.net.add(), 999, text)

    def test_node_that_does_not_exist(self):
        with self.unchanged():
            answer = self.network(node="nowhere").add()
            self.assertFails(answer, 999, "resource does not exist: Node(nowhere) with error: ")

    def test_pool_name_that_does_not_exist(self):
        with self.unchanged():
            answer = self.network(ipv4_pools=["no-such-pool"]).add()
            text = 'error parsing pool "no-such-pool": invalid CIDR address: no-such-pool'
            self.assertFails(answer, 999, text)

    def test_pool_of_the_other_family(self):
        with self.unchanged():
            answer = self.network(ipv4_pools=[calico.V6]).add()
            self.assertFails(answer, 999, '"fd80:24e2:f998:72d6::" isn\'t a IPv4 address')
            answer = self.network(assign_ipv6="true", ipv6_pools=[calico.V4]).add()
            self.assertFails(answer, 999, '"192.168.0.0" isn\'t a IPv6 address')

    def test_full_pool(self):
        self.store.remove_pool(calico.V4)
        self.store.add_pool("10.7.0.0/28", blockSize=30)
        for number in range(16):
            self.assertSucceeds(self.net.add("c%d" % number))
        before = self.store.allocations()
        self.assertEqual(len(before), 16)
        text = "failed to request IPv4 addresses: Assigned 0 out of 1 requested IPv4 addresses; "
        text += "No IPs available in pools: [10.7.0.0/28]"
        for _ in range(2):
            self.assertFails(self.net.add("beyond"), 999, text)
        self.assertEqual(self.store.allocations(), before)
        self.assertSucceeds(self.net.delete("c7"))
        self.assertSucceeds(self.net.add("beyond"))

    def test_pool_that_is_added_after_exhaustion_is_used_at_once(self):
        """That pools were full is remembered for some seconds; a new pool is not among them."""
        self.store.remove_pool(calico.V4)
        self.store.add_pool("10.7.0.0/31", blockSize=31)
        for number in range(2):
            self.assertSucceeds(self.net.add("c%d" % number))
        self.assertFails(self.net.add("beyond"), 999, "No IPs available in pools")
        self.store.add_pool("10.8.0.0/31", blockSize=31)
        self.assertSucceeds(self.net.add("beyond"))

    def test_strict_affinity(self):
        """With strict affinity a node never takes from another node's block."""
        self.store.put(calico.node_path("node-b"), calico.node("node-b"))
        self.store.put(calico.CONFIG, {"strict_affinity": True, "auto_allocate_blocks": True})
        self.store.remove_pool(calico.V4)
        self.store.add_pool("10.7.0.0/30", blockSize=30)
        (address,) = self.assertSucceeds(self.net.add("c1")).addresses
        other = self.network(node="node-b")
        self.assertFails(other.add("c2"), 999, "No more free affine blocks and strict affinity enabled")
        wanted = next("10.7.0.%d" % last for last in range(4) if "10.7.0.%d" % last != address)
        self.assertFails(other.add("c2", arguments="IP=" + wanted), 999, "Block host affinity does not match")
        self.assertEqual(list(self.store.allocations()), [address])

    def test_limit_of_blocks(self):
        self.store.put(
            calico.CONFIG, {"strict_affinity": True, "auto_allocate_blocks": True, "maxBlocksPerHost": 1}
        )
        self.store.remove_pool(calico.V4)
        self.store.add_pool("10.7.0.0/24", blockSize=31)
        for number in range(2):
            self.assertSucceeds(self.net.add("c%d" % number))
        answer = self.assertFails(self.net.add("beyond"), 999)
        self.assertRegex(answer.document["msg"], "limit of 1 blocks|per host block limit")
        self.assertEqual(len(self.store.blocks()), 1)


class Harness(calico.CalicoTest):
    """How upstream's tests call the plugin."""

    def test_environment(self):
        """CNI_NETNS=b, CNI_IFNAME=c, CNI_PATH=d, and a line end behind the configuration."""
        document = plugin.encode(self.net.config()) + b"\n"
        harness = {"config": document, "namespace": "b", "interface": "c", "environment": {"CNI_PATH": "d"}}
        self.assertSucceeds(self.net.add(**harness))
        self.assertSucceeds(self.net.delete(**harness))


if __name__ == "__main__":
    isolation.main()
