#!/usr/bin/env python3
"""The manifests: a cluster takes them, and each account may do what its programs need and nothing beside it."""

import os

import hosts
import isolation
import kubernetes
import plugin

NODE, OPERATOR, NOBODY = "token-of-a-node", "token-of-an-operator", "token-of-a-pod"
ACCOUNTS = {
    NODE: "kube-system/swift-ipam-node",
    OPERATOR: "kube-system/swift-ipam-controller",
    NOBODY: "default/default",
}
CALICO = "/apis/crd.projectcalico.org/v1/"
ADDRESSES = ("ipamblocks", "blockaffinities", "ipamhandles")


class Manifests(plugin.PluginTest):
    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        cls.server = kubernetes.Kubernetes(hosts.WholeClass(cls), rbac=True, accounts=ACCOUNTS)
        cls.documents = kubernetes.documents(kubernetes.MANIFESTS)
        for document in cls.documents:
            cls.server.apply(document)
        cls.server.apply({"apiVersion": "v1", "kind": "Node", "metadata": {"name": "node-a"}})

    def may(self, token, verb, path, name="x"):
        """Whether somebody may do something; what is asked for need not be there."""
        method, suffix, body = {
            "get": ("GET", "/" + name, None),
            "list": ("GET", "", None),
            "watch": ("GET", "?watch=true&timeoutSeconds=1", None),
            "create": ("POST", "?dryRun=All", {}),
            "update": ("PUT", "/" + name, {}),
            "delete": ("DELETE", "/" + name, None),
        }[verb]
        if "/status" in path:
            suffix = ""
        status, answer = self.server.ask(method, path + suffix, body, token)
        self.assertNotEqual(status, 401, answer)
        return status != 403

    def assertRights(self, token, path, verbs):
        """Of all verbs, somebody has exactly these."""
        every = ("get", "list", "watch", "create", "update", "delete")
        self.assertEqual([verb for verb in every if self.may(token, verb, path)], [v for v in every if v in verbs], path)

    def test_a_node_may_read_pools_and_write_addresses(self):
        for plural in ADDRESSES:
            self.assertRights(NODE, CALICO + plural, "get list watch create update delete".split())
        for plural in ("ippools", "ipreservations"):
            self.assertRights(NODE, CALICO + plural, "get list watch".split())
        for plural in ("ipamconfigs", "clusterinformations"):
            self.assertRights(NODE, CALICO + plural, ["get"])
        self.assertRights(NODE, CALICO + "tiers", [])

    def test_a_node_may_read_nodes_and_write_their_status_alone(self):
        self.assertRights(NODE, "/api/v1/nodes", "get list watch".split())
        self.assertTrue(self.may(NODE, "update", "/api/v1/nodes/node-a/status"))
        self.assertRights(NODE, "/api/v1/namespaces", ["get"])
        self.assertRights(NODE, "/api/v1/namespaces/default/pods", ["get"])

    def test_nobody_reads_secrets(self):
        for token in (NODE, OPERATOR):
            for plural in ("secrets", "configmaps", "serviceaccounts"):
                self.assertRights(token, "/api/v1/namespaces/kube-system/" + plural, [])
            self.assertRights(token, "/apis/rbac.authorization.k8s.io/v1/clusterroles", [])
            self.assertRights(token, "/apis/apiextensions.k8s.io/v1/customresourcedefinitions", [])

    def test_an_operator_may_change_pools_and_repair(self):
        for plural in (*ADDRESSES, "ippools", "ipreservations", "ipamconfigs"):
            self.assertRights(OPERATOR, CALICO + plural, "get list watch create update delete".split())
        self.assertRights(OPERATOR, CALICO + "clusterinformations", "get list create update".split())
        self.assertRights(OPERATOR, "/api/v1/nodes", "get list watch".split())
        self.assertTrue(self.may(OPERATOR, "list", "/api/v1/pods"))

    def test_others_may_nothing(self):
        for plural in (*ADDRESSES, "ippools"):
            self.assertRights(NOBODY, CALICO + plural, [])

    def test_the_daemon_set_installs_what_its_configuration_names(self):
        """Containers, volumes and names fit together."""
        found = {(one["kind"], one["metadata"]["name"]): one for one in self.documents}
        pod = found["DaemonSet", "swift-ipam"]["spec"]["template"]["spec"]
        self.assertIn(("ServiceAccount", pod["serviceAccountName"]), found)
        volumes = {volume["name"] for volume in pod["volumes"]}
        settings = found["ConfigMap", "swift-ipam"]["data"]
        for container in pod["containers"]:
            self.assertLessEqual({mount["name"] for mount in container["volumeMounts"]}, volumes)
            self.assertEqual(container["securityContext"]["capabilities"]["drop"], ["ALL"])
            for variable in container["env"]:
                key = variable.get("valueFrom", {}).get("configMapKeyRef", {}).get("key")
                self.assertIn(key, [None, *settings])
        roles = {one["roleRef"]["name"] for kind, one in found.items() if kind[0] == "ClusterRoleBinding"}
        self.assertEqual(roles, {name for kind, name in found if kind == "ClusterRole"})

    def test_both_groups_are_taken(self):
        """The definitions of the other group say the same kinds."""
        kinds = {}
        for group in ("v1", "v3"):
            definitions = kubernetes.documents(os.path.join(kubernetes.MANIFESTS, "crds", group))
            kinds[group] = {one["spec"]["names"]["kind"].replace("IPAMConfiguration", "IPAMConfig") for one in definitions}
        self.assertEqual(kinds["v1"], kinds["v3"])


if __name__ == "__main__":
    isolation.main()
