import { connect } from "node:net";
import { setTimeout as sleep } from "node:timers/promises";
import type { SshAddress } from "./address";
import { interrupted } from "./interruption";

const attemptMillis = 10_000;
const pauseMillis = 500;

/**
 * Waits until sshd sends its banner. An accepted connection is no sign of life: QEMU accepts it long before the machine
 * listens. Returns whether the banner came; gives up at the limit, or when `isAlive` says that waiting is in vain,
 * or at an interruption.
 */
export async function bannerComes(at: SshAddress, limitMillis: number, isAlive: () => boolean): Promise<boolean> {
  const end = performance.now() + limitMillis;
  while (performance.now() < end && isAlive() && !interrupted.aborted) {
    if (await sendsBanner(at)) return true;
    await sleep(pauseMillis);
  }
  return false;
}

function sendsBanner(at: SshAddress): Promise<boolean> {
  return new Promise((resolve) => {
    let received = "";
    const socket = connect({ host: at.address, port: at.port, signal: interrupted })
      .setEncoding("utf8")
      .setTimeout(attemptMillis);
    socket.on("data", (text) => {
      received += String(text);
      if (received.length >= 4) socket.end();
    });
    socket.on("timeout", () => socket.destroy());
    socket.on("error", () => {});
    socket.on("close", () => resolve(received.startsWith("SSH-")));
  });
}
