"""A TCP proxy between our programs and a server, with the faults that networks have.

It knows nothing of what it carries. Faults are of one connection (`Fault`, chosen by `plan` when the connection is
made) or of the whole network (latency, refuse, pause, cut).
"""

import asyncio
import dataclasses
import socket
import threading

import servers

PIECE = 65536


@dataclasses.dataclass(frozen=True)
class Fault:
    """What happens to one connection once so many bytes have passed in a direction; None is never.

    Then it is reset, or, if it `swallows`, stays open and carries nothing more: a half-open socket.
    """

    to_server: int = None
    to_client: int = None
    swallows: bool = False


@dataclasses.dataclass
class Count:
    """What has passed since the count was begun."""

    connections: int = 0
    to_server: int = 0
    to_client: int = 0
    faults: int = 0


class Proxy:
    """Listens on a port of its own and passes everything on to a port of loopback."""

    def __init__(self, place, port, plan=lambda number: None):
        self.target, self.plan = port, plan
        self.latency = 0.0  # seconds, each way
        self.count = Count()
        self.pairs, self.tasks, self.number = set(), set(), 0
        self.loop = asyncio.new_event_loop()
        self.thread = threading.Thread(target=self.loop.run_forever, daemon=True)
        self.thread.start()
        self.port, self.server = servers.free_port(), None
        self.accept()
        self.flowing = self.do(self.make_event())
        place.addCleanup(self.close)

    # MARK: what tests call, from any thread

    def do(self, work):
        return asyncio.run_coroutine_threadsafe(work, self.loop).result(30)

    def accept(self):
        """Takes connections, again if they were refused."""
        if self.server is None:
            self.server = self.do(self.listen())

    def refuse(self):
        """Whoever connects is refused; connections that are there go on."""
        if self.server is not None:
            self.do(self.stop_listening())
            self.server = None

    def cut(self):
        """Resets all connections."""
        self.do(self.abort_all())

    def pause(self):
        """Nothing passes any more in either direction, on all connections; new ones are made, and hold as well."""
        self.do(self.set_flowing(False))

    def resume(self):
        """What was held passes on."""
        self.do(self.set_flowing(True))

    def begin_count(self):
        """Counts from nothing; the count goes on in the object that this returns."""
        self.count = Count()
        return self.count

    def close(self):
        self.refuse()
        self.cut()
        self.do(self.finish())
        self.loop.call_soon_threadsafe(self.loop.stop)
        self.thread.join(10)
        self.loop.close()

    # MARK: inside the loop

    async def make_event(self):
        event = asyncio.Event()
        event.set()
        return event

    async def set_flowing(self, flows):
        self.flowing.set() if flows else self.flowing.clear()

    async def listen(self):
        return await asyncio.start_server(self.connected, "127.0.0.1", self.port, backlog=1024)

    async def stop_listening(self):
        self.server.close()

    async def abort_all(self):
        for pair in list(self.pairs):
            pair.abort()

    async def finish(self):
        for task in list(self.tasks):
            task.cancel()
        await asyncio.gather(*self.tasks, return_exceptions=True)

    async def connected(self, reader, writer):
        self.tasks.add(task := asyncio.current_task())
        task.add_done_callback(self.tasks.discard)
        self.count.connections += 1
        self.number += 1
        fault = self.plan(self.number) or Fault()
        try:
            far_reader, far_writer = await asyncio.open_connection("127.0.0.1", self.target)
        except OSError:
            writer.transport.abort()
            return
        pair = Pair(self, fault, writer, far_writer)
        self.pairs.add(pair)
        try:
            await asyncio.gather(
                pair.carry(reader, far_writer, "to_server"), pair.carry(far_reader, writer, "to_client")
            )
        except asyncio.CancelledError:
            return  # the proxy closes: nobody waits for this connection
        finally:
            pair.abort()
            self.pairs.discard(pair)


class Pair:
    """A client's connection and the proxy's own to the server."""

    def __init__(self, proxy, fault, *writers):
        self.proxy, self.fault, self.writers = proxy, fault, writers
        self.passed = {"to_server": 0, "to_client": 0}
        self.is_swallowing = False

    def abort(self):
        for writer in self.writers:
            end = writer.get_extra_info("socket")
            if end is not None and end.fileno() >= 0:
                # Without lingering, closing is a reset.
                end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            writer.transport.abort()

    async def carry(self, reader, writer, direction):
        """One direction: what is read goes out after the latency, in order, until the fault's moment comes."""
        held = asyncio.Queue()
        sender = asyncio.ensure_future(self.send(held, writer, direction))
        try:
            while data := await reader.read(PIECE):
                await held.put((asyncio.get_running_loop().time() + self.proxy.latency, data))
        except OSError:
            self.abort()
        finally:
            held.put_nowait((0, b""))
            await sender

    async def send(self, held, writer, direction):
        try:
            while True:
                due, data = await held.get()
                if not data:
                    break
                await asyncio.sleep(max(0, due - asyncio.get_running_loop().time()))
                await self.proxy.flowing.wait()
                if not await self.write(data, writer, direction):
                    return
            if not self.is_swallowing and writer.can_write_eof():
                writer.write_eof()
        except (OSError, RuntimeError):
            self.abort()

    async def write(self, data, writer, direction):
        """Passes data on, up to the fault; whether the connection is still there."""
        if self.is_swallowing:
            return True
        limit = getattr(self.fault, direction)
        left = len(data) if limit is None else max(0, limit - self.passed[direction])
        part = data[:left]
        self.passed[direction] += len(part)
        setattr(self.proxy.count, direction, getattr(self.proxy.count, direction) + len(part))
        writer.write(part)
        await writer.drain()
        if len(part) == len(data):
            return True
        self.proxy.count.faults += 1
        if self.fault.swallows:
            self.is_swallowing = True
            return True
        self.abort()
        return False
