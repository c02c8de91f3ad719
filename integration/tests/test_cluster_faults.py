#!/usr/bin/env python3
"""Faults between the plugin and the store that hosts share: what a cut, silent, restarted or full store does to a pod.

However a call ends, the container has the addresses that its answer names, or none that DEL does not take.
"""

import os
import subprocess
import time

import calico
import gateway
import hosts
import isolation
import kubernetes
import proxy
import seeds
import waiting

# A network that fails is told to the runtime within so many seconds, with some for a machine that is busy.
CONNECTION_SECONDS, SLACK = 5, 5
BUDGET = 90
CUTS = 6  # in each direction


class FaultTest(hosts.ClusterTest):
    """A host whose connections pass a proxy."""

    def setUp(self):
        super().setUp()
        self.proxy = proxy.Proxy(self, self.cluster.server.port)
        self.node = self.host(port=self.proxy.port)

    def timed(self, call):
        began = time.monotonic()
        answer = call()
        return answer, time.monotonic() - began

    def assertSettles(self, container, answer, said):
        """Exactly the addresses of the answer are the container's; after a failure DEL leaves it none."""
        held = self.store.held(container)
        if answer.status == 0:
            self.assertEqual(held, sorted(answer.addresses), said)
        else:
            self.assertIsInstance(answer.document["msg"], str, said)
            self.assertLessEqual(len(held), 1, said)
            self.proxy.plan = lambda number: None
            self.assertSucceeds(self.node.delete(container), said)
            self.assertEqual(self.store.held(container), [], said)


@hosts.on_each_engine
class Cut(FaultTest):
    def spans(self):
        """How many bytes an ADD that is not disturbed sends and gets."""
        count = self.proxy.begin_count()
        self.assertSucceeds(self.node.add("measure"))
        self.proxy.begin_count()
        return count.to_server, count.to_client

    def moments(self):
        """Cuts spread over the whole of a call, its last bytes among them."""
        to_server, to_client = self.spans()
        for name, span in (("to_server", to_server), ("to_client", to_client)):
            for part in range(CUTS):
                yield name, max(1, span * (2 * part + 1) // (2 * CUTS))
            yield name, span - 1

    def test_in_the_middle_of_an_addition(self):
        """Whether the commit was applied or not when the connection broke: one address, which the answer names."""
        self.assertSucceeds(self.node.add("first"))
        succeeded = 0
        for number, (direction, limit) in enumerate(self.moments()):
            first = self.proxy.number + 1
            self.proxy.plan = lambda index, d=direction, n=limit, f=first: proxy.Fault(**{d: n}) if index == f else None
            container = "c%d" % number
            answer = self.node.add(container)
            succeeded += answer.status == 0
            self.assertSettles(container, answer, "cut after %d bytes %s: %s" % (limit, direction, answer))
            self.assertSound("cut after %d bytes %s" % (limit, direction), died=True)
        self.assertGreater(self.proxy.count.faults, CUTS, "the cuts do not work")
        self.assertGreater(succeeded, 0, "no call came through on a second connection")

    def test_in_the_middle_of_a_deletion(self):
        """A DEL that says that it has succeeded has; one that fails is repeated by the runtime."""
        for number, (direction, limit) in enumerate(list(self.moments())):
            container = "c%d" % number
            self.proxy.plan = lambda index: None
            self.assertSucceeds(self.node.add(container))
            first = self.proxy.number + 1
            self.proxy.plan = lambda index, d=direction, n=limit, f=first: proxy.Fault(**{d: n}) if index == f else None
            answer = self.node.delete(container)
            said = "cut after %d bytes %s: %s" % (limit, direction, answer)
            if answer.status:
                self.assertSucceeds(self.node.delete(container), said)
            self.assertEqual(self.store.held(container), [], said)
        self.assertEqual({handle for _, (handle, _) in self.store.allocations().items()}, {"net1.measure"})
        self.assertSound(died=True)


@hosts.on_each_engine
class Silent(FaultTest):
    def test_half_open_in_the_middle_of_a_commit(self):
        """The connection stays and carries nothing more: the call ends by itself, and nothing is lost."""
        self.assertSucceeds(self.node.add("first"))
        count = self.proxy.begin_count()
        self.assertSucceeds(self.node.add("measure"))
        first = self.proxy.number + 1
        fault = proxy.Fault(to_client=max(1, count.to_client - 60), swallows=True)
        self.proxy.plan = lambda index: fault if index == first else None
        answer, seconds = self.timed(lambda: self.node.add("c1"))
        self.assertLess(seconds, BUDGET)
        self.assertSettles("c1", answer, str(answer))

    def test_nobody_answers(self):
        """Connections are made, and nothing is said on them."""
        self.proxy.pause()
        answer, seconds = self.timed(lambda: self.node.add("c1"))
        self.assertFails(answer, text="127.0.0.1:%d" % self.proxy.port)
        self.assertLess(seconds, CONNECTION_SECONDS + SLACK)
        self.proxy.resume()
        self.assertEqual(self.store.allocations(), {})

    def test_nobody_is_there(self):
        """The message names the endpoint that was tried."""
        self.proxy.refuse()
        for verb in ("ADD", "DEL", "STATUS"):
            with self.subTest(verb):
                more = {"more": {"cniVersion": "1.1.0"}} if verb == "STATUS" else {}
                answer, seconds = self.timed(lambda: self.node.call(verb, "c1", **more))
                self.assertFails(answer, text="127.0.0.1:%d" % self.proxy.port)
                self.assertLess(seconds, CONNECTION_SECONDS + SLACK)
        self.proxy.accept()
        self.assertSucceeds(self.node.add("c1"))

    def test_slow_network(self):
        """With 50 ms each way an ADD and a DEL take longer, and nothing else."""
        self.proxy.latency = 0.05
        self.assertSucceeds(self.node.add("c1"))
        self.assertSucceeds(self.node.delete("c1"))
        self.assertSound()


@hosts.on_each_engine
class Restarted(FaultTest):
    def test_server_dies_between_calls(self):
        """What was answered is there after a power failure of the server."""
        address = self.assertSucceeds(self.node.add("c1")).addresses
        self.cluster.server.restart()
        self.assertEqual(self.store.held("c1"), address)
        self.assertSucceeds(self.node.add("c2"))
        self.assertSucceeds(self.node.delete("c1"))
        self.assertSound()

    def test_server_dies_during_a_call(self):
        """The call finds out on the server that comes back, or fails and leaves nothing that DEL does not take."""
        self.assertSucceeds(self.node.add("first"))
        self.cluster.server.freeze()
        environment = hosts.plugin.environment("ADD", container="c1")
        pipes = dict.fromkeys(("stdin", "stdout", "stderr"), subprocess.PIPE)
        process = subprocess.Popen([*self.node.wrapper, calico.calico_ipam()], env=environment, **pipes)
        process.stdin.write(hosts.plugin.encode(self.node.config()))
        process.stdin.close()
        process.stdin = None
        sent = self.proxy.count.to_server
        waiting.until(lambda: self.proxy.count.to_server > sent, "the call sends nothing")
        self.cluster.server.restart()
        out, error = process.communicate(timeout=BUDGET)
        answer = hosts.plugin.Answer(process.returncode, out, error, "ADD")
        self.assertSettles("c1", answer, str(answer))
        self.assertSound(died=True)

    def test_clocks_of_another_boot(self):
        """The clocks that count from the boot jump by a day: what the host remembers is not believed for it."""
        self.assertSucceeds(self.node.add("c1"))
        shift = ["unshare", "--time", "--boottime", "86400", "--monotonic", "86400", "--"]
        if subprocess.run([*shift, "true"], capture_output=True).returncode:
            self.skipTest("no time namespace here")
        self.assertSucceeds(self.node.add("c2", wrapper=[*self.node.wrapper, *shift]))
        self.assertSucceeds(self.node.add("c3"))
        self.assertEqual(len(self.store.allocations()), 3)
        self.assertSound()


class OnEtcd(FaultTest):
    kind = hosts.EtcdCluster

    def test_full_disk(self):
        """The server's own words reach the runtime; once there is room, the same call succeeds."""
        cluster = hosts.EtcdCluster(self, quota=4 << 20)
        store = cluster.reset()
        node = hosts.Host(self, "node-full", cluster)
        store.put(calico.node_path(node.node), calico.node(node.node))
        self.assertSucceeds(node.add("c1"))
        cluster.server.fill_up()
        answer, seconds = self.timed(lambda: node.add("c2"))
        self.assertFails(answer, text="space")
        self.assertLess(seconds, BUDGET)
        cluster.server.write({path: None for path in cluster.server.read("/ballast/")})
        cluster.server.disarm()
        self.assertEqual(store.held("c2"), [])
        self.assertSucceeds(node.add("c2"))
        self.assertEqual(list(store.faults()), [])

    def test_several_endpoints(self):
        """An endpoint where nobody is does not stop the call from using the other."""
        self.proxy.refuse()
        server = self.cluster.server
        for order in ((self.proxy.port, server.port), (server.port, self.proxy.port)):
            with self.subTest(order):
                self.node.extra = {"etcd_endpoints": ",".join(server.url_at(port) for port in order)}
                answer, seconds = self.timed(lambda: self.node.add("c%d" % order[0]))
                self.assertSucceeds(answer)
                self.assertLess(seconds, CONNECTION_SECONDS + SLACK)

    def test_compacted_history(self):
        """What the server has forgotten of its past no call needs."""
        self.assertSucceeds(self.node.add("c1"))
        self.cluster.server.compact()
        self.assertSucceeds(self.node.add("c2"))
        self.assertSucceeds(self.node.delete("c1"))
        self.assertSound()


class OnKubernetes(hosts.ClusterTest):
    kind = hosts.KubernetesCluster

    def setUp(self):
        super().setUp()
        self.gateway = gateway.Gateway(self, self.cluster.server)
        self.node = self.host(port=self.gateway.port)

    def once(self, matches, *answer):
        """Answers the first request that matches in the server's place; returns the list of those."""
        answered = []

        def rule(method, path, body):
            if answered or not matches(method, path):
                return None
            answered.append((method, path, time.monotonic()))
            return answer

        self.gateway.rule = rule
        return answered

    def test_throttled(self):
        """429 with Retry-After: the request is repeated, not before that time has passed."""
        document = gateway.status(429, "TooManyRequests", "slow down", retryAfterSeconds=1)
        answered = self.once(lambda method, path: method != "GET", 429, {"Retry-After": "1"}, document)
        requests = self.gateway.begin_count()
        address = self.assertSucceeds(self.node.add("c1")).addresses
        self.assertEqual(self.store.held("c1"), address)
        ((method, path, when),) = answered
        again = [one.began for one in requests if one.method == method and one.path == path and one.began > when]
        self.assertGreaterEqual(min(again) - when, 0.9)

    def test_throttled_for_ever(self):
        """A server that never has time: an error within the budget, which says so."""
        if not seeds.count("LONG", 0):
            self.skipTest("takes the whole budget of a call, %d s: set LONG=1" % BUDGET)
        document = gateway.status(429, "TooManyRequests", "slow down", retryAfterSeconds=1)
        self.gateway.rule = lambda method, path, body: (429, {"Retry-After": "1"}, document)
        began = time.monotonic()
        answer = self.node.add("c1")
        self.assertLess(time.monotonic() - began, BUDGET + SLACK)
        self.assertFails(answer)
        self.gateway.rule = lambda method, path, body: None
        self.assertEqual(self.store.allocations(), {})

    def test_server_that_is_not_ready(self):
        """503 passes with the next request."""
        document = gateway.status(503, "ServiceUnavailable", "the server is starting")
        answered = self.once(lambda method, path: "ipamblocks" in path, 503, {"Retry-After": "1"}, document)
        self.assertSucceeds(self.node.add("c1"))
        self.assertEqual(len(answered), 1)

    def test_page_that_has_expired(self):
        """410 in the middle of a list: the list is read again from its beginning."""
        self.store.add_pool("10.64.0.0/16", blockSize=32)
        entries = {}
        for number in range(620):
            entries.update(calico.filled("10.64.%d.%d/32" % divmod(number, 256), "node-z", []))
        self.store.put_all(entries)
        document = gateway.status(410, "Expired", "The provided continue parameter is too old")
        answered = self.once(lambda method, path: "continue=" in path, 410, {}, document)
        done = self.node.control("ipam", "show", "--show-blocks", port=self.gateway.port)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        self.assertEqual(len(answered), 1, "no list had a second page")
        self.assertEqual(done.stdout.count("/32"), 620)

    def test_conflicts(self):
        """Another writer was faster: the block is read again, and the address is given out once."""
        document = gateway.status(409, "Conflict", "the object has been modified")
        self.assertSucceeds(self.node.add("c1"))
        answered = self.once(lambda method, path: method == "PUT" and "ipamblocks" in path, 409, {}, document)
        address = self.assertSucceeds(self.node.add("c2")).addresses
        self.assertEqual(len(answered), 1)
        self.assertEqual(self.store.held("c2"), address)
        self.assertSound()

    def test_token_that_has_expired_and_is_renewed(self):
        """401: the message names where the token came from; the file's next content is used at once."""
        token = os.path.join(self.temporary, "token")
        with open(token, "w", encoding="ascii") as file:
            file.write("expired")
        config = self.cluster.server.kubeconfig_for("renewed", token_file=token)
        self.node.extra = {"kubernetes": {"kubeconfig": config}}
        answer = self.assertFails(self.node.add("c1"))
        said = answer.document["msg"] + " " + answer.document.get("details", "")
        self.assertIn("Unauthorized", said)
        self.assertIn("token", said)
        with open(token, "w", encoding="ascii") as file:
            file.write(hosts.TOKEN)
        self.assertSucceeds(self.node.add("c1"))

    def test_deletion_that_was_begun_by_another(self):
        """What somebody was deleting when he died is finished off, and its addresses can be had."""
        server, marks = self.cluster.server, {"IPAMBlock": True, "BlockAffinity": "true"}
        for number, kinds in enumerate((["IPAMBlock"], ["BlockAffinity"], ["IPAMBlock", "BlockAffinity"])):
            with self.subTest(kinds):
                self.store = self.cluster.reset(self.pools, self.node_names)
                self.assertSucceeds(self.node.add("c%d" % number))
                self.assertSucceeds(self.node.delete("c%d" % number))
                if "IPAMBlock" not in kinds:
                    # Whoever gives a block up has deleted it before he deletes its affinity.
                    (block,) = server.list(kubernetes.V1, "IPAMBlock")
                    path = server.collection(kubernetes.V1, "IPAMBlock") + "/" + block["metadata"]["name"]
                    server.call("DELETE", path)
                for kind in kinds:
                    (one,) = server.list(kubernetes.V1, kind)
                    one["spec"]["deleted"] = marks[kind]
                    server.apply(one)
                self.assertSucceeds(self.node.add("after-%d" % number))
                self.assertEqual(self.store.remains(), [])
                self.assertSound()


if __name__ == "__main__":
    isolation.main()
