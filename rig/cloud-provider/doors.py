"""The public addresses of a stand-in cloud: each leads to a machine's port, and lets in whom the cloud's rules let in.

usage: doors.py DOORS TOLD -pidfile PID_FILE

DOORS is JSON and read again when it has changed: for each address the port that it answers at, where that leads, and the rules
of the machine, as network.py has them: {"127.78.0.10": {"port": 22, "leads": ["127.77.0.3", 22], "rules": [...]}}. Who is not
let in is shut out at once, where a cloud would not answer. Whoever is in stays in, as in a cloud, when the rules change.

TOLD gets what has become of each: {"127.78.0.10": ""}, or why it is not open. It is tried again until it is.
"""

import asyncio
import json
import os
import socket
import sys
from types import SimpleNamespace

from network import Rule, lets_in, version_of

LOOK_SECONDS = 0.1


async def pump(reader, writer):
    """One way, to its end: what goes the other way is not over yet."""
    while data := await reader.read(65536):
        writer.write(data)
        await writer.drain()
    writer.write_eof()


class Doors:
    def __init__(self, path, told_path):
        self.path, self.seen, self.wanted, self.servers = path, None, {}, {}
        self.told_path, self.told = told_path, None

    def look(self):
        seen = version_of(self.path)
        if seen != self.seen:
            with open(self.path) as file:
                self.wanted = json.load(file)
            self.seen = seen

    async def keep(self):
        self.look()
        for address in set(self.servers) - set(self.wanted):
            self.servers.pop(address).close()
        self.tell({address: await self.opened(address, door["port"]) for address, door in self.wanted.items()})

    async def opened(self, address, port):
        """Why it is not; nothing if it is."""
        if address not in self.servers:
            try:
                self.servers[address] = await asyncio.start_server(self.welcome, address, port)
            except OSError as error:
                return str(error)
        return ""

    def tell(self, told):
        if told != self.told:
            draft = self.told_path + ".draft"
            with open(draft, "w") as file:
                json.dump(told, file)
            os.replace(draft, self.told_path)
            self.told = told

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
        try:
            await asyncio.gather(pump(reader, to_inside), pump(inside, writer))
        except OSError:
            pass  # One of both is gone.
        finally:
            to_inside.close()
            writer.close()


def is_open(door, visitor):
    packet = SimpleNamespace(protocol="tcp", to=door["port"], source=socket.inet_aton(visitor))
    return lets_in([Rule(rule) for rule in door["rules"]], packet)


async def main(doors_file, told_file, _, pid_file):
    doors = Doors(doors_file, told_file)
    await doors.keep()
    with open(pid_file, "w") as file:
        file.write(str(os.getpid()))
    while True:
        await asyncio.sleep(LOOK_SECONDS)
        await doors.keep()


asyncio.run(main(*sys.argv[1:]))
