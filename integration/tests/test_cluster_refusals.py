#!/usr/bin/env python3
"""Bad input of every kind about a shared store: each gives a message that names what is wrong, and nothing is lost."""

import json
import os
import time

import calico
import certificates
import hosts
import isolation
import kubernetes
import plugin

CONNECTION_SECONDS, SLACK = 5, 5


class RefusalTest(plugin.PluginTest):
    def assertRefuses(self, host, *texts, verb="ADD", seconds=CONNECTION_SECONDS + SLACK):
        """The call fails soon, and its message and details have these texts."""
        began = time.monotonic()
        more = {"more": {"cniVersion": "1.1.0"}} if verb == "STATUS" else {}
        answer = self.assertFails(host.call(verb, "c1", **more))
        self.assertLess(time.monotonic() - began, seconds)
        said = (answer.document["msg"] + " " + answer.document.get("details", "")).lower()
        for text in texts:
            self.assertIn(text.lower(), said)
        self.assertTrue(answer.document.get("details"), "no word about the next step: %s" % answer)


class OnEtcd(RefusalTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        hosts.require_program(hosts.EtcdCluster.program)
        cls.cluster = hosts.EtcdCluster(hosts.WholeClass(cls))

    def setUp(self):
        super().setUp()
        self.store = self.cluster.reset(nodes=["node-a"])
        self.node = hosts.Host(self, "node-a", self.cluster)

    def test_another_authority(self):
        other = certificates.Authority.make(os.path.join(self.temporary, "other"), "other")
        self.node.extra = {"etcd_ca_cert_file": other.certificate}
        self.assertRefuses(self.node, "certificate", self.cluster.server.url)

    def test_expired_client_certificate(self):
        late = self.cluster.server.authority.issue("late", days=-1)
        self.node.extra = {"etcd_cert_file": late.certificate, "etcd_key_file": late.key}
        self.assertRefuses(self.node, "certificate")

    def test_no_client_certificate(self):
        self.node.extra = {"etcd_cert_file": "", "etcd_key_file": ""}
        self.assertRefuses(self.node, "certificate")

    def test_certificate_that_is_none(self):
        path = os.path.join(self.temporary, "not.pem")
        with open(path, "w", encoding="ascii") as file:
            file.write("not a certificate\n")
        for member in ("etcd_ca_cert_file", "etcd_cert_file", "etcd_key_file"):
            with self.subTest(member):
                self.node.extra = {member: path}
                self.assertRefuses(self.node, path)
                self.node.extra = {member: path + ".missing"}
                self.assertRefuses(self.node, path + ".missing")

    def test_unreachable(self):
        self.node.extra = {"etcd_endpoints": "https://127.0.0.1:1"}
        for verb in ("ADD", "DEL", "STATUS"):
            with self.subTest(verb):
                self.assertRefuses(self.node, "127.0.0.1:1", verb=verb)

    def test_name_that_nobody_knows(self):
        self.node.extra = {"etcd_endpoints": "https://no-such-host.invalid:2379"}
        self.assertRefuses(self.node, "no-such-host.invalid")

    def test_endpoints_that_are_none(self):
        for text in ("", "ftp://127.0.0.1:2379", "https://", "https://127.0.0.1:port"):
            with self.subTest(text):
                self.node.extra = {"etcd_endpoints": text}
                self.assertRefuses(self.node, "endpoint")

    def test_malformed_entries(self):
        """What somebody else wrote and cannot be read is named by its key, and nothing is changed."""
        self.assertSucceeds(self.node.add("c0"))
        (cidr,) = self.store.blocks()
        short = json.dumps({"cidr": cidr, "allocations": [0]}).encode()
        for value in (b"{", b"[]", b'{"cidr": 7}', b"\xff\xfe", short):
            with self.subTest(value):
                self.store.put(calico.block_path(cidr), value)
                before = self.store.etcd.read("/calico/")
                answer = self.node.call("DEL", "c0")
                self.assertFails(answer, text=cidr.split("/")[0])
                self.assertEqual(self.store.etcd.read("/calico/"), before)


class RolesOfEtcd(RefusalTest):
    """A server that asks who somebody is and what he may do."""

    def setUp(self):
        super().setUp()
        hosts.require_program(hosts.EtcdCluster.program)
        self.cluster = hosts.EtcdCluster(self)
        self.store = self.cluster.reset(nodes=["node-a"])
        users = {"node": (None, "/calico/"), "stranger": (None,), "calico": ("secret", "/calico/")}
        self.cluster.server.require_users(users)
        self.node = hosts.Host(self, "node-a", self.cluster)

    def test_the_certificate_s_name_is_the_user(self):
        self.assertSucceeds(self.node.add("c1"))
        self.assertSucceeds(self.node.delete("c1"))

    def test_user_without_the_role(self):
        pair = self.cluster.server.authority.issue("stranger")
        self.node.extra = {"etcd_cert_file": pair.certificate, "etcd_key_file": pair.key}
        self.assertRefuses(self.node, "permission")
        self.assertEqual(self.store.allocations(), {})

    def test_user_and_password(self):
        pair = self.cluster.server.authority.issue("nobody", organizations=["nobody"], named=False)
        self.node.extra = {"etcd_cert_file": pair.certificate, "etcd_key_file": pair.key}
        wrong = {"ETCD_USERNAME": "calico", "ETCD_PASSWORD": "wrong"}
        self.assertFails(self.node.add("c1", environment=wrong), text="password")
        right = {"ETCD_USERNAME": "calico", "ETCD_PASSWORD": "secret"}
        answer = self.assertSucceeds(self.node.add("c1", environment=right))
        self.assertEqual(self.store.held("c1"), answer.addresses)


class OnKubernetes(RefusalTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        hosts.require_program(hosts.KubernetesCluster.program)
        accounts = {"of-a-node": "kube-system/swift-ipam-node", "of-a-pod": "default/default"}
        cls.cluster = hosts.KubernetesCluster(hosts.WholeClass(cls), accounts=accounts, rbac=True)
        for document in kubernetes.documents(kubernetes.MANIFESTS):
            cls.cluster.server.apply(document)

    def setUp(self):
        super().setUp()
        self.store = self.cluster.reset(nodes=["node-a"])
        self.node = hosts.Host(self, "node-a", self.cluster)
        self.use(token="of-a-node")

    def use(self, **options):
        config = self.cluster.server.kubeconfig_for("user", **options)
        self.node.extra = {"kubernetes": {"kubeconfig": config}}

    def test_rights_of_the_manifests_suffice(self):
        """Every verb works with what node-role.yaml gives, on a new block, a full one and for a pod."""
        self.assertSucceeds(self.node.status())
        arguments = "IgnoreUnknown=1;K8S_POD_NAMESPACE=default;K8S_POD_NAME=web"
        spec = {"containers": [{"name": "c", "image": "i"}]}
        self.cluster.server.apply({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "web"}, "spec": spec})
        more = {"policy": {"type": "k8s"}}
        added = self.assertSucceeds(self.node.add("c1", arguments=arguments, more=more))
        self.assertSucceeds(self.node.check("c1", more={"prevResult": added.document}))
        self.assertSucceeds(self.node.add("c2", arguments="IP=192.168.200.1"))
        self.assertSucceeds(self.node.collect(["c2"]))
        self.assertEqual((self.store.held("c1"), self.store.held("c2")), ([], ["192.168.200.1"]))
        self.assertSucceeds(self.node.delete("c2"))
        self.assertEqual(list(self.store.faults()), [])

    def test_account_without_rights(self):
        """The message has the account, the verb and the kind that it lacks."""
        self.use(token="of-a-pod")
        self.assertRefuses(self.node, "system:serviceaccount:default:default", "ipam")
        self.assertEqual(self.store.allocations(), {})

    def test_unknown_token(self):
        self.use(token="nobody's")
        self.assertRefuses(self.node, "unauthorized", "token")

    def test_another_authority(self):
        other = certificates.Authority.make(os.path.join(self.temporary, "other"), "other")
        self.use(token="of-a-node", authority=other.certificate)
        self.assertRefuses(self.node, "certificate", self.cluster.server.url)

    def test_unreachable(self):
        self.use(token="of-a-node", port=1)
        for verb in ("ADD", "DEL", "STATUS"):
            with self.subTest(verb):
                self.assertRefuses(self.node, "127.0.0.1:1", verb=verb)

    def test_kubeconfig_that_is_none(self):
        path = os.path.join(self.temporary, "kubeconfig")
        self.node.extra = {"kubernetes": {"kubeconfig": path}}
        self.assertRefuses(self.node, path)
        for text in ("", "clusters: 7", "a: [", '{"kind": "Config", "current-context": "other"}'):
            with self.subTest(text):
                with open(path, "w", encoding="ascii") as file:
                    file.write(text)
                self.assertRefuses(self.node, path)

    def test_kubeconfig_with_a_program(self):
        """Programs that make credentials are not run, and the message says what to use in their place."""
        with open(self.cluster.server.kubeconfig_for("user"), encoding="utf-8") as file:
            document = json.load(file)
        document["users"][0]["user"] = {"exec": {"apiVersion": "client.authentication.k8s.io/v1", "command": "aws"}}
        path = os.path.join(self.temporary, "kubeconfig")
        with open(path, "w", encoding="utf-8") as file:
            json.dump(document, file)
        self.node.extra = {"kubernetes": {"kubeconfig": path}}
        self.assertRefuses(self.node, "exec")

    def test_client_certificate(self):
        """A certificate in place of a token, good and expired."""
        authority = self.cluster.server.authority
        self.use(pair=authority.issue("admin-of-the-test", organizations=["system:masters"]))
        self.assertSucceeds(self.node.add("c1"))
        self.use(pair=authority.issue("late", organizations=["system:masters"], days=-1))
        self.assertRefuses(self.node, "certificate")

    def test_malformed_objects(self):
        """An object that the schema lets pass and that makes no sense is named, and nothing is changed."""
        self.assertSucceeds(self.node.add("c0"))
        server = self.cluster.server
        (block,) = server.list(kubernetes.V1, "IPAMBlock")
        for spec in ({"allocations": [0]}, {"cidr": "nonsense"}, {"attributes": []}):
            with self.subTest(spec):
                server.apply({**block, "spec": {**block["spec"], **spec}})
                before = server.list(kubernetes.V1, "IPAMBlock")
                self.assertFails(self.node.call("DEL", "c0"), text=block["metadata"]["name"].split("-")[0])
                self.assertEqual(server.list(kubernetes.V1, "IPAMBlock"), before)
        server.apply(block)
        self.assertSucceeds(self.node.delete("c0"))


class MissingKinds(RefusalTest):
    def test_a_cluster_without_definitions(self):
        """The message names what is missing and how it gets there."""
        hosts.require_program(hosts.KubernetesCluster.program)
        cluster = hosts.KubernetesCluster(self, group=None)
        cluster.server.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-a"}})
        self.assertRefuses(hosts.Host(self, "node-a", cluster), "crd.projectcalico.org")


if __name__ == "__main__":
    isolation.main()
