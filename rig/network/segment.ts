import { createSocket, type Socket } from "node:dgram";
import { multicastGroup } from "../../vm/qemu";

const loopback = "127.0.0.1";

/** A private network of local machines, seen as one more machine on it: whole Ethernet frames. */
export interface Segment {
  send(frame: Buffer): void;
  close(): void;
}

/**
 * Joins the multicast group that carries a network's frames. What it sends itself, it does not get: QEMU's machines send
 * from the group's port, and this from a port of its own.
 */
export async function joinSegment(network: string, receive: (frame: Buffer) => void): Promise<Segment> {
  const { group, port } = multicastGroup(network);
  const sender = createSocket("udp4");
  await bound(sender, 0, loopback);
  sender.setMulticastInterface(loopback);
  const own = sender.address().port;
  const receiver = createSocket({ type: "udp4", reuseAddr: true });
  receiver.on("message", (frame, from) => {
    if (from.port !== own) receive(frame);
  });
  await bound(receiver, port, group);
  receiver.addMembership(group, loopback);
  return {
    send: (frame) => sender.send(frame, port, group),
    close: () => {
      sender.close();
      receiver.close();
    },
  };
}

function bound(socket: Socket, port: number, address: string): Promise<void> {
  return new Promise((resolve, reject) => {
    socket.once("error", reject);
    socket.bind(port, address, () => {
      socket.off("error", reject);
      resolve();
    });
  });
}
