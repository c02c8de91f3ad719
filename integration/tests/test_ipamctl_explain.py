#!/usr/bin/env python3
"""ipamctl ipam explain: what it says of an ADD is what the plugin then does, and it writes nothing, on each datastore.

IPAMCTL names the tool.
"""

import json
import os
import subprocess

import calico
import hosts
import isolation

SMALL, OFF = "10.7.0.0/29", "10.8.0.0/24"
POOLS = (calico.V4, (SMALL, {"blockSize": 30, "nodeSelector": "!all()"}), (OFF, {"blockSize": 26, "disabled": True}))


class Explaining:
    """The tests; `self.store` is the store, `run_tool` runs ipamctl on it, and `network` makes a node's plugin."""

    def explain(self, node, *arguments, status=0):
        """What is said, as a document; nothing may change meanwhile."""
        before = self.store.raw()
        done = self.run_tool("ipam", "explain", "--node", node, "--output", "json", *arguments)
        self.assertEqual(done.returncode, status, done.stdout + done.stderr)
        self.assertEqual(self.store.raw(), before)
        document = json.loads(done.stdout)
        self.assertEqual(document["outcome"], "refused" if status else "assigned")
        return document

    def configuration(self, network):
        path = os.path.join(self.temporary, "10-calico.conf")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(network.config(), file)
        return ("--cni-config", path)

    def said(self, document):
        return [found["address"].split("/")[0] for found in document["addresses"]]

    def test_what_is_said_is_what_an_add_gets(self):
        for node in ("node-a", "node-b"):
            network = self.network(node)
            for number in range(3):
                document = self.explain(node, *self.configuration(network))
                answer = self.assertSucceeds(network.add("%s-%d" % (node, number)))
                self.assertEqual(answer.addresses, self.said(document))
                self.assertEqual(document["addresses"][0]["source"], "own" if number else "new")

    def test_a_pool_that_fills_up(self):
        """A block is claimed, then another, then one is borrowed from; at last the pool is full."""
        network = self.network("node-a", ipv4_pools=[SMALL])
        other = self.network("node-b", ipv4_pools=[SMALL])
        self.assertSucceeds(other.add("other"))
        sources = []
        for number in range(7):
            document = self.explain("node-a", *self.configuration(network))
            answer = self.assertSucceeds(network.add("c%d" % number))
            self.assertEqual(answer.addresses, self.said(document))
            sources.append(document["addresses"][0]["source"])
        self.assertEqual(sources, ["new", "own", "own", "own", "borrowed", "borrowed", "borrowed"])
        document = self.explain("node-a", *self.configuration(network), status=1)
        self.assertFails(network.add("late"), text=document["refusal"]["message"])
        self.assertIn("No IPs available in pools: [%s]" % SMALL, document["refusal"]["message"])
        self.assertIn("everyBlockExists", [limit["code"] for limit in document["limits"]])

    def test_pools_that_are_passed_over(self):
        document = self.explain("node-a")
        reasons = {pool["cidr"]: (pool["reason"] or {}).get("code") for pool in document["pools"]}
        self.assertEqual(reasons, {calico.V4: None, SMALL: "nodeSelector", OFF: "disabled"})
        document = self.explain("node-a", "--pool", OFF, status=1)
        self.assertTrue(any("enable pool" in remedy["text"] for remedy in document["remedies"]), document)
        answer = self.network("node-a", ipv4_pools=[OFF]).add("c1")
        self.assertFails(answer, text=document["refusal"]["message"])

    def test_an_address_that_is_asked_for(self):
        network = self.network("node-a")
        address = self.assertSucceeds(network.add("holder")).addresses[0]
        document = self.explain("node-b", "--ip", address, status=1)
        self.assertIn("ipamctl ipam release --ip=" + address, [remedy["command"] for remedy in document["remedies"]])
        answer = self.network("node-b").call("ADD", "c2", arguments="IP=" + address)
        self.assertFails(answer, text=document["refusal"]["message"])

    def test_a_node_that_is_not_there(self):
        document = self.explain("node-z", status=1)
        self.assertIn("node-a, node-b", " ".join(remedy["text"] for remedy in document["remedies"]))


@hosts.on_each_engine
class Explain(Explaining, hosts.ClusterTest):
    pools = POOLS

    def setUp(self):
        super().setUp()
        self.nodes = {}

    def machine(self, node="node-a"):
        # A host keeps what it remembers from call to call.
        if node not in self.nodes:
            self.nodes[node] = self.host(node)
        return self.nodes[node]

    def network(self, node, **ipam):
        self.machine(node).ipam = ipam
        return self.machine(node)

    def run_tool(self, *arguments):
        return self.machine().control(*arguments)


class ExplainOnSQLite(Explaining, calico.CalicoTest):
    pools, nodes = POOLS, ("node-a", "node-b")

    def run_tool(self, *arguments):
        command = [hosts.ipamctl(), *arguments, "--database", self.path]
        return subprocess.run(command, capture_output=True, text=True, timeout=60)


class ExplainPods(hosts.ClusterTest):
    """On Kubernetes pods and namespaces are looked up."""

    kind = hosts.KubernetesCluster
    pools = POOLS

    def test_annotations_of_a_pod(self):
        about = {"name": "web", "annotations": {"cni.projectcalico.org/ipv4pools": json.dumps([SMALL])}}
        spec = {"containers": [{"name": "c", "image": "i"}], "nodeName": "node-a"}
        document = {"apiVersion": "v1", "kind": "Pod", "metadata": about, "spec": spec}
        self.cluster.server.call("POST", "/api/v1/namespaces/default/pods", document)
        host = self.host("node-a")
        words = ["ipam", "explain", "--node=node-a", "--namespace=default", "--pod=web", "-ojson"]
        done = host.control(*words)
        self.assertEqual((done.returncode, done.stderr), (0, ""), done.stdout)
        said = json.loads(done.stdout)
        self.assertEqual((said["asked"]["pools"]["IPv4"], said["asked"]["poolsBy"]["IPv4"]), ([SMALL], "pod"))
        arguments = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web"
        answer = host.call("ADD", "c1", arguments=arguments, more={"policy": {"type": "k8s"}})
        self.assertEqual(self.assertSucceeds(answer).addresses, [said["addresses"][0]["address"].split("/")[0]])
        gone = host.control("ipam", "explain", "--node=node-a", "--pod=gone")
        self.assertEqual(gone.returncode, 0, gone.stderr)
        self.assertIn("note: there is no pod default/gone", gone.stderr)


if __name__ == "__main__":
    isolation.main()
