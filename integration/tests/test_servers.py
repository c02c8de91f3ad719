#!/usr/bin/env python3
"""The servers, stores, proxies and hosts that the tests of clusters stand on do what those tests take for granted."""

import http.client
import os
import socket
import ssl
import subprocess
import threading

import calico
import etcd
import gateway
import hosts
import isolation
import kubernetes
import plugin
import proxy
import servers
import stores

BLOCK = "192.168.7.0/26"


class Echo:
    """Sends back what it gets."""

    def __init__(self, place):
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self.serve, daemon=True).start()
        place.addCleanup(self.listener.close)

    def serve(self):
        while True:
            try:
                end, _ = self.listener.accept()
            except OSError:
                return
            threading.Thread(target=self.answer, args=(end,), daemon=True).start()

    @staticmethod
    def answer(end):
        try:
            with end:
                while data := end.recv(65536):
                    end.sendall(data)
        except OSError:
            pass


class ProxyTest(plugin.PluginTest):
    def setUp(self):
        super().setUp()
        self.proxy = proxy.Proxy(self, Echo(self).port)

    def connect(self):
        end = socket.create_connection(("127.0.0.1", self.proxy.port), timeout=10)
        self.addCleanup(end.close)
        return end

    def exchange(self, end, data):
        end.sendall(data)
        return self.receive(end, len(data))

    @staticmethod
    def receive(end, length):
        found = b""
        while len(found) < length and (data := end.recv(65536)):
            found += data
        return found

    def test_passes_on_and_counts(self):
        count = self.proxy.begin_count()
        data = os.urandom(300_000)
        end = self.connect()
        threading.Thread(target=end.sendall, args=(data,)).start()
        self.assertEqual(self.receive(end, len(data)), data)
        self.assertEqual((count.connections, count.to_server, count.to_client), (1, len(data), len(data)))

    def test_cuts_the_answer_off_after_so_many_bytes(self):
        """What comes before arrives; then the connection is reset, and the next one is sound."""
        self.proxy.plan = lambda number: proxy.Fault(to_client=5) if number == 1 else None
        end = self.connect()
        with self.assertRaises(ConnectionResetError):
            self.exchange(end, b"0123456789")
        self.assertEqual(self.proxy.count.to_server, 10)
        self.assertEqual(self.exchange(self.connect(), b"again"), b"again")

    def test_cuts_the_question_off_after_so_many_bytes(self):
        self.proxy.plan = lambda number: proxy.Fault(to_server=3)
        with self.assertRaises(ConnectionResetError):
            self.exchange(self.connect(), b"0123456789")
        self.assertLessEqual(self.proxy.count.to_client, 3)

    def test_half_open(self):
        """Nothing passes any more, and nobody is told."""
        self.proxy.plan = lambda number: proxy.Fault(to_server=4, swallows=True)
        end = self.connect()
        end.settimeout(0.2)
        end.sendall(b"01234567")
        with self.assertRaises(TimeoutError):
            self.exchange(end, b"more" + b"x" * 8)
        self.assertLessEqual(self.proxy.count.to_client, 4)

    def test_refuses_and_accepts_again(self):
        self.proxy.refuse()
        with self.assertRaises(ConnectionRefusedError):
            self.connect()
        self.proxy.accept()
        self.assertEqual(self.exchange(self.connect(), b"x"), b"x")

    def test_pause_holds_and_resume_delivers(self):
        end = self.connect()
        self.assertEqual(self.exchange(end, b"a"), b"a")
        self.proxy.pause()
        end.settimeout(0.2)
        with self.assertRaises(TimeoutError):
            self.exchange(end, b"b")
        self.proxy.resume()
        end.settimeout(10)
        self.assertEqual(self.receive(end, 1), b"b")

    def test_cut_resets_everyone(self):
        ends = [self.connect() for _ in range(3)]
        for end in ends:
            self.exchange(end, b"x")
        self.proxy.cut()
        for end in ends:
            with self.assertRaises(ConnectionResetError):
                end.recv(1)


class StoreTest:
    """What is written to a store is read from it as the same entries, and its faults are found."""

    def setUp(self):
        super().setUp()
        self.store = self.make()

    def test_entries_come_back(self):
        self.store.fill(3, BLOCK)
        self.assertEqual(list(self.store.faults()), [])
        self.assertEqual(self.store.affinities(), {(calico.NODE, BLOCK): "confirmed"})
        self.assertEqual(self.store.held("full-1"), ["192.168.7.1"])
        self.assertEqual(set(self.store.handles()), {"net1.full-%d" % number for number in range(3)})
        self.assertIn(calico.node_path(calico.NODE), self.store.entries())

    def test_faults_are_found(self):
        self.store.fill(2, BLOCK)
        self.store.put_all({calico.HANDLES + "net1.full-0": None, calico.affinity_path(calico.NODE, BLOCK): None})
        said = "\n".join(self.store.faults())
        self.assertIn("I7: handle net1.full-0", said)
        self.assertIn("I6: ", said)

    def test_what_is_there_outlives_a_restart(self):
        self.store.fill(1, BLOCK)
        before = self.store.raw()
        self.server.restart()
        self.assertEqual(self.store.raw(), before)


class StoreOnEtcd(StoreTest, plugin.PluginTest):
    def make(self):
        self.server = etcd.Etcd(self)
        return stores.EtcdStore.fill_in(self.server, nodes=[calico.NODE])

    def test_users_have_roles(self):
        """With roles on, a certificate's common name is the user, and it may use its own keys alone."""
        self.server.require_users({"node": (None, "/calico/")})
        self.store.fill(1, BLOCK)
        self.assertEqual(self.store.held("full-0"), ["192.168.7.0"])

    def test_full_disk_and_after(self):
        self.server = etcd.Etcd(self, quota=4 << 20)
        self.assertIn("space exceeded", self.server.fill_up())
        self.server.write({path: None for path in self.server.read("/ballast/")})
        self.server.disarm()
        self.server.write({"/calico/x": b"{}"})


class StoreOnKubernetes(StoreTest, plugin.PluginTest):
    group = kubernetes.V1

    def make(self):
        self.server = kubernetes.Kubernetes(self, group=self.group)
        return stores.KubernetesStore.fill_in(self.server, nodes=[calico.NODE])


class StoreOnKubernetesV3(StoreOnKubernetes):
    group = kubernetes.V3


class GatewayTest(plugin.PluginTest):
    def setUp(self):
        super().setUp()
        self.server = kubernetes.Kubernetes(self, rbac=True, accounts={"of-a-pod": "default/pod"})
        self.gateway = gateway.Gateway(self, self.server)

    def ask(self, path, token=kubernetes.ADMIN):
        end = http.client.HTTPSConnection(
            "127.0.0.1", self.gateway.port, context=self.server.client.context, timeout=10
        )
        self.addCleanup(end.close)
        end.request("GET", path, headers={"Authorization": "Bearer " + token})
        return end.getresponse()

    def test_passes_on_and_records(self):
        self.assertEqual(self.ask("/api/v1/namespaces").status, 200)
        self.assertEqual(self.ask("/api/v1/namespaces", token="of-a-pod").status, 403)
        self.assertEqual([one.words for one in self.gateway.requests], ["GET /api/v1/namespaces"] * 2)
        self.assertEqual(gateway.sequential(self.gateway.requests), 2)

    def test_answers_itself(self):
        answer = gateway.status(429, "TooManyRequests", "slow down", retryAfterSeconds=1)
        self.gateway.rule = lambda method, path, body: (429, {"Retry-After": 1}, answer)
        said = self.ask("/api/v1/namespaces")
        self.assertEqual((said.status, said.headers["Retry-After"]), (429, "1"))

    def test_parallel_requests_are_one_round(self):
        times = [(0, 5), (1, 4), (6, 8), (6, 9), (9, 10)]
        requests = [gateway.Request("GET", "/", b"", began, ended) for began, ended in times]
        self.assertEqual(gateway.sequential(requests), 3)


class CertificatesTest(plugin.PluginTest):
    def test_expired(self):
        """An expired certificate is refused by who trusts its authority."""
        server = etcd.Etcd(self)
        pair = server.authority.issue("late", days=-1)
        context = ssl.create_default_context(cafile=server.authority.certificate)
        context.load_cert_chain(*pair)
        end = servers.Client(server.url, context)
        with self.assertRaises((OSError, http.client.HTTPException)):
            end.call("GET", "/health")


class HostTest(plugin.PluginTest):
    def test_each_has_its_own_run(self):
        """What one host leaves below /run no other sees."""
        isolation.require()
        cluster = hosts.EtcdCluster(self)
        ends = [hosts.Host(self, name, cluster) for name in ("node-a", "node-b")]
        subprocess.run([*ends[0].wrapper, "touch", "/run/mine"], check=True)
        seen = [subprocess.run([*host.wrapper, "ls", "/run"], capture_output=True, text=True).stdout for host in ends]
        self.assertEqual(seen, ["mine\n", ""])
        self.assertFalse(os.path.exists("/run/mine"))


if __name__ == "__main__":
    isolation.main()
