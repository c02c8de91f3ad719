#!/usr/bin/env python3
"""What ipamctl does with resources, on every datastore: the same commands give the same tables and messages.

IPAMCTL names the tool.
"""

import json
import os
import subprocess
import unittest

import hosts
import kubernetes
import plugin
import test_ipamctl_datastores

POOLS = """\
apiVersion: projectcalico.org/v3
kind: IPPool
metadata:
  name: ippool-name1
  labels: {test-label: label-1}
  annotations: {test-annotation: annotation-1}
spec:
  cidr: 10.0.1.0/24
  ipipMode: Always
  blockSize: 27
  nodeSelector: foo == 'bar'
---
apiVersion: projectcalico.org/v3
kind: IPPool
metadata:
  name: ippool-name2
spec:
  cidr: fed0:8001::/64
"""

BOTH = (
    "NAME           CIDR          SELECTOR       \n"
    "ippool-name1   10.0.1.0/24   foo == 'bar'   \n\n"
    "NAME           CIDR             SELECTOR   \n"
    "ippool-name2   fed0:8001::/64   all()      \n\n"
)

WIDE = (
    "NAME           CIDR          NAT     IPIPMODE   VXLANMODE   DISABLED   DISABLEBGPEXPORT   SELECTOR       "
    "ASSIGNMENTMODE   \n"
    "ippool-name1   10.0.1.0/24   false   Always     Never       false      false              foo == 'bar'   "
    "Automatic        \n\n"
)

RESERVATION = {
    "apiVersion": "projectcalico.org/v3",
    "kind": "IPReservation",
    "metadata": {"name": "infra"},
    "spec": {"reservedCIDRs": ["10.0.1.0/30"]},
}

CONFIGURATION = {
    "apiVersion": "projectcalico.org/v3",
    "kind": "IPAMConfiguration",
    "metadata": {"name": "default"},
    "spec": {"strictAffinity": True, "autoAllocateBlocks": True, "maxBlocksPerHost": 4},
}

NODES = "NAME   ASN     IPV4          IPV6   \nn1     64512   10.0.0.1/24          \n\n"

SPLIT = (
    "IP Pool ippool-name1 was successfully split into 4 smaller pools."
    "Created split-ippool-name1-0 with CIDR 10.0.1.0/26.\n"
    "Created split-ippool-name1-1 with CIDR 10.0.1.64/26.\n"
    "Created split-ippool-name1-2 with CIDR 10.0.1.128/26.\n"
    "Created split-ippool-name1-3 with CIDR 10.0.1.192/26.\n"
    "Please refer to the documentation for final steps."
)


class ResourceTest(plugin.PluginTest):
    """One cluster of each kind; the commands run one after another, as a person would type them."""

    def setUp(self):
        super().setUp()
        self.program = hosts.ipamctl()

    def run_tool(self, *words, given=None):
        environment = {"PATH": os.environ["PATH"], "HOME": self.temporary, **self.variables}
        return subprocess.run(
            [self.program, *words], env=environment, input=given, capture_output=True, text=True, timeout=60
        )

    def says(self, expected, *words, given=None):
        """A command succeeds and prints this, and nothing on stderr."""
        done = self.run_tool(*words, given=given)
        self.assertEqual((done.stdout, done.stderr, done.returncode), (expected, "", 0), " ".join(words))

    def fails(self, expected, *words, output="", given=None):
        """A command fails and prints this on stderr."""
        done = self.run_tool(*words, given=given)
        self.assertEqual((done.stdout, done.stderr, done.returncode), (output, expected, 1), " ".join(words))

    def document(self, *words):
        done = self.run_tool("get", *words, "-o", "json")
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def everything(self):
        """All pools, as they are stored."""
        return self.run_tool("get", "ippools", "-o", "json").stdout

    # MARK: the datastores

    def test_sqlite(self):
        self.variables = {"DATASTORE_TYPE": "sqlite", "DATABASE_FILE": os.path.join(self.temporary, "ipam.db")}
        self.play()
        self.nodes()

    def test_etcd(self):
        self.variables = hosts.EtcdCluster(self).variables()
        self.play()
        self.nodes()

    def test_kubernetes(self):
        self.on_kubernetes(kubernetes.V1)

    def test_kubernetes_v3(self):
        self.on_kubernetes(kubernetes.V3)

    def on_kubernetes(self, group):
        cluster = hosts.KubernetesCluster(self, group=group)
        self.variables = cluster.variables()
        self.play()
        self.kubernetes_nodes(cluster.server)

    # MARK: the commands

    def play(self):
        self.writing()
        self.reading()
        self.changing()
        self.mistakes()
        self.allocations()
        self.splitting()
        self.deleting()

    def writing(self):
        self.says("Successfully created 2 'IPPool' resource(s)\n", "create", "-f", "-", given=POOLS)
        self.fails(
            "failed to create any 'IPPool' resources: "
            "[resource already exists: IPPool(ippool-name1) with error: <nil> "
            "resource already exists: IPPool(ippool-name2) with error: <nil>]\n",
            *("create", "-f", "-"),
            given=POOLS,
        )
        self.says("Successfully created 2 'IPPool' resource(s)\n", "create", "-f", "-", "--skip-exists", given=POOLS)
        self.says("Successfully applied 2 'IPPool' resource(s)\n", "apply", "-f", "-", given=POOLS)
        both = json.dumps([RESERVATION, CONFIGURATION])
        self.says("Successfully applied 2 resource(s)\n", "apply", "-f", "-", given=both)
        self.says("Successfully applied 2 resource(s)\n", "apply", "-f", "-", given=both)
        # What is printed can be given back, and nothing changes but the version.
        before = self.document("ippool", "ippool-name1", "--export")
        text = self.run_tool("get", "ippools", "-o", "yaml").stdout
        self.says("Successfully replaced 2 'IPPool' resource(s)\n", "replace", "-f", "-", given=text)
        self.assertEqual(self.document("ippool", "ippool-name1", "--export"), before)
        text = self.run_tool("get", "ippool", "ippool-name1", "-o", "yaml").stdout
        self.assertEqual(self.run_tool("label", "ippool", "ippool-name1", "since=then").returncode, 0)
        for command in ("replace", "apply"):
            self.fails(
                "failed to %s 'IPPool' resource: [update conflict: IPPool(ippool-name1)]\n" % command,
                *(command, "-f", "-"),
                given=text,
            )
        self.fails(
            "Failed to delete 'IPPool' resource: update conflict: IPPool(ippool-name1)\n\n",
            *("delete", "-f", "-"),
            given=text,
        )
        self.assertEqual(self.run_tool("label", "ippool", "ippool-name1", "since", "--remove").returncode, 0)

    def reading(self):
        self.says(BOTH, "get", "ippool", "ippool-name1", "ippool-name2", "--export")
        self.says(WIDE, "get", "-o", "wide", "ippool/ippool-name1")
        self.says("ippool/ippool-name1\nippool/ippool-name2\n", "get", "pools", "-o", "name")
        self.says("NAME    CIDRS         \ninfra   10.0.1.0/30   \n\n", "get", "reservations", "-owide")
        self.says(
            "NAME      STRICTAFFINITY   AUTOALLOCATEBLOCKS   MAXBLOCKSPERHOST   \n"
            "default   true             true                 4                  \n\n",
            *("get", "ipamconfig", "-o=wide"),
        )
        self.fails(
            "resource does not exist: IPPool(blah) with error: <nil>\n",
            *("get", "ippool", "ippool-name1", "blah", "ippool-name2"),
            output=BOTH,
        )
        self.fails("IPPool is not namespaced\n", "get", "ippool", "-A", output="")

    def changing(self):
        patched = "Successfully patched 1 'IPPool' resource\n"
        self.says(patched, "patch", "ippool", "ippool-name1", "-p", '{"spec":{"natOutgoing": true}}')
        pool = self.document("ippool", "ippool-name1")
        self.assertIs(pool["spec"]["natOutgoing"], True)
        self.assertEqual(pool["metadata"]["labels"], {"test-label": "label-1"})
        self.assertEqual(pool["metadata"]["annotations"], {"test-annotation": "annotation-1"})
        steps = '[{"op":"remove","path":"/spec/natOutgoing"}]'
        self.says(patched, "patch", "ippool", "ippool-name1", "-t", "json", "-p", steps)
        self.assertNotIn("natOutgoing", self.document("ippool", "ippool-name1")["spec"])
        merge = '{"metadata":{"labels":{"a":"b"}}}'
        self.says(patched, "patch", "ippool", "ippool-name1", "--type=merge", "--patch", merge)
        self.says("Successfully updated label a on ippool ippool-name1\n", "label", "ippool", "ippool-name1", "a=b")
        self.says("Successfully set label c on pool ippool-name1\n", "label", "pool", "ippool-name1", "c=d")
        self.fails(
            "failed to update label of pool ippool-name1, key c is already present. "
            "please use '--overwrite' to set a new value\n",
            *("label", "pool", "ippool-name1", "c=e"),
        )
        self.says(
            "Successfully updated label c on pool ippool-name1\n",
            *("label", "pool", "ippool-name1", "c=e", "--overwrite"),
        )
        self.says(
            "Successfully removed label a from pool ippool-name1\n", "label", "pool", "ippool-name1", "a", "--remove"
        )
        labels = self.document("ippool", "ippool-name1")["metadata"]["labels"]
        self.assertEqual(labels, {"test-label": "label-1", "c": "e"})
        self.says("Successfully patched 1 'IPAMConfiguration' resource\n", *self.words_for_configuration())
        shown = self.run_tool("ipam", "show", "--show-configuration").stdout
        self.assertIn("| MaxBlocksPerHost             | 8       |\n", shown)

    def words_for_configuration(self):
        return ("patch", "ipamconfig", "default", "-p", '{"spec":{"maxBlocksPerHost":8}}')

    def mistakes(self):
        """Nothing is changed by what is wrong, and what was probably meant is named."""
        before = self.everything()
        unknown = "field in document is not recognized or is in the wrong location: "
        typo = POOLS.replace("blockSize", "blocksize_")
        self.fails(
            unknown + "blocksize_\nstdin, line 10, spec.blocksize_: did you mean 'blockSize'?\n",
            *("apply", "-f", "-"),
            given=typo,
        )
        self.fails(
            "failed to execute command: unknown resource type (IPPol) and/or version (projectcalico.org/v3)\n"
            "stdin, line 14, kind: did you mean 'IPPool'?\n",
            *("replace", "-f", "-"),
            given="kind: IPPol\n".join(POOLS.rsplit("kind: IPPool\n", 1)),
        )
        overlapping = POOLS.split("---\n")[0].replace("ippool-name1", "other")
        done = self.run_tool("create", "-f", "-", given=overlapping)
        self.assertEqual((done.stdout, done.returncode), ("", 1))
        self.assertEqual(
            done.stderr,
            "failed to create 'IPPool' resource: [error with field IPPool.Spec.CIDR = '10.0.1.0/24' (IPPool(other) "
            "CIDR overlaps with IPPool(ippool-name1) CIDR 10.0.1.0/24)]\nstdin, line 8, IPPool(other), spec.cidr\n",
        )
        self.fails(
            "resource does not exist: IPPool(ippool-nam1) with error: <nil>\n"
            "IPPool(ippool-nam1): did you mean 'ippool-name1'?\n",
            *("get", "ippool", "ippool-nam1"),
        )
        self.fails("resource type 'ippol' is not supported\ndid you mean 'ippool'?\n", "delete", "ippol", "a")
        self.fails(
            unknown + "natOutgong\nspec.natOutgong: did you mean 'natOutgoing'?\n",
            *("patch", "ippool", "ippool-name1", "-p", '{"spec":{"natOutgong":true}}'),
        )
        self.fails(
            "hit error: updating existing resource: error with field IPPool.Spec.BlockSize = '28' "
            "(IPPool BlockSize cannot be modified)\n",
            *("patch", "ippool", "ippool-name1", "-p", '{"spec":{"blockSize":28}}'),
        )
        self.fails("unknown flag: --exprt\ndid you mean '--export'?\n", "get", "ippools", "--exprt")
        self.assertEqual(self.everything(), before)

    def allocations(self):
        """Blocks and what belongs to them can be seen, and not be written."""
        self.says("NAME   CIDR   AFFINITY   \n\n", "get", "ipamblocks")
        self.says("NAME   NODE   CIDR   STATE   \n\n", "get", "blockaffinities")
        self.says("NAME   IPS   \n\n", "get", "ipamhandles")
        done = self.run_tool("delete", "ipamblock", "10-0-1-0-27")
        self.assertEqual((done.stdout, done.returncode), ("", 1))
        self.assertTrue(done.stderr.startswith("resource type 'ipamblock' is not supported\nIPAMBlock is written by "))

    def splitting(self):
        words = ("ipam", "split", "--name", "ippool-name1")
        self.fails(
            "datastore is not locked. Run the `ipamctl datastore migrate lock` command in order split the IP pools\n",
            *words,
            "4",
        )
        self.says("Datastore locked.\n", "datastore", "migrate", "lock")
        self.fails(
            "error splitting the CIDR 10.0.1.0/24 into 3 CIDRs: "
            "number to split CIDR into is not a valid power of 2: 3\n",
            *words,
            "3",
        )
        self.assertNotIn("disabled", self.document("ippool", "ippool-name1")["spec"])
        self.says(SPLIT, *words, "4")
        self.says("Datastore unlocked.\n", "datastore", "migrate", "unlock")
        self.says(
            "ippool/ippool-name2\n" + "".join("ippool/split-ippool-name1-%d\n" % part for part in range(4)),
            *("get", "pools", "-o", "name"),
        )
        part = self.document("ippool", "split-ippool-name1-3")
        self.assertEqual(part["spec"]["nodeSelector"], "foo == 'bar'")
        self.assertNotIn("disabled", part["spec"])

    def deleting(self):
        names = ["split-ippool-name1-%d" % part for part in range(4)]
        self.fails(
            "Failed to delete 'IPPool' resource: resource does not exist: IPPool(blah) with error: <nil>\n\n",
            *("delete", "ippool", names[0], "blah", names[1]),
            output="Successfully deleted 2 'IPPool' resource(s)\n",
        )
        self.says("Successfully deleted 2 'IPPool' resource(s)\n", "delete", *("ippool/" + name for name in names[2:]))
        self.says("Successfully deleted 1 'IPPool' resource(s)\n", "delete", "pool", names[0], "--skip-not-exists")
        text = json.dumps(RESERVATION)
        self.says("Successfully deleted 1 'IPReservation' resource(s)\n", "delete", "-f", "-", given=text)
        self.says("Successfully deleted 1 'IPAMConfiguration' resource(s)\n", "delete", "ipamconfig", "default")

    # MARK: nodes

    def nodes(self):
        node = {"apiVersion": "projectcalico.org/v3", "kind": "Node", "metadata": {"name": "n1"}, "spec": {}}
        self.says("Successfully created 1 'Node' resource(s)\n", "create", "-f", "-", given=json.dumps(node))
        self.says("Successfully set label rack on node n1\n", "label", "node", "n1", "rack=r1")
        self.says("Successfully patched 1 'Node' resource\n", *self.words_for_node())
        self.says(NODES, "get", "nodes", "-owide")
        self.says("Successfully deleted 1 'Node' resource(s)\n", "delete", "node", "n1")

    def words_for_node(self):
        return ("patch", "node", "n1", "-p", '{"spec":{"bgp":{"asNumber":64512,"ipv4Address":"10.0.0.1/24"}}}')

    def kubernetes_nodes(self, server):
        """Kubernetes makes and deletes nodes; Calico's members of them are annotations, and so are its labels."""
        server.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "n1", "labels": {"zone": "z"}}})
        node = {"apiVersion": "projectcalico.org/v3", "kind": "Node", "metadata": {"name": "n2"}, "spec": {}}
        done = self.run_tool("create", "-f", "-", given=json.dumps(node))
        self.assertEqual(done.returncode, 1)
        self.assertIn("[operation Create is not supported on Node(n2): nodes are made by Kubernetes]", done.stderr)
        done = self.run_tool("delete", "node", "n1")
        self.assertEqual(done.returncode, 1)
        self.assertIn("operation Delete is not supported on Node(n1)", done.stderr)
        self.says("Successfully set label rack on node n1\n", "label", "node", "n1", "rack=r1")
        self.says("Successfully patched 1 'Node' resource\n", *self.words_for_node())
        self.says(NODES, "get", "nodes", "-owide")
        self.assertEqual(self.document("node", "n1")["metadata"]["labels"], {"rack": "r1", "zone": "z"})
        own = server.call("GET", "/api/v1/nodes/n1")["metadata"]
        self.assertEqual(own["labels"], {"zone": "z"})
        self.assertEqual(json.loads(own["annotations"]["projectcalico.org/labels"]), {"rack": "r1"})
        self.assertEqual(own["annotations"]["projectcalico.org/IPv4Address"], "10.0.0.1/24")
        # Applying what is there is an update, though nodes cannot be created.
        text = self.run_tool("get", "node", "n1", "-o", "yaml").stdout
        self.says("Successfully applied 1 'Node' resource(s)\n", "apply", "-f", "-", given=text)
        self.fails(
            "failed to update node n1, label not changed: zone is a label of Kubernetes; change it with "
            "'kubectl label node n1 zone-'\n",
            *("label", "node", "n1", "zone", "--remove"),
        )
        self.says("Successfully removed label rack from node n1\n", "label", "node", "n1", "rack", "--remove")
        own = server.call("GET", "/api/v1/nodes/n1")["metadata"]
        self.assertNotIn("projectcalico.org/labels", own["annotations"])


class AllocationTest(plugin.PluginTest):
    """What address management keeps is shown in one form, whatever keeps it."""

    def clusters(self):
        yield hosts.EtcdCluster(self)
        for group in (kubernetes.V1, kubernetes.V3):
            yield hosts.KubernetesCluster(self, group=group)

    def test_documents(self):
        shown = []
        for cluster in self.clusters():
            cluster.store.put_all(test_ipamctl_datastores.contents())
            environment = {"PATH": os.environ["PATH"], "HOME": self.temporary, **cluster.variables()}
            answers = []
            for words in (
                ("ipamblock", "192.168.7.0/26", "-o", "json", "--export"),
                ("blockaffinity", "old-a-192-168-7-0-26", "-o", "json", "--export"),
                ("ipamhandle", "pod.0", "-o", "json", "--export"),
                ("ipamblocks", "-o", "custom-columns=NAME,CIDR,AFFINITY,TOTAL,INUSE,FREE"),
                ("blockaffinities", "-o", "wide"),
                ("ipamhandles", "-o", "wide"),
            ):
                done = subprocess.run(
                    [hosts.ipamctl(), "get", *words], env=environment, capture_output=True, text=True, timeout=60
                )
                self.assertEqual((done.stderr, done.returncode), ("", 0), words)
                answers.append(json.loads(done.stdout) if "json" in words else done.stdout)
            shown.append(answers)
        etcd, first, second = shown
        # An object of Kubernetes has a member that etcd's entry does without.
        for answers in (first, second):
            self.assertIs(answers[0]["spec"].pop("strictAffinity", False), False)
        self.assertEqual(first, etcd)
        self.assertEqual(second, etcd)
        self.assertEqual(etcd[0]["metadata"], {"name": "192-168-7-0-26"})
        self.assertIn("192-168-7-0-26   192.168.7.0/26   host:old-a   64      3       61     \n", etcd[3])
        self.assertIn("old-a-192-168-7-0-26   old-a   192.168.7.0/26   confirmed   host   false     \n", etcd[4])
        self.assertIn("pod.0                     1     192.168.7.0/26   \n", etcd[5])


class InputTest(plugin.PluginTest):
    """What a person gives the tool may come slowly."""

    def test_slow_pipe(self):
        environment = {
            "PATH": os.environ["PATH"],
            "DATASTORE_TYPE": "sqlite",
            "DATABASE_FILE": os.path.join(self.temporary, "ipam.db"),
        }
        reader, writer = os.pipe()
        with subprocess.Popen(
            [hosts.ipamctl(), "apply", "-f", "-"], env=environment, stdin=reader, stdout=subprocess.PIPE, text=True
        ) as tool:
            os.close(reader)
            half = len(POOLS) // 2
            for part in (POOLS[:half], POOLS[half:]):
                # It waits for more for as long as the other end is open.
                with self.assertRaises(subprocess.TimeoutExpired):
                    tool.wait(0.3)
                os.write(writer, part.encode())
            os.close(writer)
            self.assertEqual(tool.communicate(timeout=30)[0], "Successfully applied 2 'IPPool' resource(s)\n")


if __name__ == "__main__":
    unittest.main()
