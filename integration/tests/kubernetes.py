"""A Kubernetes API server with RBAC and service accounts, and what tests read and write past our programs."""

import base64
import json
import os
import ssl
import subprocess
import tempfile
import time
import urllib.parse

import certificates
import servers

MANIFESTS = os.path.join(servers.ROOT, "integration", "kubernetes")
ADMIN = "token-of-the-administrator"
V1, V3 = "crd.projectcalico.org/v1", "projectcalico.org/v3"
PATIENCE = 30


def documents(path):
    """The YAML documents of a file, or of all that a kustomization names."""
    import yaml  # Debian's python3-yaml; whoever needs no manifests needs it neither

    if os.path.isdir(path):
        with open(os.path.join(path, "kustomization.yaml"), encoding="utf-8") as file:
            names = yaml.safe_load(file)["resources"]
        return [document for name in names for document in documents(os.path.join(path, name))]
    with open(path, encoding="utf-8") as file:
        return [document for document in yaml.safe_load_all(file) if document]


class Kubernetes(servers.Server):
    """One API server. `accounts` are service accounts by their tokens, {token: "namespace/name"}.

    `group` says which definitions of Calico's kinds it gets: V1, V3 or None.
    """

    def __init__(self, place, rbac=False, accounts=None, group=V1, options=()):
        super().__init__(place)
        self.program, self.rbac, self.accounts, self.options = (
            servers.require_kubernetes(),
            rbac,
            accounts or {},
            options,
        )
        self.kubeconfig, self.port = os.path.join(self.directory, "kubeconfig"), 0
        self.plurals, self.group = {}, group
        self.start()
        if group:
            self.define(group)

    def start(self):
        tokens = os.path.join(self.directory, "tokens.csv")
        with open(tokens, "w", encoding="ascii") as file:
            for token, account in self.accounts.items():
                namespace, name = account.split("/")
                groups = "system:serviceaccounts,system:serviceaccounts:" + namespace
                file.write('%s,system:serviceaccount:%s:%s,%s,"%s"\n' % (token, namespace, name, token, groups))
        words = ["--data-dir", os.path.join(self.directory, "data"), "--kubeconfig-out", self.kubeconfig]
        words += ["--token", ADMIN, "--token-auth-file", tokens, "--secure-port", str(self.port), "--exit-on-stdin-eof"]
        words += ["--authorization-mode", "RBAC"] if self.rbac else []
        pipes = {"stdin": subprocess.PIPE, "stdout": subprocess.PIPE, "text": True}
        self.spawn([self.program, *words, *self.options], **pipes)
        line = self.process.stdout.readline()
        if "ready" not in line:
            raise AssertionError("kube-testserver does not start: " + self.said())
        self.port = int(line.split("https://")[1].split()[0].rsplit(":", 1)[1])
        self.etcd_socket = line.split("etcd=unix://")[1].split()[0] if "etcd=unix://" in line else None
        self.client = servers.Client(self.url, ssl.create_default_context(cafile=self.authority.certificate))

    @property
    def authority(self):
        """Who signed the server's certificate, and can sign others that it accepts."""
        directory = os.path.join(self.directory, "data", "certs")
        pair = certificates.Pair(os.path.join(directory, "ca.crt"), os.path.join(directory, "ca.key"))
        return certificates.Authority(self.directory, pair)

    @property
    def url(self):
        return self.url_at(self.port)

    def url_at(self, port):
        """Where the server is found at another port, as behind a proxy."""
        return "https://127.0.0.1:%d" % port

    # MARK: requests

    def ask(self, method, path, body=None, token=ADMIN):
        """(status, document) of a request with somebody's token."""
        status, text = self.client.call(method, path, body, {"Authorization": "Bearer " + token})
        try:
            return status, json.loads(text)
        except ValueError:
            return status, text

    def call(self, method, path, body=None, token=ADMIN):
        """The document that a request gives, which has to succeed."""
        status, document = self.ask(method, path, body, token)
        if status >= 300:
            raise AssertionError("%s %s: %d %s" % (method, path, status, document))
        return document

    def collection(self, version, kind, namespace=None):
        """The path of all objects of a kind, as discovery tells it."""
        root = "/api/v1" if version == "v1" else "/apis/" + version
        if (version, kind) not in self.plurals:
            for row in self.call("GET", root)["resources"]:
                if "/" not in row["name"]:
                    self.plurals[version, row["kind"]] = (row["name"], row["namespaced"])
        plural, is_namespaced = self.plurals[version, kind]
        return "%s/%s%s" % (root, "namespaces/%s/" % (namespace or "default") if is_namespaced else "", plural)

    def apply(self, document, token=ADMIN):
        """Creates an object, or replaces it."""
        about = {name: value for name, value in document["metadata"].items() if name not in ("resourceVersion", "uid")}
        document = {**document, "metadata": about}
        path = self.collection(document["apiVersion"], document["kind"], about.get("namespace"))
        status, answer = self.ask("POST", path, document, token)
        if status == 409:
            path += "/" + urllib.parse.quote(about["name"])
            version = self.call("GET", path, token=token)["metadata"]["resourceVersion"]
            return self.call("PUT", path, {**document, "metadata": {**about, "resourceVersion": version}}, token)
        if status >= 300:
            raise AssertionError("%s %s: %d %s" % (document["kind"], about["name"], status, answer))
        return answer

    def list(self, version, kind):
        """All objects of a kind, page by page."""
        path, found, following = self.collection(version, kind), [], ""
        while True:
            page = self.call("GET", "%s?limit=2000%s" % (path, following))
            found += page["items"]
            if not page["metadata"].get("continue"):
                return found
            following = "&continue=" + urllib.parse.quote(page["metadata"]["continue"])

    def define(self, group):
        """Calico's kinds in one of the two groups, ready for use."""
        definitions = documents(os.path.join(MANIFESTS, "crds", group.rsplit("/", 1)[1]))
        for document in definitions:
            self.apply(document)
        for document in definitions:
            path = "/apis/%s/%s" % (group, document["spec"]["names"]["plural"])
            end = time.monotonic() + PATIENCE
            while self.ask("GET", path)[0] != 200:
                if time.monotonic() > end:
                    raise AssertionError("%s is not served: %s" % (path, self.said()))
                time.sleep(0.02)

    # MARK: who asks

    def kubeconfig_for(self, name, token=None, token_file=None, pair=None, port=None, authority=None):
        """A kubeconfig of somebody's own, as a path; the server may be reached at another port."""
        user = {"token": token} if token else {}
        user.update({"tokenFile": token_file} if token_file else {})
        if pair:
            user.update({"client-certificate": pair.certificate, "client-key": pair.key})
        with open(authority or self.authority.certificate, "rb") as file:
            data = base64.b64encode(file.read()).decode()
        document = {
            "apiVersion": "v1",
            "kind": "Config",
            "clusters": [
                {
                    "name": "test",
                    "cluster": {"server": self.url_at(port or self.port), "certificate-authority-data": data},
                }
            ],
            "users": [{"name": name, "user": user}],
            "contexts": [{"name": "test", "context": {"cluster": "test", "user": name}}],
            "current-context": "test",
        }
        path = os.path.join(self.directory, "kubeconfig-" + name)
        # At once: a process that was started with it before may be about to read it.
        with tempfile.NamedTemporaryFile("w", dir=self.directory, delete=False, encoding="utf-8") as file:
            json.dump(document, file)
        os.replace(file.name, path)
        return path

    # MARK: counting

    def requests(self):
        """Requests so far, {(verb, resource, code): number}; the tests' own are among them."""
        _, text = self.client.call("GET", "/metrics", None, {"Authorization": "Bearer " + ADMIN})
        found = {}
        for labels, value in servers.samples(text, "apiserver_request_total"):
            label = dict(one.split("=", 1) for one in labels.strip("{}").split(","))
            key = tuple(label[name].strip('"') for name in ("verb", "resource", "code"))
            found[key] = found.get(key, 0) + int(value)
        return found
