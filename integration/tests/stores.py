"""The stores that many hosts share, in the terms of `calico.Store`: paths and the values that etcd has there.

A Kubernetes object is translated to and from the entry that it stands for, so that the same invariants are looked for
in both.
"""

import base64
import concurrent.futures
import hashlib
import ipaddress
import json

import calico
import kubernetes

KINDS = {
    "ippools": "IPPool",
    "ipreservations": "IPReservation",
    "clusterinformations": "ClusterInformation",
    "tiers": "Tier",
}
AT_ONCE = 16


class EtcdStore(calico.Store):
    """The entries of an etcd server."""

    def __init__(self, etcd):
        super().__init__(etcd.url)
        self.etcd = etcd

    @classmethod
    def fill_in(cls, etcd, pools=(calico.V4,), nodes=(), config=None):
        """A store on a server that is there, with pools, nodes and the IPAM configuration."""
        store = cls(etcd)
        store.put_all(initial(pools, nodes, config))
        return store

    def put_all(self, entries):
        self.etcd.write({path: encoded(value) for path, value in entries.items()})

    def entries(self, below="/"):
        return {
            path: json.loads(value) for path, (value, _) in self.etcd.read(below).items() if path.startswith("/calico/")
        }

    def raw(self):
        return sorted((path, *row) for path, row in self.etcd.read("/calico/").items())

    def value(self, path):
        return self.entries(path).get(path)

    def snapshot(self):
        return self.entries(), set(), []


class KubernetesStore(calico.Store):
    """The objects of an API server, in either of the two groups. Each is written by itself."""

    is_atomic = False

    def __init__(self, server):
        super().__init__(server.url)
        self.server, self.group = server, server.group
        self.config_kind = "IPAMConfig" if self.group == kubernetes.V1 else "IPAMConfiguration"
        self.kinds = ["IPAMBlock", "BlockAffinity", "IPAMHandle", self.config_kind, *KINDS.values()]

    @classmethod
    def fill_in(cls, server, pools=(calico.V4,), nodes=(), config=None):
        store = cls(server)
        store.put_all(initial(pools, nodes, config))
        return store

    def put_all(self, entries):
        with concurrent.futures.ThreadPoolExecutor(AT_ONCE) as pool:
            list(pool.map(lambda entry: self.put_one(*entry), entries.items()))

    def put_one(self, path, value):
        document = self.to_object(path, {} if value is None else value)
        if value is not None:
            self.server.apply(document)
            return
        collection = self.server.collection(document["apiVersion"], document["kind"])
        self.server.ask("DELETE", collection + "/" + document["metadata"]["name"])

    def clear(self):
        """Deletes every object."""
        for kind in self.kinds:
            self.server.call("DELETE", self.server.collection(self.group, kind))
        self.server.call("DELETE", self.server.collection("v1", "Node"))

    def objects(self):
        """Every object, soft-deleted ones as well."""
        found = [(kind, one) for kind in self.kinds for one in self.server.list(self.group, kind)]
        return found + [("Node", one) for one in self.server.list("v1", "Node")]

    def entries(self, below="/"):
        found = (self.to_entry(kind, one) for kind, one in self.objects())
        return {path: value for path, value in found if path.startswith(below) and value.get("deleted") is not True}

    def remains(self):
        """Objects whose deletion was begun and not finished."""
        return [one["metadata"]["name"] for _, one in self.objects() if one["spec"].get("deleted") in (True, "true")]

    def raw(self):
        return sorted(
            (kind, one["metadata"]["name"], one["metadata"]["resourceVersion"]) for kind, one in self.objects()
        )

    def value(self, path):
        return self.entries(path).get(path)

    def snapshot(self):
        return self.entries(), set(), []

    # MARK: the two forms

    def to_object(self, path, value):
        """The object for an entry (IPAM specification, sections 1.4 to 1.9)."""
        if path == calico.CONFIG:
            names = {"strict_affinity": "strictAffinity", "auto_allocate_blocks": "autoAllocateBlocks"}
            spec = {"strictAffinity": False, "autoAllocateBlocks": False}
            spec.update({names.get(name, name): member for name, member in value.items()})
            return self.custom(self.config_kind, "default", spec)
        if path.startswith(calico.BLOCKS):
            return self.block_object(path, value)
        if path.startswith(calico.HANDLES):
            handle = path.removeprefix(calico.HANDLES)
            spec = {"handleID": handle, "block": value.get("block") or {}, "deleted": False}
            return self.custom("IPAMHandle", handle.lower(), spec)
        if path.startswith(calico.HOSTS):
            return self.affinity_object(path, value)
        plural, name = path.removeprefix(calico.RESOURCES).split("/")
        if plural == "nodes":
            return {"apiVersion": "v1", "kind": "Node", "metadata": {"name": name}}
        return self.custom(KINDS[plural], name, value.get("spec", {}))

    def custom(self, kind, name, spec, labels=None):
        about = {"name": name, **({"labels": labels} if labels else {})}
        if self.group == kubernetes.V1:
            told = json.dumps({"labels": labels} if labels else {}, separators=(",", ":"))
            about["annotations"] = {"projectcalico.org/metadata": told}
        return {"apiVersion": self.group, "kind": kind, "metadata": about, "spec": spec}

    def block_object(self, path, value):
        spec = {"strictAffinity": False, **value}
        if "affinity_claim_time" in spec:
            spec["affinityClaimTime"] = spec.pop("affinity_claim_time")
        if spec.get("affinity") is None:
            spec.pop("affinity", None)
        spec["attributes"] = spec.get("attributes") or []
        return self.custom("IPAMBlock", name_form(path.rsplit("/", 1)[1]), spec)

    def affinity_object(self, path, value):
        node, _, _, text = path.removeprefix(calico.HOSTS).split("/")
        cidr = "/".join(text.rsplit("-", 1))
        deleted = "false" if self.group == kubernetes.V1 else False
        spec = {"cidr": cidr, "node": node, "type": "host", "state": value.get("state", ""), "deleted": deleted}
        labels = {
            "projectcalico.org/affinity-type": "host",
            "projectcalico.org/hostname-hash": hostname_hash(node),
            "projectcalico.org/ip-version": str(ipaddress.ip_network(cidr).version),
        }
        return self.custom("BlockAffinity", "%s-%s" % (node, name_form(text)), spec, labels)

    def to_entry(self, kind, document):
        spec, name = document.get("spec", {}), document["metadata"]["name"]
        if kind == self.config_kind:
            return calico.CONFIG, spec
        if kind == "IPAMBlock":
            return calico.block_path(spec["cidr"]), {"affinity": None, "sequenceNumberForAllocation": {}, **spec}
        if kind == "IPAMHandle":
            return calico.HANDLES + spec["handleID"], spec
        if kind == "BlockAffinity":
            return calico.affinity_path(spec["node"], spec["cidr"]), {
                **spec,
                "deleted": spec["deleted"] in (True, "true"),
            }
        plurals = {kind: plural for plural, kind in KINDS.items()} | {"Node": "nodes"}
        return "%s%s/%s" % (calico.RESOURCES, plurals[kind], name), document


def encoded(value):
    if value is None or isinstance(value, bytes):
        return value
    return json.dumps(value, separators=(",", ":")).encode()


def name_form(text):
    """A network as names of objects have it."""
    return text.replace(".", "-").replace(":", "-").replace("/", "-")


def hostname_hash(host):
    """The label by which the affinities of a host are found (IPAM specification, section 1.7)."""
    return base64.b32encode(hashlib.sha3_256(host.encode()).digest()).decode().rstrip("=")


def initial(pools, nodes, config):
    """The entries of a new store."""
    entries = dict(map(calico.pool_entry, pools))
    entries.update({calico.node_path(name): calico.node(name) for name in nodes})
    information = {"clusterGUID": "0123456789abcdef0123456789abcdef", "datastoreReady": True}
    entries[calico.RESOURCES + "clusterinformations/default"] = {
        "kind": "ClusterInformation",
        "apiVersion": "projectcalico.org/v3",
        "metadata": {"name": "default", "uid": "3f0f9d52-6a0e-4f7f-9f1e-0d4c3a1b2c5d"},
        "spec": information,
    }
    if config is not None:
        entries[calico.CONFIG] = config
    return entries
