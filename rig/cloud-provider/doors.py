"""The public addresses of a stand-in cloud: each leads to a machine's port, and lets in whom the cloud's rules let in.

usage: doors.py DOORS -pidfile PID_FILE

DOORS is JSON and read again when it has changed: for each address the port that it answers at, where that leads, and the rules
of the machine, as network.py has them: {"127.78.0.10": {"port": 22, "leads": ["127.77.0.3", 22], "rules": [...]}}. Who is not
let in is shut out at once, where a cloud would not answer. Whoever is in stays in, as in a cloud, when the rules change.
"""

import asyncio
import json
import os
import socket
import sys
from types import SimpleNamespace

from network import Rule, lets_in

LOOK_SECONDS = 0.1


async def pump(reader, writer):
    try:
        data = await reader.read(65536)
        while data:
            writer.write(data)
            await writer.drain()
            data = await reader.read(65536)
    except OSError:
        pass
    finally:
        writer.close()


class Doors:
    def __init__(self, path):
        self.path, self.seen, self.wanted, self.servers = path, None, {}, {}

    def look(self):
        seen = os.stat(self.path).st_mtime_ns
        if seen != self.seen:
            with open(self.path) as file:
                self.wanted = json.load(file)
            self.seen = seen

    async def keep(self):
        self.look()
        for address in set(self.servers) - set(self.wanted):
            self.servers.pop(address).close()
        for address in set(self.wanted) - set(self.servers):
            try:
                self.servers[address] = await asyncio.start_server(self.welcome, address, self.wanted[address]["port"])
            except OSError:
                pass  # Somebody else has it yet.

    async def welcome(self, reader, writer):
        self.look()
        door = self.wanted.get(writer.get_extra_info("sockname")[0])
        if door is None or not is_open(door, writer.get_extra_info("peername")[0]):
            writer.transport.abort()
            return
        try:
            inside, to_inside = await asyncio.open_connection(*door["leads"])
        except OSError:
            writer.transport.abort()
            return
        await asyncio.gather(pump(reader, to_inside), pump(inside, writer))


def is_open(door, visitor):
    packet = SimpleNamespace(protocol="tcp", to=door["port"], source=socket.inet_aton(visitor))
    return lets_in([Rule(rule) for rule in door["rules"]], packet)


async def main(doors_file, _, pid_file):
    doors = Doors(doors_file)
    await doors.keep()
    with open(pid_file, "w") as file:
        file.write(str(os.getpid()))
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        await doors.keep()


asyncio.run(main(*sys.argv[1:]))
