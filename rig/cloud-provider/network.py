"""The private network of a stand-in cloud: a switch that keeps the cloud's rules, and the cloud's time service.

usage: network.py RULES PORT_FILE -pidfile PID_FILE

It is where the machines' QEMUs send their frames, each as a datagram to a port of the loopback interface, which PORT_FILE
gets. Between machines it carries ARP, and IPv4 to an address of RULES if a rule lets it in, or if it answers what has passed
the other way. RULES is JSON and read again when it has changed: for each address its rules, of which the first that fits
decides: {"lets": true, "protocol": "udp", "ports": [123, 123], "from": ["10.0.0.0/24"]}; without one nothing comes in.

ARP and NTP (RFC 5905) for the addresses of Amazon's and of Google's time service are answered with this machine's clock.
"""

import ipaddress
import json
import os
import socket
import struct
import sys
import time

TIME_SERVICES = {socket.inet_aton(a) for a in ("169.254.169.123", "169.254.169.254")}
NTP_PORT, NTP_EPOCH = 123, 2208988800
ARP, IPV4 = b"\x08\x06", b"\x08\x00"
PROTOCOLS = {1: "icmp", 6: "tcp", 17: "udp"}
FLOW_SECONDS = 600


def hardware(address):
    return b"\x02\x00" + address


def arp_answer(frame):
    if frame[20:22] != b"\x00\x01" or frame[38:42] not in TIME_SERVICES:
        return None
    ours = hardware(frame[38:42])
    return frame[22:28] + ours + frame[12:20] + b"\x00\x02" + ours + frame[38:42] + frame[22:32]


def stamp(nanoseconds):
    seconds, rest = divmod(nanoseconds, 10**9)
    return struct.pack("!II", (seconds + NTP_EPOCH) % 2**32, rest * 2**32 // 10**9)


def checksum(header):
    total = sum(struct.unpack("!%dH" % (len(header) // 2), header))
    total = (total & 0xFFFF) + (total >> 16)
    return ~(total + (total >> 16)) & 0xFFFF


def time_answer(frame, packet, received):
    request = packet.payload[8:56]
    if packet.protocol != "udp" or packet.to != NTP_PORT or len(request) < 48 or request[0] & 7 != 3:
        return None
    # Of stratum 1, with a precision of a microsecond; this machine's own error is not known.
    head = struct.pack("!BBbbII4s", request[0] & 0x38 | 4, 1, request[2], -20, 0, 1, b"RIG\0")
    reply = head + stamp(received) + request[40:48] + stamp(received) + stamp(time.time_ns())
    udp = struct.pack("!HHHH", NTP_PORT, packet.came_from, 8 + len(reply), 0) + reply  # checksum 0: none (RFC 768)
    ip = struct.pack("!BBHHHBBH", 0x45, 0, 20 + len(udp), 0, 0, 64, socket.IPPROTO_UDP, 0) + packet.target + packet.source
    ip = ip[:10] + struct.pack("!H", checksum(ip)) + ip[12:]
    return frame[6:12] + hardware(packet.target) + IPV4 + ip + udp


class Packet:
    """IPv4 in a frame. Of a later fragment nobody knows the ports: they are none, and no rule fits."""

    def __init__(self, frame):
        length = (frame[14] & 15) * 4
        self.payload = frame[14 + length :]
        self.protocol = PROTOCOLS.get(frame[23])
        self.source, self.target = frame[26:30], frame[30:34]
        self.came_from = self.to = None
        if not struct.unpack("!H", frame[20:22])[0] & 0x1FFF and len(self.payload) >= 4:
            self.came_from, self.to = (0, 0) if self.protocol == "icmp" else struct.unpack("!HH", self.payload[:4])

    def flow(self):
        return (self.protocol, self.source, self.came_from, self.target, self.to)

    def answered_flow(self):
        return (self.protocol, self.target, self.to, self.source, self.came_from)


def version_of(path):
    """Differs for a file that another one has replaced, also where both were written within a tick of the clock."""
    found = os.stat(path)
    return (found.st_mtime_ns, found.st_ino)


class Rules:
    def __init__(self, path):
        self.path, self.seen, self.by_address = path, None, {}

    def of(self, address):
        seen = version_of(self.path)
        if seen != self.seen:
            with open(self.path) as file:
                known = json.load(file)
            self.seen = seen
            self.by_address = {socket.inet_aton(key): [Rule(rule) for rule in rules] for key, rules in known.items()}
        return self.by_address.get(address, [])

    def let_in(self, packet):
        return lets_in(self.of(packet.target), packet)


def lets_in(rules, packet):
    """Of rules, the first that fits decides."""
    return next((rule.lets for rule in rules if rule.fits(packet)), False)


class Rule:
    def __init__(self, rule):
        self.lets, self.protocol, self.ports = rule["lets"], rule["protocol"], rule["ports"]
        self.networks = [ipaddress.ip_network(network, strict=False) for network in rule["from"]]

    def fits(self, packet):
        if self.protocol not in ("all", packet.protocol) or packet.to is None:
            return False
        if packet.protocol != "icmp" and not self.ports[0] <= packet.to <= self.ports[1]:
            return False
        source = ipaddress.ip_address(packet.source)
        return any(source in network for network in self.networks)


class Switch:
    def __init__(self, rules):
        self.rules, self.machines, self.flows = rules, {}, {}

    def handle(self, frame, sender, received):
        """What is to be sent to whom."""
        if len(frame) < 42:
            return []
        self.machines[frame[6:12]] = sender
        others = [at for card, at in self.machines.items() if card != frame[6:12] and (frame[0] & 1 or card == frame[:6])]
        if frame[12:14] == ARP:
            answer = arp_answer(frame)
            return [(answer, sender)] if answer else [(frame, at) for at in others]
        if frame[12:14] != IPV4:
            return []
        packet = Packet(frame)
        if packet.target in TIME_SERVICES:
            answer = time_answer(frame, packet, received)
            return [(answer, sender)] if answer else []
        return [(frame, at) for at in others] if self.passes(packet, received / 1e9) else []

    def passes(self, packet, now):
        answers = self.flows.get(packet.answered_flow(), 0) > now - FLOW_SECONDS
        if not answers and not self.rules.let_in(packet):
            return False
        self.flows[packet.flow()] = now
        return True


def main(rules, port_file, _, pid_file):
    network = socket.socket(socket.AF_INET, socket.SOCK_DGRAM)
    network.bind(("127.0.0.1", 0))
    for path, number in ((port_file, network.getsockname()[1]), (pid_file, os.getpid())):
        with open(path, "w") as file:
            file.write(str(number))
    switch = Switch(Rules(rules))
    while True:
        frame, sender = network.recvfrom(65536)
        for answer, at in switch.handle(frame, sender, time.time_ns()):
            network.sendto(answer, at)


if __name__ == "__main__":
    main(*sys.argv[1:])
