"""A proxy that ends TLS on both sides and reads the frames of HTTP/2: how many requests, and how many in turn.

It needs no more of a frame than its nine bytes of head (RFC 9113, section 4.1): a client's HEADERS begin a request, and
the server's frame with END_STREAM ends it. What is in them it passes on unread.
"""

import asyncio
import ssl
import threading

import gateway
import proxy

HEADERS, DATA, END_STREAM = 0x1, 0x0, 0x1
PREFACE = b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n"
# Answers are held for so long that all requests that are made at once are seen before the first of them is answered.
HOLD = 0.02


class FrameProxy:
    """Stands before a server on loopback; `pair` is its own certificate, `context` how it meets the server."""

    def __init__(self, place, port, pair, context):
        self.target, self.requests, self.count = port, [], proxy.Count()
        self.server_side = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.server_side.load_cert_chain(*pair)
        self.server_side.set_alpn_protocols(["h2"])
        self.client_side = context
        self.client_side.set_alpn_protocols(["h2"])
        self.tasks = set()
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        listening = asyncio.start_server(self.connected, "127.0.0.1", 0, ssl=self.server_side)
        self.server = self.do(listening)
        self.port = self.server.sockets[0].getsockname()[1]
        place.addCleanup(self.close)

    @classmethod
    def before(cls, place, cluster):
        """The proxy of a cluster's server, with certificates of the server's own authority."""
        server = cluster.server
        context = ssl.create_default_context(cafile=server.authority.certificate)
        if hasattr(cluster, "pair"):
            context.load_cert_chain(*cluster.pair)
        return cls(place, server.port, server.authority.issue("frames"), context)

    def do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def begin_count(self):
        """Records from nothing; the list that this returns goes on growing."""
        self.requests, self.count = [], proxy.Count()
        return self.requests

    def close(self):
        self.do(self.finish())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    async def finish(self):
        self.server.close()
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def connected(self, reader, writer):
        self.tasks.add(task := asyncio.current_task())
        task.add_done_callback(self.tasks.discard)
        far = None
        try:
            far_reader, far = await asyncio.open_connection(
                "127.0.0.1", self.target, ssl=self.client_side, server_hostname="127.0.0.1"
            )
            streams = {}
            await asyncio.gather(
                self.carry(reader, far, streams, self.asked, PREFACE),
                self.carry(far_reader, writer, streams, self.answered),
            )
        except (OSError, asyncio.IncompleteReadError, asyncio.CancelledError):
            pass  # either end has gone, or the proxy closes
        finally:
            for end in filter(None, (writer, far)):
                end.transport.abort()

    async def carry(self, reader, writer, streams, note, preface=b""):
        if preface:
            writer.write(await reader.readexactly(len(preface)))
        try:
            while True:
                head = await reader.readexactly(9)
                body = await reader.readexactly(int.from_bytes(head[:3], "big"))
                stream = int.from_bytes(head[5:], "big") & 0x7FFFFFFF
                await note(streams, stream, head[3], head[4], len(body))
                writer.write(head + body)
                await writer.drain()
        finally:
            writer.close()

    async def asked(self, streams, stream, kind, flags, length):
        self.count.to_server += 9 + length
        if kind == HEADERS and stream not in streams:
            streams[stream] = gateway.Request("", "stream %d" % stream, b"", self.loop.time())
            self.requests.append(streams[stream])

    async def answered(self, streams, stream, kind, flags, length):
        self.count.to_client += 9 + length
        request = streams.get(stream)
        if request is None:
            return
        if kind == DATA:
            request.length += length
        if kind in (HEADERS, DATA) and flags & END_STREAM:
            await asyncio.sleep(HOLD)
            request.ended = self.loop.time()
