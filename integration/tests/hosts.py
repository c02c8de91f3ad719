"""Hosts of one cluster, each a set of processes with a node name, a /run and a lock of its own, on one store."""

import glob
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import unittest

import calico
import etcd
import isolation
import kubernetes
import plugin
import servers
import stores

NAMESPACE = "kube-system"
TOKEN = "token-of-the-node"


class EtcdCluster:
    """etcd with TLS: what hosts have in their configurations, and the store behind it."""

    name = "etcd"
    program = "calico-ipam-etcdv3"

    def __init__(self, place, **options):
        self.server = etcd.Etcd(place, **options)
        self.pair = self.server.authority.issue("node")
        self.store = stores.EtcdStore(self.server)

    def reset(self, pools=(calico.V4,), nodes=(), config=None):
        """A store with these and nothing else."""
        self.server.write({path: None for path in self.server.read()})
        self.store = stores.EtcdStore.fill_in(self.server, pools, nodes, config)
        return self.store

    def members(self, port=None):
        """What a CNI configuration says; at another port there may be a proxy."""
        return {
            "datastore_type": "etcdv3",
            "etcd_endpoints": self.server.url_at(port or self.server.port),
            "etcd_key_file": self.pair.key,
            "etcd_cert_file": self.pair.certificate,
            "etcd_ca_cert_file": self.server.authority.certificate,
        }

    def variables(self, port=None):
        """What ipamctl and ipam-node get as their environment."""
        return {name.upper(): value for name, value in self.members(port).items()}

    def requests(self):
        """How many requests the server has answered."""
        return sum(self.server.requests().values())


class EmbeddedStore:
    """The embedded datastore of one machine, for whoever wants what the distributed ones are tested with."""

    name = "SQLite"
    program = "calico-ipam"

    def __init__(self, place):
        self.directory = tempfile.mkdtemp(prefix="swift-ipam-server.", dir=servers.in_memory())
        place.addCleanup(shutil.rmtree, self.directory, True)
        self.path = os.path.join(self.directory, "ipam.db")
        self.store = None

    def reset(self, pools=(calico.V4,), nodes=(), config=None):
        """A store with these and nothing else."""
        for path in glob.glob(self.path + "*"):
            os.unlink(path)
        self.store = calico.Store.make(self.path, pools, nodes, config)
        return self.store

    def members(self, port=None):
        return {"database_file": self.path, "ipam_lock_file": os.path.join(self.directory, "ipam.lock")}

    def variables(self, port=None):
        return {"DATASTORE_TYPE": "sqlite", "DATABASE_FILE": self.path}


class KubernetesCluster:
    """An API server whose nodes have a token of a service account."""

    name = "Kubernetes"
    program = "calico-ipam-kubernetes"

    def __init__(self, place, accounts=None, **options):
        accounts = {TOKEN: NAMESPACE + "/node", **(accounts or {})}
        self.server = kubernetes.Kubernetes(place, accounts=accounts, **options)
        self.store = stores.KubernetesStore(self.server)

    def reset(self, pools=(calico.V4,), nodes=(), config=None):
        """A store with these and nothing else."""
        self.store.clear()
        self.store = stores.KubernetesStore.fill_in(self.server, pools, nodes, config)
        return self.store

    def kubeconfig(self, port=None):
        return self.server.kubeconfig_for("node-%d" % (port or self.server.port), token=TOKEN, port=port)

    def members(self, port=None):
        return {"datastore_type": "kubernetes", "kubernetes": {"kubeconfig": self.kubeconfig(port)}}

    def variables(self, port=None):
        return {"DATASTORE_TYPE": "kubernetes", "KUBECONFIG": self.kubeconfig(port)}

    def requests(self):
        return sum(self.server.requests().values())


def require_program(name):
    """The path of a program beside the plugin, which execs it; the test is skipped where it was not built."""
    path = os.path.join(os.path.dirname(calico.calico_ipam()), name)
    if not os.access(path, os.X_OK):
        raise unittest.SkipTest("%s is not beside CALICO_IPAM" % name)
    return path


def ipamctl():
    path = os.environ.get("IPAMCTL", "")
    if not os.access(path, os.X_OK):
        raise unittest.SkipTest("IPAMCTL names no program: build the product ipamctl")
    return os.path.abspath(path)


class Host(calico.Network):
    """One host: `calico-ipam` in a mount namespace of its own, where /run is empty at first."""

    def __init__(self, place, name, cluster, port=None, version="1.0.0", **ipam):
        isolation.require()
        directory = os.path.join(place.temporary, name)
        os.makedirs(directory, exist_ok=True)
        super().__init__(directory, name, version, **ipam)
        self.cluster, self.port, self.extra = cluster, port, {}
        self.directory_members = cluster.members(port)
        script = "mount -t tmpfs tmpfs /run && echo ready && exec cat"
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE}
        self.holder = subprocess.Popen(["unshare", "--mount", "sh", "-c", script], **pipes)
        place.addCleanup(self.end)
        if self.holder.stdout.readline() != b"ready\n":
            raise AssertionError("no mount namespace for " + name)

    def end(self):
        self.holder.stdin.close()
        self.holder.wait()
        self.holder.stdout.close()

    @property
    def store(self):
        return self.cluster.store

    @property
    def wrapper(self):
        """Put before a command, this runs it on the host; the process is then the command itself."""
        return ["nsenter", "--mount=/proc/%d/ns/mnt" % self.holder.pid, "--"]

    def config(self, **more):
        document = super().config()
        del document["database_file"]
        return {**document, **self.directory_members, **self.extra, **more}

    def call(self, verb, container="c1", **options):
        return super().call(verb, container, **{"wrapper": self.wrapper, **options})

    def killed(self, verb, container, delay, more=None):
        """A call that gets SIGKILL after so many seconds, unless that is None: (was it killed in time, answer)."""
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        environment = plugin.environment(verb, container=container)
        process = subprocess.Popen([*self.wrapper, calico.calico_ipam()], env=environment, **pipes)
        try:
            out, error = process.communicate(plugin.encode(self.config(**(more or {}))), timeout=delay)
        except subprocess.TimeoutExpired:
            process.kill()
            out, error = process.communicate()
        return process.returncode == -signal.SIGKILL, plugin.Answer(process.returncode, out, error, verb)

    def control(self, *arguments, port=None):
        """Runs ipamctl on the host, on the cluster's store."""
        variables = {"PATH": os.environ["PATH"], **self.cluster.variables(port)}
        command = [*self.wrapper, ipamctl(), *arguments]
        return subprocess.run(command, env=variables, capture_output=True, text=True)


class WholeClass:
    """Takes what has to be undone after the last test of a class."""

    def __init__(self, test):
        self.addCleanup = test.addClassCleanup


class ClusterTest(plugin.PluginTest):
    """A test on one kind of cluster, with one server for the tests of a class and fresh content for each of them.

    Subclasses come in pairs, one for each kind (`on_each_engine`).
    """

    kind = None
    pools, node_names, settings, options = (calico.V4,), ("node-a", "node-b"), None, {}

    @classmethod
    def setUpClass(cls):
        super().setUpClass()
        require_program(cls.kind.program)
        cls.cluster = cls.kind(WholeClass(cls), **cls.options)

    def setUp(self):
        super().setUp()
        self.store = self.cluster.reset(self.pools, self.node_names, self.settings)

    def host(self, name="node-a", **options):
        return Host(self, name, self.cluster, **options)

    def assertSound(self, said=None, died=False):
        """The store keeps every invariant, as far as it can when a process or a connection has died."""
        self.assertEqual(list(self.store.faults(died)), [], said)


def on_each_engine(test):
    """Makes of a class of tests two, one on etcd and one on Kubernetes, in the module of the class."""
    multiply(test, {"Etcd": EtcdCluster, "Kubernetes": KubernetesCluster})


def on_each_datastore(test):
    """The same, and a third one on the embedded datastore, where all hosts are one machine."""
    multiply(test, {"SQLite": EmbeddedStore, "Etcd": EtcdCluster, "Kubernetes": KubernetesCluster})


def multiply(test, kinds):
    module = sys.modules[test.__module__]
    for word, kind in kinds.items():
        name = test.__name__ + "On" + word
        made = type(name, (test,), {"kind": kind, "__module__": test.__module__, "__doc__": test.__doc__})
        setattr(module, name, made)
