#!/usr/bin/env python3
"""ipamctl and ipam-node on etcd and on the Kubernetes API: the same commands, moving from one to the other, and what is
said when a server cannot be used.

IPAMCTL and IPAM_NODE name the tools.
"""

import json
import os
import re
import subprocess
import time
import unittest

import calico
import certificates
import hosts
import kubernetes
import plugin
import servers

BLOCK = "192.168.7.0/26"
POOL = {
    "apiVersion": "projectcalico.org/v3",
    "kind": "IPPool",
    "metadata": {"name": "more"},
    "spec": {"cidr": "10.99.0.0/24", "blockSize": 28},
}


def node(name, kubernetes_name=None, **spec):
    value = calico.node(name)
    value["spec"] = dict(spec)
    if kubernetes_name:
        value["spec"]["orchRefs"] = [{"nodeName": kubernetes_name, "orchestrator": "k8s"}]
    return value


def contents(blocks=1):
    """A pool, two nodes that Kubernetes knows, and blocks with a tunnel's address and pods' in each."""
    entries = dict([calico.pool_entry(calico.V4)])
    entries[calico.node_path("old-a")] = node("old-a", "node-a", ipv4VXLANTunnelAddr="192.168.7.0")
    entries[calico.node_path("node-b")] = node("node-b", "node-b")
    entries[calico.CONFIG] = {"strict_affinity": True, "auto_allocate_blocks": True, "maxBlocksPerHost": 30}
    for number in range(blocks):
        cidr = "192.168.%d.%d/26" % (7 + number // 4, number % 4 * 64)
        tunnel = "vxlan-tunnel-addr-old-a" if number == 0 else "other.%d" % number
        pods = ["pod.%d" % (number * 2), "pod.%d" % (number * 2 + 1)]
        owners = [
            {"handle_id": tunnel, "secondary": {"node": "old-a", "type": "vxlanTunnelAddress"}},
            *({"handle_id": pod, "secondary": {"node": "old-a", "pod": pod, "namespace": "default"}} for pod in pods),
        ]
        entries[calico.BLOCKS + "ipv4/block/" + calico.path_form(cidr)] = {
            "cidr": cidr,
            "affinity": "host:old-a",
            "allocations": [0, 1, 2] + [None] * 61,
            "unallocated": list(range(3, 64)),
            "attributes": owners,
            "sequenceNumber": 1800000000000000000 + number,
            "sequenceNumberForAllocation": {str(ordinal): 1800000000000000000 for ordinal in range(3)},
            "deleted": False,
        }
        entries[calico.HOSTS + "old-a/ipv4/block/" + calico.path_form(cidr)] = {"state": "confirmed", "deleted": False}
        for handle in [tunnel, *pods]:
            entries[calico.HANDLES + handle] = {"block": {cidr: 1}, "deleted": False}
    return entries


class ToolTest(plugin.PluginTest):
    """Runs ipamctl with the variables of a cluster, or on a file."""

    def setUp(self):
        super().setUp()
        self.program = hosts.ipamctl()

    def run_tool(self, variables, *words, given=None, timeout=60):
        environment = {"PATH": os.environ["PATH"], "HOME": self.temporary, **variables}
        return subprocess.run(
            [self.program, *words], env=environment, input=given, capture_output=True, text=True, timeout=timeout
        )

    def tool(self, variables, *words, given=None):
        """What a command that must succeed prints."""
        done = self.run_tool(variables, *words, given=given)
        self.assertEqual(done.returncode, 0, "%s: %s%s" % (" ".join(words), done.stdout, done.stderr))
        return done.stdout

    def refusal(self, variables, *words, within=6):
        """What a command that must fail says, in time."""
        began = time.monotonic()
        done = self.run_tool(variables, *words)
        self.assertLess(time.monotonic() - began, within, done.stderr)
        self.assertEqual(done.returncode, 1, done.stdout + done.stderr)
        return done.stderr


class CommandTest(ToolTest):
    """Every command answers the same on each datastore."""

    def clusters(self):
        yield "sqlite", {"DATASTORE_TYPE": "sqlite", "DATABASE_FILE": os.path.join(self.temporary, "ipam.db")}
        for make in (hosts.EtcdCluster, hosts.KubernetesCluster):
            cluster = make(self)
            yield cluster.name, cluster.variables()

    def test_resources_and_configuration(self):
        for name, variables in self.clusters():
            with self.subTest(name):
                self.tool(variables, "apply", "-f", "-", given=json.dumps(POOL))
                self.assertIn("Successfully applied 1", self.tool(variables, "apply", "-f", "-", given=json.dumps(POOL)))
                self.assertRegex(self.tool(variables, "get", "ippools"), r"more +10\.99\.0\.0/24 +all\(\)")
                self.tool(variables, "ipam", "configure", "--strictaffinity=true", "--max-blocks-per-host=4")
                shown = self.tool(variables, "ipam", "show", "--show-configuration")
                self.assertRegex(shown, r"StrictAffinity +\| true")
                document = json.loads(self.tool(variables, "get", "ipamconfig", "default", "-o", "json"))
                self.assertEqual(document["spec"]["maxBlocksPerHost"], 4)
                self.assertRegex(self.tool(variables, "ipam", "show"), r"IP Pool +\| 10\.99\.0\.0/24")
                self.assertIn("Check complete; found 0 problems.", self.tool(variables, "ipam", "check"))
                self.assertIn("Successfully deleted 1", self.tool(variables, "delete", "ippool", "more"))

    def test_addresses(self):
        for make in (hosts.EtcdCluster, hosts.KubernetesCluster):
            cluster = make(self)
            with self.subTest(cluster.name):
                cluster.store.put_all(contents())
                variables = cluster.variables()
                self.assertIn("pod.0", self.tool(variables, "ipam", "show", "--ip", "192.168.7.1"))
                self.tool(variables, "ipam", "release", "--ip", "192.168.7.1")
                self.assertIn("not assigned", self.tool(variables, "ipam", "show", "--ip", "192.168.7.1"))
                self.assertNotIn(calico.HANDLES + "pod.0", cluster.store.entries())
                self.assertIn(calico.HANDLES + "pod.1", cluster.store.entries())
                shown = self.tool(variables, "ipam", "show", "--show-blocks")
                self.assertRegex(shown, r"192\.168\.7\.0/26 +\| +64 +\| +2 \(3%\)")

    def test_calicoctl_configuration_file(self):
        cluster = hosts.EtcdCluster(self)
        cluster.store.put_all(contents())
        path = os.path.join(self.temporary, "calicoctl.cfg")
        spec = {
            "datastoreType": "etcdv3",
            "etcdEndpoints": cluster.server.url,
            "etcdKeyFile": cluster.pair.key,
            "etcdCertFile": cluster.pair.certificate,
            "etcdCACertFile": cluster.server.authority.certificate,
        }
        with open(path, "w", encoding="utf-8") as file:
            json.dump({"apiVersion": "projectcalico.org/v3", "kind": "CalicoAPIConfig", "spec": spec}, file)
        self.assertIn("192.168.0.0/16", self.tool({"DATASTORE_TYPE": "kubernetes"}, "get", "ippools", "-c", path))
        done = self.run_tool({}, "get", "ippools", "--config", "/nonexistent")
        self.assertEqual((done.returncode, done.stdout), (1, "Error reading config file: /nonexistent\n"))


class MigrationTest(ToolTest):
    """Everything moves, and arrives."""

    def setUp(self):
        super().setUp()
        self.file = os.path.join(self.temporary, "calico.yaml")

    def export(self, variables):
        """Locks and exports; the summary."""
        self.assertEqual(self.tool(variables, "datastore", "migrate", "lock"), "Datastore locked.\n")
        done = self.run_tool(variables, "datastore", "migrate", "export")
        self.assertEqual(done.returncode, 0, done.stderr)
        with open(self.file, "w", encoding="utf-8") as file:
            file.write(done.stdout)
        return self.summary(done.stderr)

    def import_file(self, variables):
        return self.summary(self.tool(variables, "datastore", "migrate", "import", "-f", self.file))

    def summary(self, text):
        """`1 pools, 1 blocks, …, digest …`"""
        found = re.search(r"\d+ pools, .* digest [0-9a-f]{32}", text)
        self.assertIsNotNone(found, text)
        return found.group()

    def test_round_trip_over_all_three(self):
        etcd, cluster = hosts.EtcdCluster(self), hosts.KubernetesCluster(self)
        database = {"DATASTORE_TYPE": "sqlite", "DATABASE_FILE": os.path.join(self.temporary, "ipam.db")}
        etcd.store.put_all(contents(blocks=20))
        for name in ("node-a", "node-b"):
            cluster.server.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}})
        first = self.export(etcd.variables())
        self.assertIn("20 blocks, 20 affinities, 60 handles, 60 addresses in use", first)
        for target in (cluster.variables(), database):
            self.assertEqual(self.import_file(target), first)
            self.assertEqual(self.export(target), first)
            self.assertEqual(self.tool(target, "datastore", "migrate", "unlock"), "Datastore unlocked.\n")
        etcd.server.write({path: None for path in etcd.server.read()})
        self.assertEqual(self.import_file(etcd.variables()), first)
        entries = etcd.store.entries()
        self.assertIn(calico.HANDLES + "vxlan-tunnel-addr-node-a", entries)
        block = entries[calico.BLOCKS + "ipv4/block/192.168.7.0-26"]
        self.assertEqual(block["affinity"], "host:node-a")
        self.assertEqual({owner["secondary"]["node"] for owner in block["attributes"]}, {"node-a"})
        information = entries[calico.RESOURCES + "clusterinformations/default"]
        self.assertIs(information["spec"]["datastoreReady"], False)

    def test_a_killed_import_goes_on(self):
        etcd, cluster = hosts.EtcdCluster(self), hosts.KubernetesCluster(self)
        etcd.store.put_all(contents(blocks=100))
        summary = self.export(etcd.variables())
        command = [self.program, "datastore", "migrate", "import", "-f", self.file]
        environment = {"PATH": os.environ["PATH"], "HOME": self.temporary, **cluster.variables()}
        kills = 0
        for tenths in range(1, 40):
            try:
                done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=tenths / 10)
            except subprocess.TimeoutExpired:
                kills += 1
                continue
            self.assertEqual(done.returncode, 0, done.stderr)
            break
        self.assertGreater(kills, 0)
        self.assertEqual(self.import_file(cluster.variables()), summary)

    def test_data_of_others_is_safe(self):
        etcd, cluster = hosts.EtcdCluster(self), hosts.KubernetesCluster(self)
        etcd.store.put_all(contents())
        self.export(etcd.variables())
        self.tool(cluster.variables(), "apply", "-f", "-", given=json.dumps(POOL))
        before = cluster.store.entries()
        said = self.refusal(cluster.variables(), "datastore", "migrate", "import", "-f", self.file)
        self.assertIn("datastore already has Calico resources: found existing Calico IPPool resource", said)
        self.assertEqual(cluster.store.entries(), before)
        self.assertIn("is not locked", self.refusal(cluster.variables(), "datastore", "migrate", "export"))


class RefusalTest(ToolTest):
    """Each message names what is wrong and what to do, within five seconds."""

    def test_unreachable(self):
        port = servers.free_port()
        said = self.refusal({"ETCD_ENDPOINTS": "http://127.0.0.1:%d" % port}, "get", "ippools")
        self.assertIn("127.0.0.1:%d" % port, said)
        variables = {"DATASTORE_TYPE": "kubernetes", "K8S_API_ENDPOINT": "https://127.0.0.1:%d" % port}
        self.assertIn("127.0.0.1:%d" % port, self.refusal(variables, "get", "ippools"))

    def test_certificates(self):
        cluster = hosts.EtcdCluster(self)
        other = certificates.Authority.make(os.path.join(self.temporary, "other"))
        variables = {**cluster.variables(), "ETCD_CA_CERT_FILE": other.certificate}
        self.assertRegex(self.refusal(variables, "get", "ippools"), r"(?i)certificate|authority")
        old = cluster.server.authority.issue("old", days=-1)
        variables = {**cluster.variables(), "ETCD_KEY_FILE": old.key, "ETCD_CERT_FILE": old.certificate}
        self.assertRegex(self.refusal(variables, "get", "ippools"), r"(?i)expired|certificate")
        variables = {**cluster.variables(), "ETCD_CA_CERT_FILE": "/nonexistent.pem"}
        self.assertIn("/nonexistent.pem", self.refusal(variables, "get", "ippools"))
        server = kubernetes.Kubernetes(self)
        config = server.kubeconfig_for("wrong", token=kubernetes.ADMIN, authority=other.certificate)
        self.assertRegex(self.refusal({}, "get", "ippools", "--kubeconfig", config), r"(?i)certificate|authority")

    def test_rights_and_definitions(self):
        token = "token-of-nobody"
        server = kubernetes.Kubernetes(self, rbac=True, accounts={token: "default/nobody"})
        config = server.kubeconfig_for("nobody", token=token)
        said = self.refusal({}, "get", "ippools", "--kubeconfig", config)
        self.assertIn("system:serviceaccount:default:nobody", said)
        said = self.refusal({}, "get", "ippools", "--kubeconfig", config, "--allow-version-mismatch")
        self.assertIn("ippools", said)
        bare = kubernetes.Kubernetes(self, group=None)
        manifest = os.path.join(self.temporary, "pool.json")
        with open(manifest, "w", encoding="utf-8") as file:
            json.dump(POOL, file)
        said = self.refusal({}, "create", "-f", manifest, "--kubeconfig", bare.kubeconfig)
        self.assertRegex(said, r"(?i)crd|definition|installed")

    def test_malformed_entry(self):
        cluster = hosts.EtcdCluster(self)
        cluster.store.put_all(contents())
        path = calico.BLOCKS + "ipv4/block/" + calico.path_form(BLOCK)
        cluster.server.write({path: b"{"})
        self.tool(cluster.variables(), "datastore", "migrate", "lock")
        said = self.refusal(cluster.variables(), "datastore", "migrate", "export")
        self.assertIn("BlockKey(cidr=192.168.7.0/26) cannot be understood", said)
        self.assertEqual(cluster.server.read(path)[path][0], b"{")


class AgentTest(plugin.PluginTest):
    """ipam-node computes the same from each datastore."""

    def plan(self, variables, *words):
        program = os.environ.get("IPAM_NODE", "")
        if not os.access(program, os.X_OK):
            self.skipTest("IPAM_NODE does not name the agent")
        environment = {"PATH": os.environ["PATH"], "HOME": self.temporary, "NODENAME": "node-b", **variables}
        command = [os.path.abspath(program), "plan", "-o", "json", *words]
        done = subprocess.run(command, env=environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return {route["destination"] for route in json.loads(done.stdout)["routes"]}

    def test_blocks(self):
        for make in (hosts.EtcdCluster, hosts.KubernetesCluster):
            cluster = make(self)
            with self.subTest(cluster.name):
                entries = contents()
                block = entries[calico.BLOCKS + "ipv4/block/" + calico.path_form(BLOCK)]
                block["affinity"] = "host:node-b"
                for owner in block["attributes"]:
                    owner["secondary"]["node"] = "node-b"
                entries = {path.replace("host/old-a", "host/node-b"): value for path, value in entries.items()}
                cluster.store.put_all({path: value for path, value in entries.items() if "/nodes/" not in path})
                if cluster.name == "etcd":
                    cluster.store.put_all({calico.node_path("node-b"): calico.node("node-b")})
                else:
                    cluster.server.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-b"}})
                self.assertIn(BLOCK, self.plan(cluster.variables()))

    def test_ranges_of_nodes(self):
        cluster = hosts.KubernetesCluster(self)
        for number, name in enumerate(("node-a", "node-b")):
            ranges = ["10.244.%d.0/24" % number]
            spec = {"podCIDR": ranges[0], "podCIDRs": ranges}
            cluster.server.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}, "spec": spec})
        routes = self.plan(cluster.variables(), "--mode", "podCIDR", "--pod-cidr-blackhole")
        self.assertIn("10.244.1.0/24", routes)


if __name__ == "__main__":
    unittest.main()
