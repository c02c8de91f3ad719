#!/usr/bin/env python3
"""What calico-ipam says to a runtime: results, errors, configuration, arguments and names."""

import json
import os
import re
import subprocess

import calico
import isolation
import plugin

VERSIONS = ["0.1.0", "0.2.0", "0.3.0", "0.3.1", "0.4.0", "1.0.0", "1.1.0"]


class Results(calico.CalicoTest):
    """The text of a result, to the byte (section 1.11)."""

    def addition(self, version, **ipam):
        """What ADD prints, with the addresses replaced by A4/B4 and A6/B6 (B being the block's length)."""
        network = self.network(version=version, assign_ipv6="true", **ipam)
        answer = self.assertCalled(network.call("ADD"))
        self.assertSucceeds(network.delete())
        text = answer.stdout.decode()
        text = re.sub(r"192\.168\.\d+\.\d+/26", "A4", text)
        return re.sub(r"fd80:24e2:f998:72d6:[0-9a-f:]+/122", "A6", text)

    def assertCalled(self, answer):
        self.assertEqual(answer.status, 0, str(answer))
        return answer

    def test_newest_versions(self):
        """From 1.0.0 on: keys in alphabetical order, no dns, no gateway, no version of an address."""
        for version in ("1.0.0", "1.1.0"):
            text = json.dumps(
                {
                    "cniVersion": version,
                    "ips": [{"address": "A4"}, {"address": "A6"}],
                    "routes": [{"dst": "A4"}, {"dst": "A6"}],
                },
                indent=4,
            )
            self.assertEqual(self.addition(version), text)

    def test_middle_versions(self):
        """0.3.0 to 0.4.0: each address with its version, and dns always."""
        for version in ("0.3.0", "0.3.1", "0.4.0"):
            text = json.dumps(
                {
                    "cniVersion": version,
                    "ips": [{"version": "4", "address": "A4"}, {"version": "6", "address": "A6"}],
                    "routes": [{"dst": "A4"}, {"dst": "A6"}],
                    "dns": {},
                },
                indent=4,
            )
            self.assertEqual(self.addition(version), text)

    def test_oldest_versions(self):
        """0.1.0, 0.2.0 and none: an object for each family."""
        for version, said in (("0.1.0", "0.1.0"), ("0.2.0", "0.2.0"), ("", "0.1.0")):
            text = json.dumps(
                {
                    "cniVersion": said,
                    "ip4": {"ip": "A4", "routes": [{"dst": "A4"}]},
                    "ip6": {"ip": "A6", "routes": [{"dst": "A6"}]},
                    "dns": {},
                },
                indent=4,
            )
            self.assertEqual(self.addition(version), text)

    def test_both_families_disabled(self):
        """Nothing is asked for and nothing given: an empty result, which the oldest versions cannot express."""
        for version in VERSIONS:
            with self.subTest(version=version), self.unchanged():
                answer = self.network(version=version, assign_ipv4="false").add()
                if version < "0.3.0":
                    self.assertFails(answer, 999, "cannot convert: no valid IP addresses")
                else:
                    self.assertCalled(answer)
                    document = answer.document
                    self.assertEqual(document.pop("cniVersion"), version)
                    self.assertIn(document.pop("dns", {}), ({},))
                    self.assertIn(document.pop("ips", None) or [], ([],))
                    self.assertIn(document.pop("routes", None) or [], ([],))
                    self.assertEqual(document, {})

    def test_gateway_and_routes_of_the_configuration(self):
        """`ipam.gateway` and `ipam.routes` make the result one that bridge and ptp can use."""
        routes = [{"dst": "0.0.0.0/0"}, {"dst": "::/0", "gw": "fd80::1"}]
        network = self.network(assign_ipv6="true", gateway=["169.254.1.1", "fe80::1"], routes=routes)
        document = self.assertSucceeds(network.add()).document
        self.assertEqual([ip["gateway"] for ip in document["ips"]], ["169.254.1.1", "fe80::1"])
        self.assertEqual(document["routes"], routes)
        network = self.network(gateway="192.168.0.1", routes=[])
        document = self.assertSucceeds(network.add("c2")).document
        self.assertEqual([ip["gateway"] for ip in document["ips"]], ["192.168.0.1"])
        self.assertEqual(document.get("routes") or [], [])

    def test_malformed_gateway_or_route_takes_no_address(self):
        """What cannot be answered is not assigned either."""
        for ipam in (
            {"gateway": "10.0.0"},
            {"gateway": ["10.0.0.1", ""]},
            {"gateway": 7},
            {"routes": [{"dst": "nowhere"}]},
            {"routes": [{"gw": "10.0.0.1"}]},
            {"routes": [{"dst": "0.0.0.0/0", "gw": "x"}]},
            {"routes": "0.0.0.0/0"},
            {"routes": [7]},
        ):
            with self.subTest(ipam=ipam), self.unchanged():
                self.assertFails(self.network(**ipam).add())


class Verbs(calico.CalicoTest):
    def run_bare(self, environment, stdin=b""):
        done = subprocess.run([calico.calico_ipam()], env=environment, input=stdin, capture_output=True)
        return plugin.Answer(done.returncode, done.stdout, done.stderr, environment.get("CNI_COMMAND", ""))

    def test_banner(self):
        """Without a verb a person looks on: name and versions on stderr, and success."""
        answer = self.run_bare({})
        self.assertEqual((answer.status, answer.stdout), (0, b""))
        lines = answer.stderr.decode().splitlines()
        self.assertIn("calico-ipam", lines[0])
        self.assertEqual(lines[1:], ["CNI protocol versions supported: " + ", ".join(VERSIONS)])

    def test_flags(self):
        """-v prints the version alone; what is no flag is told so, with status 2."""
        for flag in ("-v", "--v"):
            done = subprocess.run([calico.calico_ipam(), flag], env={}, capture_output=True, text=True)
            self.assertEqual((done.returncode, done.stderr), (0, ""))
            self.assertRegex(done.stdout, r"^v?\d+\.\d+\.\d+\S*\n$")
        done = subprocess.run([calico.calico_ipam(), "-nonsense"], env={}, capture_output=True, text=True)
        self.assertEqual((done.returncode, done.stdout), (2, ""))
        self.assertIn("Usage of calico-ipam", done.stderr)

    def test_version(self):
        """VERSION reads no stdin, needs no other variable and touches nothing."""
        process = subprocess.Popen(
            [calico.calico_ipam()], env={"CNI_COMMAND": "VERSION"}, stdin=subprocess.PIPE, stdout=subprocess.PIPE
        )
        out = process.stdout.read()  # stdin is still open
        process.stdout.close()
        process.stdin.close()
        self.assertEqual(process.wait(), 0)
        expected = {"cniVersion": "1.1.0", "supportedVersions": VERSIONS}
        self.assertEqual(out.decode(), json.dumps(expected, separators=(",", ":")) + "\n")

    def test_unknown_verb(self):
        for verb in ("UPDATE", "add", "Add", "ADD "):
            answer = self.run_bare({"CNI_COMMAND": verb}, plugin.encode(self.net.config()))
            self.assertFails(answer, 4)
            self.assertEqual(answer.document["msg"], "unknown CNI_COMMAND: " + verb)

    def test_missing_variables(self):
        """All that is missing is named at once, in the order of the table."""
        expected = {
            "ADD": "CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH",
            "CHECK": "CNI_CONTAINERID,CNI_NETNS,CNI_IFNAME,CNI_PATH",
            "DEL": "CNI_CONTAINERID,CNI_IFNAME,CNI_PATH",
            "GC": "CNI_PATH",
            "STATUS": "CNI_PATH",
        }
        for verb, names in expected.items():
            answer = self.run_bare({"CNI_COMMAND": verb}, plugin.encode(self.net.config()))
            self.assertFails(answer, 4)
            self.assertEqual(answer.document["msg"], "required env variables [%s] missing" % names)

    def test_versions_that_are_not_supported(self):
        for version in ("0.3.2", "1.0.1", "1.2.0", "2.0.0", "abc"):
            with self.subTest(version=version), self.unchanged():
                network = self.network(version=version)
                answer = self.assertFails(network.add(), 1, "incompatible CNI versions")
                self.assertIn('config is "%s", plugin supports ["0.1.0" ' % version, answer.document["details"])
                self.assertFails(network.delete(), 1, "incompatible CNI versions")

    def test_verbs_that_came_later(self):
        for verb, version in (("CHECK", "0.3.1"), ("GC", "1.0.0"), ("STATUS", "1.0.0")):
            answer = self.assertFails(self.network(version=version).call(verb), 1)
            self.assertEqual(answer.document["msg"], "config version does not allow " + verb)

    def test_network_names(self):
        for name in ("..", "a/b", "", "pods\u0000"):
            self.assertFails(self.network(name=name).add(), 7)
        self.assertFails(self.net.add(config=b"null"), 7, "missing network name")
        self.assertFails(self.net.add(config=b"{"), 6, "error unmarshall network config")
        self.assertFails(self.net.add(config=b""), 6, "unexpected end of JSON input")

    def test_own_namespace(self):
        """CNI_NETNS must not be the plugin's own; the answer is out by then, and DEL frees."""
        isolation.require()
        answer = self.net.add(namespace="/proc/self/ns/net")
        self.assertEqual(answer.status, 1, str(answer))
        decoder = json.JSONDecoder()
        result, end = decoder.raw_decode(answer.stdout.decode())
        error, _ = decoder.raw_decode(answer.stdout.decode()[end:].lstrip())
        self.assertEqual(len(result["ips"]), 1)
        self.assertEqual(error["code"], 8)
        for override in ("1", "True"):
            variables = {"CNI_NETNS_OVERRIDE": override}
            self.assertSucceeds(self.net.delete(namespace="/proc/self/ns/net", environment=variables))
        self.assertHolds("c1", [])


class Configuration(calico.CalicoTest):
    def assertRefused(self, text, more=None, ipam=None):
        with self.subTest(text=text), self.unchanged():
            for verb in ("ADD", "DEL"):
                answer = self.assertFails(self.network(**(ipam or {})).call(verb, more=more), 999)
                self.assertEqual(answer.document["msg"], "failed to load netconf: json: cannot unmarshal " + text)

    def test_wrong_types(self):
        """The first member of a wrong type is named, with its type and the wanted one, whether it matters or not."""
        field = "%s into Go struct field NetConf.%s of type %s"
        for found, value in (("bool", True), ("number", 1), ("array", []), ("object", {})):
            self.assertRefused(field % (found, "ipam.assign_ipv4", "string"), ipam={"assign_ipv4": value})
            self.assertRefused(field % (found, "ipam.assign_ipv6", "string"), ipam={"assign_ipv6": value})
            self.assertRefused(field % (found, "nodename", "string"), {"nodename": value})
        self.assertRefused(field % ("string", "ipam.ipv4_pools", "[]string"), ipam={"ipv4_pools": calico.V4})
        self.assertRefused(field % ("object", "ipam.ipv6_pools", "[]string"), ipam={"ipv6_pools": {}})
        self.assertRefused(field % ("number", "ipam.ipv4_pools", "string"), ipam={"ipv4_pools": [1]})
        self.assertRefused(field % ("string", "mtu", "int"), {"mtu": "1500"})
        self.assertRefused(field % ("string", "log_file_max_size", "int"), {"log_file_max_size": "1"})
        self.assertRefused(field % ("string", "nodename_file_optional", "bool"), {"nodename_file_optional": "true"})
        self.assertRefused(
            field % ("string", "windows_use_single_network", "bool"), {"windows_use_single_network": "true"}
        )
        self.assertRefused(field % ("number", "etcd_endpoints", "string"), {"etcd_endpoints": 1})
        self.assertRefused(field % ("bool", "datastore_type", "string"), {"datastore_type": False})
        self.assertRefused(field % ("number", "kubernetes.kubeconfig", "string"), {"kubernetes": {"kubeconfig": 1}})
        self.assertRefused(field % ("number", "policy.type", "string"), {"policy": {"type": 1}})

    def test_unknown_datastore(self):
        with self.unchanged():
            for verb in ("ADD", "DEL"):
                self.assertFails(self.net.call(verb, more={"datastore_type": "mysql"}), 999, "mysql")

    def test_nulls_leave_the_defaults(self):
        """A null anywhere is as good as no member."""
        more = dict.fromkeys(
            "nodename_file hostname log_level log_file_path datastore_type etcd_endpoints mtu num_queues policy "
            "kubernetes windows_use_single_network qps burst runtimeConfig args calico_api_group prevResult".split()
        )
        keys = "assign_ipv4 assign_ipv6 ipv4_pools ipv6_pools subnet name type gateway routes gc".split()
        more["ipam"] = {"dataDir": self.net.reservations, **dict.fromkeys(keys)}
        answer = self.assertSucceeds(self.net.add(more=more))
        self.assertEqual(len(answer.addresses), 1)
        self.assertSucceeds(self.net.delete(more=more))
        self.assertHolds("c1", [])

    def test_configurations_that_were_marshalled_again(self):
        """Every key of upstream's structure, as its tests write it."""
        more = {
            "mode": "",
            "vxlan_mac_prefix": "",
            "vxlan_vni": 0,
            "args": {"org.apache.mesos": {"network_info": {"labels": {}}}},
            "mtu": 0,
            "num_queues": 0,
            "nodename_file": "",
            "nodename_file_optional": False,
            "datastore_type": "sqlite",
            "etcd_endpoints": "",
            "etcd_discovery_srv": "",
            "log_level": "",
            "log_file_path": "",
            "log_file_max_size": 0,
            "log_file_max_age": 0,
            "log_file_max_count": 0,
            "hostname": "",
            "container_settings": {"allow_ip_forwarding": False},
            "include_default_routes": False,
            "dataplane_options": None,
            "policy": {"type": "", "k8s_api_root": "", "k8s_auth_token": "", "k8s_client_certificate": ""},
            "kubernetes": {"k8s_api_root": "", "kubeconfig": "", "node_name": ""},
            "feature_control": {"ip_addrs_no_ipam": False, "floating_ips": False},
            "etcd_scheme": "",
            "etcd_authority": "",
            "etcd_key_file": "",
            "etcd_cert_file": "",
            "etcd_ca_cert_file": "",
            "RuntimeConfig": {"DNS": {}},
            "windows_use_single_network": False,
            "calico_api_group": "",
        }
        ipam = {"Name": "", "subnet": "", "assign_ipv4": None, "assign_ipv6": None, "ipv4_pools": [], "ipv6_pools": None}
        self.assertSucceeds(self.network(**ipam).add(more=more))
        self.assertSucceeds(self.network(**ipam).delete(more=more))

    def test_keys_without_regard_to_case(self):
        config = self.net.config()
        config["NodeName"] = config.pop("nodename")
        config["IPAM"] = {**config.pop("ipam"), "Assign_IPv4": "false", "ASSIGN_IPV6": "true"}
        config["IPAM"]["Type"] = config["IPAM"].pop("type")
        (address,) = self.assertSucceeds(self.net.add(config=config)).addresses
        self.assertTrue(address.startswith("fd80:"), address)

    def test_flags_are_exact_texts(self):
        """Only `"false"` turns v4 off, and only `"true"` turns v6 on."""
        for number, (v4, v6, expected) in enumerate(
            (("False", "True", 1), ("", "", 1), ("no", "yes", 1), ("FALSE", "TRUE", 1), ("true", "true", 2))
        ):
            answer = self.network(assign_ipv4=v4, assign_ipv6=v6).add("c%d" % number)
            self.assertEqual(len(self.assertSucceeds(answer).addresses), expected, (v4, v6))

    def test_log_file(self):
        """Made with its directory; what is logged depends on the level, and stdin never is."""
        path = os.path.join(self.net.directory, "log", "cni", "cni.log")
        more = {"log_file_path": path, "secret": "s3cret"}
        (address,) = self.assertSucceeds(self.net.add("logged", config=self.net.config(**more))).addresses
        self.assertFails(self.net.add("b", config=self.net.config(**more, nodename="nobody")), 999)
        self.assertSucceeds(self.net.delete("logged", config=self.net.config(**more)))
        quiet = self.net.config(**more, log_level="error")
        self.assertSucceeds(self.net.add("quiet", config=quiet))
        with open(path, encoding="utf-8") as log:
            lines = log.read().splitlines()
        self.assertEqual(len(lines), 3, lines)
        for line, level in zip(lines, ("INFO", "ERROR", "INFO")):
            pattern = r"\d{4}-\d\d-\d\d \d\d:\d\d:\d\d\.\d{3} \[%s\]\[\d+\] ipam: .+" % level
            self.assertRegex(line, pattern)
        self.assertIn(address, lines[0])
        self.assertIn("Node(nobody)", lines[1])
        self.assertIn('HandleID="%s.logged"' % self.net.name, lines[2])
        self.assertNotIn("s3cret", "".join(lines))

    def test_unknown_members_are_ignored(self):
        more = {"ignored": {"deep": [1, {"x": None}]}, "capabilities": {"ips": True}}
        self.assertSucceeds(self.network(ignored=7, ranges=[[{"subnet": "x"}]]).add(more=more))


class NodeNames(calico.CalicoTest):
    nodes = ("node-a", "node-b", "node-c", "myhost")

    def node_of(self, container, more, **options):
        """The node that an ADD was recorded for."""
        config = self.net.config()
        del config["nodename"]
        config.update({"nodename_file": os.path.join(self.temporary, "nodename"), **more})
        answer = self.assertSucceeds(self.net.add(container, config=config, **options))
        return answer, self.store.allocations()[answer.addresses[0]][1]

    def write(self, text):
        with open(os.path.join(self.temporary, "nodename"), "w", encoding="utf-8") as file:
            file.write(text)

    def test_order_of_sources(self):
        """Configuration, then the file, then the deprecated key, then the host."""
        isolation.require()
        host = ["unshare", "--uts", "sh", "-c", 'hostname MyHost && exec "$@"', "sh"]
        self.assertEqual(self.node_of("c1", {}, wrapper=host)[1], "myhost")
        answer, node = self.node_of("c2", {"hostname": "node-c"}, wrapper=host)
        self.assertEqual(node, "node-c")
        self.assertIn(b"Configuration option 'hostname' is deprecated, use 'nodename' instead", answer.stderr)
        self.write("node-b")
        self.assertEqual(self.node_of("c3", {"hostname": "node-c"}, wrapper=host)[1], "node-b")
        self.assertEqual(self.node_of("c4", {"hostname": "node-c", "nodename": "node-a"}, wrapper=host)[1], "node-a")

    def test_line_end_in_the_file(self):
        """A line end behind the name is none of it; upstream looks for a node with a line end in its name."""
        self.write("node-b\n")
        self.assertEqual(self.node_of("c1", {})[1], "node-b")

    def test_unreadable_file(self):
        """A file that cannot be read is reported, and the next source used."""
        os.mkdir(os.path.join(self.temporary, "nodename"))
        answer, node = self.node_of("c1", {"hostname": "node-c"})
        self.assertEqual(node, "node-c")
        self.assertIn(b"Failed to read ", answer.stderr)

    def test_names_that_no_endpoint_can_have(self):
        problem = "error constructing WorkloadEndpoint name: error with field %s = '%s' (%s)"
        for more, container, interface, arguments, expected in (
            ({"nodename": "-a"}, "c1", "eth0", "", ("node", "-a", "field must not begin with a '-'")),
            ({"nodename": "a-"}, "c1", "eth0", "", ("node", "a-", "field must not end with a '-'")),
            ({}, "c1-", "eth0", "", ("containerID", "c1-", "field must not end with a '-'")),
            ({}, "c1", "-x", "", ("endpoint", "-x", "field must not begin with a '-'")),
            ({}, "c1", "x-", "", ("endpoint", "x-", "field must not end with a '-'")),
            (
                {},
                "c1",
                "eth0",
                "IgnoreUnknown=1;K8S_POD_NAMESPACE=ns;K8S_POD_NAME=-p",
                ("pod", "-p", "field must not begin with a '-'"),
            ),
        ):
            with self.subTest(expected=expected), self.unchanged():
                for verb in ("ADD", "DEL"):
                    answer = self.net.call(verb, container, more=more, interface=interface, arguments=arguments)
                    self.assertFails(answer, 999)
                    self.assertEqual(answer.document["msg"], problem % expected)


class Arguments(calico.CalicoTest):
    """CNI_ARGS (section 1.4)."""

    POD = "K8S_POD_NAMESPACE=ns;K8S_POD_NAME=web-0;K8S_POD_INFRA_CONTAINER_ID=c1"

    def assertRefused(self, arguments, message, verbs=("ADD", "DEL")):
        for verb in verbs:
            with self.subTest(arguments=arguments, verb=verb), self.unchanged():
                answer = self.assertFails(self.net.call(verb, arguments=arguments), 999)
                self.assertEqual(answer.document["msg"], message)

    def test_malformed_pairs(self):
        for arguments, pair in (
            ("IP", "IP"),
            ("IP=10.0.0.1;", ""),
            (";IgnoreUnknown=1", ""),
            ("IgnoreUnknown=1;a=b=c", "a=b=c"),
            (" ", " "),
        ):
            self.assertRefused(arguments, 'ARGS: invalid pair "%s"' % pair)

    def test_unknown_keys(self):
        self.assertRefused("K8S_POD_UID=1", 'ARGS: unknown args ["K8S_POD_UID=1"]')
        self.assertRefused("ip=10.0.0.1;x=y", 'ARGS: unknown args ["ip=10.0.0.1" "x=y"]')
        self.assertRefused("x=y;IgnoreUnknown=0", 'ARGS: unknown args ["x=y"]')
        self.assertRefused("CNI_TEST_NAMESPACE=ns", 'ARGS: unknown args ["CNI_TEST_NAMESPACE=ns"]')

    def test_unknown_keys_to_be_ignored(self):
        for number, flag in enumerate(("1", "true", "TRUE", "True")):
            arguments = "x=y;IgnoreUnknown=%s;K8S_POD_UID=7" % flag
            self.assertSucceeds(self.net.add("c%d" % number, arguments=arguments))
            self.assertSucceeds(self.net.delete("c%d" % number, arguments=arguments))

    def test_bad_values(self):
        text = 'ARGS: error parsing value of pair "IgnoreUnknown=maybe": boolean unmarshal error: invalid input maybe'
        self.assertRefused("IgnoreUnknown=maybe", text)
        text = 'ARGS: error parsing value of pair "IP=%s": invalid IP address: %s'
        for value in ("10.0.0", "10.0.0.300", "x", "10.0.0.1/32", "010.0.0.1"):
            self.assertRefused("IP=" + value, text % (value, value))
        # The first bad pair ends it; unknown ones come last.
        self.assertRefused("x=y;IP=bad;IgnoreUnknown=maybe", text % ("bad", "bad"))

    def test_empty_address_is_none(self):
        answer = self.assertSucceeds(self.net.add(arguments="IP="))
        self.assertTrue(answer.document["ips"][0]["address"].endswith("/26"))

    def test_pod_without_permission_to_ignore(self):
        """ADD decodes once more with fewer keys known, so it refuses what DEL accepts."""
        unknown = " ".join('"%s"' % pair for pair in self.POD.split(";"))
        self.assertRefused(self.POD, "ARGS: unknown args [%s]" % unknown, verbs=("ADD",))
        self.assertSucceeds(self.net.add(arguments="IgnoreUnknown=1;" + self.POD))
        self.assertSucceeds(self.net.delete(arguments=self.POD))
        self.assertHolds("c1", [])

    def attributes(self, arguments):
        self.assertSucceeds(self.net.add(arguments=arguments))
        (block,) = self.store.blocks().values()
        (attribute,) = block["attributes"]
        self.assertSucceeds(self.net.delete(arguments=arguments))
        self.assertEqual(attribute.pop("handle_id"), calico.NETWORK + ".c1")
        timestamp = attribute["secondary"].pop("timestamp")
        self.assertRegex(timestamp, r"^\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(\.\d{0,8}[1-9])? \+0000 UTC$")
        return attribute

    def test_attributes(self):
        """What is stored with an address: the node always, pod and namespace under Kubernetes only."""
        self.assertEqual(self.attributes(""), {"secondary": {"node": "node-a"}})
        self.assertEqual(
            self.attributes("IgnoreUnknown=1;CNI_TEST_NAMESPACE=ns"), {"secondary": {"node": "node-a"}}
        )
        self.assertEqual(
            self.attributes("IgnoreUnknown=1;K8S_POD_NAME=web-0"), {"secondary": {"node": "node-a"}}
        )
        self.assertEqual(
            self.attributes("IgnoreUnknown=1;" + self.POD),
            {"secondary": {"namespace": "ns", "node": "node-a", "pod": "web-0"}},
        )

    def test_two_requested_addresses_of_one_container(self):
        """The main plugin asks for one of each family with two ADDs of one container; one DEL frees both."""
        for address in ("192.168.7.7", "fd80:24e2:f998:72d6::7"):
            arguments = "IgnoreUnknown=1;" + self.POD + ";IP=" + address
            self.assertEqual(self.assertSucceeds(self.net.add(arguments=arguments)).addresses, [address])
        self.assertHolds("c1", ["192.168.7.7", "fd80:24e2:f998:72d6::7"])
        self.assertSucceeds(self.net.delete())
        self.assertHolds("c1", [])

    def test_requested_address_with_both_families_disabled(self):
        answer = self.network(assign_ipv4="false").add(arguments="IP=192.168.7.7")
        self.assertEqual(self.assertSucceeds(answer).addresses, ["192.168.7.7"])


if __name__ == "__main__":
    isolation.main()
