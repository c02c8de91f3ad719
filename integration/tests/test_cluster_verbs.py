#!/usr/bin/env python3
"""The verbs of calico-ipam for hosts that share a store, on etcd with TLS and on the Kubernetes API."""

import concurrent.futures
import ipaddress

import calico
import frames
import gateway
import hosts
import isolation
import kubernetes

# Sequential round trips of a warm ADD, and how many more a new block may cost.
MOST_ROUNDS = {"etcd": 2, "Kubernetes": 3}
MORE_FOR_A_BLOCK = 3


@hosts.on_each_engine
class Verbs(hosts.ClusterTest):
    pools = (calico.V4, calico.V6)

    def block_of(self, address):
        return next(cidr for cidr in self.store.blocks() if ipaddress.ip_address(address) in ipaddress.ip_network(cidr))

    def test_two_hosts_have_blocks_of_their_own(self):
        """Each host claims a block, gives out of it, and what one releases the other does not lose."""
        first, second = self.host("node-a"), self.host("node-b")
        calls = [(host, "%s-%d" % (host.node, number)) for host in (first, second) for number in (1, 2)]
        given = {name: self.assertSucceeds(host.add(name)).addresses[0] for host, name in calls}
        self.assertEqual(len(set(given.values())), 4)
        owners = {self.store.blocks()[self.block_of(address)]["affinity"] for address in given.values()}
        self.assertEqual(owners, {"host:node-a", "host:node-b"})
        self.assertEqual(len(self.store.blocks()), 2)
        self.assertSucceeds(first.delete("node-a-1"))
        self.assertEqual(self.store.held("node-a-1"), [])
        self.assertEqual(self.store.held("node-b-1"), [given["node-b-1"]])
        self.assertSound()

    def test_deletion_by_any_host_and_twice(self):
        """An address belongs to its handle, not to the host that deletes it; a second DEL succeeds."""
        first, second = self.host("node-a"), self.host("node-b")
        self.assertSucceeds(first.add("web"))
        for _ in range(2):
            self.assertSucceeds(second.delete("web"))
        self.assertEqual((self.store.allocations(), self.store.handles()), ({}, {}))
        self.assertSound()

    def test_both_families(self):
        host = self.host(assign_ipv6="true")
        addresses = self.assertSucceeds(host.add("web")).addresses
        self.assertEqual([ipaddress.ip_address(one).version for one in addresses], [4, 6])
        self.assertEqual(self.store.held("web"), sorted(addresses))
        self.assertSucceeds(host.delete("web"))
        self.assertSound()

    def test_a_requested_address_goes_to_one_of_many(self):
        """Of eight hosts' processes that ask for one address at the same time, one gets it."""
        ends = [self.host("node-%d" % number) for number in range(8)]
        self.store.put_all({calico.node_path(host.node): calico.node(host.node) for host in ends})
        with concurrent.futures.ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda host: host.add(host.node, arguments="IP=192.168.9.9"), ends))
        said = "\n".join(map(str, answers))
        self.assertEqual(sorted(answer.status for answer in answers), [0] + [1] * 7, said)
        for answer in answers:
            if answer.status:
                self.assertFails(answer, 999, "already assigned")
        self.assertEqual(list(self.store.allocations()), ["192.168.9.9"])
        self.assertSound()

    def test_check_and_status(self):
        host = self.host()
        self.assertSucceeds(host.status())
        added = self.assertSucceeds(host.add("web"))
        previous = {"prevResult": added.document}
        self.assertSucceeds(host.check("web", more=previous))
        self.assertSucceeds(host.delete("web"))
        self.assertFails(host.check("web", more=previous), 999, "no address is assigned")

    def test_status_without_pools(self):
        self.store.put_all({calico.pool_path(cidr): None for cidr in self.pools})
        self.assertFails(self.host().status(), 50)

    def test_collection_spares_other_hosts(self):
        """GC of one host releases what that host no longer has, and nothing of another's."""
        first, second = self.host("node-a"), self.host("node-b")
        for host, container in ((first, "kept"), (first, "gone"), (second, "foreign")):
            self.assertSucceeds(host.add(container))
        self.assertSucceeds(first.collect(["kept"]))
        self.assertEqual([len(self.store.held(name)) for name in ("kept", "gone", "foreign")], [1, 0, 1])
        self.assertSound()

    def test_a_full_pool(self):
        """Everything is given out, by both hosts together; then each says so, and what is released can be had again."""
        self.store.put_all({calico.pool_path(cidr): None for cidr in self.pools})
        self.store.add_pool("10.9.0.0/28", blockSize=30)
        ends = [self.host("node-a"), self.host("node-b")]
        given = [self.assertSucceeds(ends[number % 2].add("c%d" % number)).addresses[0] for number in range(16)]
        self.assertEqual(sorted(given, key=ipaddress.ip_address), ["10.9.0.%d" % last for last in range(16)])
        for host in ends:
            for turn in range(2):
                self.assertFails(host.add("beyond-%d" % turn), 999, "10.9.0.0/28")
        self.assertSucceeds(ends[0].delete("c0"))
        self.assertSound()

    def test_fifty_at_once_on_one_host(self):
        host = self.host()
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            answers = list(pool.map(lambda number: host.add("c%d" % number), range(50)))
        given = {self.assertSucceeds(answer).addresses[0] for answer in answers}
        self.assertEqual(len(given), 50)
        self.assertEqual(set(self.store.allocations()), given)
        self.assertLessEqual(len(self.store.blocks()), 2)
        with concurrent.futures.ThreadPoolExecutor(50) as pool:
            for answer in pool.map(lambda number: host.delete("c%d" % number), range(50)):
                self.assertSucceeds(answer)
        self.assertEqual((self.store.allocations(), self.store.handles()), ({}, {}))
        self.assertSound()

    def test_the_lock_of_a_datastore_does_not_stop_the_plugin(self):
        """Only the main plugin looks whether the datastore is ready; address management does not."""
        path = calico.RESOURCES + "clusterinformations/default"
        self.store.put(path, {**self.store.value(path), "spec": {"datastoreReady": False}})
        self.assertSucceeds(self.host().add("web"))


@hosts.on_each_engine
class Rounds(hosts.ClusterTest):
    """How often the server is waited for; what is asked at once counts once, and the connection is not counted."""

    def setUp(self):
        super().setUp()
        self.frames = frames.FrameProxy.before(self, self.cluster)
        self.node = self.host(port=self.frames.port)

    def rounds(self, container):
        requests = self.frames.begin_count()
        self.assertSucceeds(self.node.add(container))
        self.assertGreater(len(requests), 0)
        return gateway.sequential(requests)

    def test_a_warm_addition(self):
        self.rounds("first")
        self.assertLessEqual(self.rounds("second"), MOST_ROUNDS[self.kind.name])
        self.assertLessEqual(self.rounds("third"), MOST_ROUNDS[self.kind.name])

    def test_a_new_block(self):
        self.assertLessEqual(self.rounds("first"), MOST_ROUNDS[self.kind.name] + MORE_FOR_A_BLOCK)


class Pods(hosts.ClusterTest):
    """What annotations of pods and namespaces say."""

    kind = hosts.KubernetesCluster
    pools = (calico.V4, ("10.7.0.0/24", {"blockSize": 28}), ("10.8.0.0/24", {"blockSize": 28}), calico.V6)
    arguments = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web"

    def annotate(self, path, document, **annotations):
        about = {"name": document["metadata"]["name"]}
        about["annotations"] = {"cni.projectcalico.org/" + name: value for name, value in annotations.items()}
        server = self.cluster.server
        if server.ask("GET", path + "/" + about["name"])[0] == 200:
            server.call("DELETE", path + "/" + about["name"] + "?gracePeriodSeconds=0")
        server.call("POST", path, {**document, "metadata": about})

    def pod(self, **annotations):
        spec = {"containers": [{"name": "c", "image": "i"}], "nodeName": "node-a"}
        document = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec}
        self.annotate("/api/v1/namespaces/default/pods", document, **annotations)

    def call(self, verb, container):
        return self.host().call(verb, container, arguments=self.arguments, more={"policy": {"type": "k8s"}})

    def test_pools_of_a_pod(self):
        """The pod's own pools come before those of the configuration."""
        self.pod(ipv4pools='["10.7.0.0/24"]')
        address = self.assertSucceeds(self.call("ADD", "c1")).addresses[0]
        self.assertIn(ipaddress.ip_address(address), ipaddress.ip_network("10.7.0.0/24"))

    def test_address_of_a_pod(self):
        self.pod(ipAddrs='["10.8.0.77"]')
        self.assertEqual(self.assertSucceeds(self.call("ADD", "c2")).addresses, ["10.8.0.77"])
        self.assertSucceeds(self.call("DEL", "c2"))
        self.assertEqual(self.store.allocations(), {})

    def test_families_of_a_pod(self):
        self.pod(ipFamilies='["IPv6"]')
        addresses = self.assertSucceeds(self.call("ADD", "c3")).addresses
        self.assertEqual([ipaddress.ip_address(one).version for one in addresses], [6])

    def test_malformed_annotation(self):
        self.pod(ipv4pools="10.7.0.0/24")
        self.assertFails(self.call("ADD", "c4"), text="ipv4pools")
        self.assertEqual(self.store.allocations(), {})

    def test_who_holds_an_address(self):
        """The attributes name pod and namespace."""
        self.pod()
        self.assertSucceeds(self.call("ADD", "c5"))
        (block,) = self.store.blocks().values()
        secondary = block["attributes"][0]["secondary"]
        self.assertEqual((secondary["namespace"], secondary["pod"], secondary["node"]), ("default", "web", "node-a"))


class Groups(hosts.ClusterTest):
    """A cluster whose kinds are native in the newer group."""

    kind, options = hosts.KubernetesCluster, {"group": kubernetes.V3}

    def test_the_newer_group_is_found(self):
        host = self.host()
        address = self.assertSucceeds(host.add("web")).addresses
        self.assertEqual(self.store.held("web"), address)
        self.assertSucceeds(host.delete("web"))
        self.assertSound()


if __name__ == "__main__":
    isolation.main()
