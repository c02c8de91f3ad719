"""An etcd server with TLS and client certificates, and what tests read from and write to it past our programs."""

import base64
import json
import os
import ssl
import time

import certificates
import servers

PATIENCE = 30


def encoded(text):
    return base64.b64encode(text if isinstance(text, bytes) else text.encode()).decode()


def beyond(prefix):
    """The first key behind all that begin with a prefix."""
    data = prefix.encode()
    return data[:-1] + bytes([data[-1] + 1])


class Entries:
    """What an etcd holds, over the JSON form of its API; `client` asks it."""

    client = None

    def headers(self, path):
        return {}

    def call(self, path, **body):
        """One request, as an administrator."""
        status, text = self.client.call("POST", path, body, self.headers(path))
        if status != 200:
            raise AssertionError("etcd %s: %d %s" % (path, status, text))
        return json.loads(text)

    def read(self, below="/"):
        """Path to (value as bytes, revision of its last change) of all below a path."""
        answer = self.call("/v3/kv/range", key=encoded(below), range_end=encoded(beyond(below)))
        return {
            base64.b64decode(row["key"]).decode(): (base64.b64decode(row.get("value", "")), int(row["mod_revision"]))
            for row in answer.get("kvs", [])
        }

    def write(self, entries):
        """Puts values (bytes); a value of None removes. A hundred at a time, each time in one transaction."""
        changes = [
            (
                {"requestDeleteRange": {"key": encoded(path)}}
                if value is None
                else {"requestPut": {"key": encoded(path), "value": encoded(value)}}
            )
            for path, value in entries.items()
        ]
        for first in range(0, len(changes), 100):
            self.call("/v3/kv/txn", success=changes[first : first + 100])


class EntriesOfAPIServer(Entries):
    """What an API server keeps in the etcd inside it, past the API server."""

    def __init__(self, server):
        self.client = servers.SocketClient(server.etcd_socket)


class Etcd(Entries, servers.Server):
    """One member. `quota` is the size in bytes beyond which it takes no more writes."""

    def __init__(self, place, secure=True, quota=None, program=None, authority=None):
        super().__init__(place)
        self.program, self.secure, self.quota = program or servers.require_etcd(), secure, quota
        self.authority = authority or certificates.Authority.make(os.path.join(self.directory, "certificates"))
        self.pair = self.authority.issue("server")
        # With roles on, the JSON form of the API refuses whoever a certificate names.
        self.admin = self.authority.issue("administrator", organizations=["administrators"], named=False)
        self.password = None
        self.port, self.peer_port = servers.free_port(), servers.free_port()
        self.start()

    @property
    def url(self):
        return self.url_at(self.port)

    def url_at(self, port):
        """Where the server is found at another port, as behind a proxy."""
        return "%s://127.0.0.1:%d" % ("https" if self.secure else "http", port)

    def start(self):
        peer = "http://127.0.0.1:%d" % self.peer_port
        words = ["--name", "etcd", "--data-dir", os.path.join(self.directory, "data")]
        words += ["--listen-client-urls", self.url, "--advertise-client-urls", self.url, "--listen-peer-urls", peer]
        words += ["--initial-advertise-peer-urls", peer, "--initial-cluster", "etcd=" + peer, "--logger", "zap"]
        words += ["--heartbeat-interval", "20", "--election-timeout", "200"]
        if self.secure:
            words += ["--cert-file", self.pair.certificate, "--key-file", self.pair.key]
            words += ["--client-cert-auth", "--trusted-ca-file", self.authority.certificate]
        if self.quota:
            words += ["--quota-backend-bytes", str(self.quota)]
        # It ends with whoever started it, however that ends.
        self.spawn(["setpriv", "--pdeathsig", "KILL", self.program, *words])
        self.client = servers.Client(self.url, self.context())
        end = time.monotonic() + PATIENCE
        while not self.is_up():
            if self.process.poll() is not None or time.monotonic() > end:
                raise AssertionError("etcd does not start: " + self.said())
            time.sleep(0.02)

    def is_up(self):
        try:
            return self.client.call("GET", "/health")[0] == 200
        except OSError:
            return False

    def context(self):
        if not self.secure:
            return None
        context = ssl.create_default_context(cafile=self.authority.certificate)
        context.load_cert_chain(*self.admin)
        return context

    # MARK: requests

    def headers(self, path):
        return {"Authorization": self.token()} if self.password and path != "/v3/auth/authenticate" else {}

    def token(self):
        return self.call("/v3/auth/authenticate", name="root", password=self.password)["token"]

    def revision(self):
        return int(self.call("/v3/kv/range", key=encoded("/"), count_only=True)["header"]["revision"])

    def compact(self):
        """Forgets all revisions but the present one."""
        self.call("/v3/kv/compaction", revision=self.revision(), physical=True)

    def disarm(self):
        """Takes the alarm off that a full disk raised, after making room."""
        self.compact()
        self.call("/v3/maintenance/defragment")
        for alarm in self.call("/v3/maintenance/alarm", action="GET").get("alarms", []):
            self.call("/v3/maintenance/alarm", action="DEACTIVATE", memberID=alarm["memberID"], alarm=alarm["alarm"])

    def fill_up(self):
        """Writes until the quota is reached."""
        for number in range(10000):
            body = {"key": encoded("/ballast/%d" % number), "value": encoded(b"x" * 200000)}
            status, text = self.client.call("POST", "/v3/kv/put", body)
            if status != 200:
                return text
        raise AssertionError("the quota is never reached")

    # MARK: users

    def require_users(self, users):
        """Turns on roles: {user: (password or None, *prefixes it may use)}; without a password, by certificate."""
        self.call("/v3/auth/user/add", name="root", password="root-password")
        self.call("/v3/auth/role/add", name="root")
        self.call("/v3/auth/user/grant", user="root", role="root")
        for user, (password, *prefixes) in users.items():
            secret = {"password": password} if password else {"options": {"no_password": True}}
            self.call("/v3/auth/user/add", name=user, **secret)
            self.call("/v3/auth/role/add", name=user)
            self.call("/v3/auth/user/grant", user=user, role=user)
            for prefix in prefixes:
                span = {"key": encoded(prefix), "range_end": encoded(beyond(prefix)), "permType": "READWRITE"}
                self.call("/v3/auth/role/grant", name=user, perm=span)
        self.call("/v3/auth/enable")
        self.password = "root-password"

    # MARK: counting

    def requests(self):
        """Requests of clients so far by method, such as Txn; the tests' own are among them."""
        _, text = self.client.call("GET", "/metrics")
        found = {}
        for labels, value in servers.samples(text, "grpc_server_handled_total"):
            method = labels.split('grpc_method="')[1].split('"')[0]
            found[method] = found.get(method, 0) + int(value)
        return {method: count for method, count in found.items() if count}

    def bytes(self):
        """(bytes that clients sent, bytes that they got) so far, as messages."""
        _, text = self.client.call("GET", "/metrics")
        names = ("etcd_network_client_grpc_received_bytes_total", "etcd_network_client_grpc_sent_bytes_total")
        return tuple(int(sum(value for _, value in servers.samples(text, name))) for name in names)
