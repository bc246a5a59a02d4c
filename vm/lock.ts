import { createHash } from "node:crypto";
import { connect, createServer, type Server } from "node:net";
import { interrupted } from "./interruption";
import { say } from "./progress";
import { Trouble } from "./trouble";

/**
 * Runs `work` while no other process runs something under the same lock.
 *
 * The lock is a Unix socket in Linux's abstract namespace: it has no file that could be left behind, and the kernel
 * releases it when its owner dies, however it dies, so a stale lock cannot exist. Who waits is connected to the
 * owner: the connection breaks when the lock is free.
 *
 * @param what names the lock: an absolute path, so that users with folders of their own do not meet
 */
export async function withLock<T>(what: string, work: () => Promise<T>): Promise<T> {
  const server = await acquire(lockAddress(what), what);
  try {
    return await work();
  } finally {
    server.release();
  }
}

interface Lock {
  release(): void;
}

function lockAddress(what: string): string {
  return `\0timebase-${createHash("sha256").update(what).digest("hex").slice(0, 32)}`;
}

async function acquire(address: string, what: string): Promise<Lock> {
  let announced = "";
  for (;;) {
    const lock = await listen(address);
    if (lock !== undefined) return lock;
    if (interrupted.aborted) throw new Trouble("interrupted while it waited", what, "run it again");
    await ownerGone(address, (owner) => {
      if (owner !== announced) say(`waiting for process ${owner}, which is at work on ${what} ...`);
      announced = owner;
    });
  }
}

function listen(address: string): Promise<Lock | undefined> {
  return new Promise((resolve, reject) => {
    const waiting = new Set<{ destroy(): void }>();
    const server: Server = createServer((waiter) => {
      waiting.add(waiter);
      waiter.on("error", () => waiter.destroy()).on("close", () => waiting.delete(waiter));
      waiter.write(String(process.pid));
    });
    server.once("error", (error: NodeJS.ErrnoException) => {
      if (error.code === "EADDRINUSE") resolve(undefined);
      else reject(error);
    });
    server.listen(address, () => {
      resolve({
        release() {
          server.close();
          for (const waiter of waiting) waiter.destroy();
        },
      });
    });
  });
}

/** Resolves when the owner's end of the connection is gone: then the lock is worth another try. */
function ownerGone(address: string, onOwner: (pid: string) => void): Promise<void> {
  return new Promise((resolve) => {
    connect({ path: address, signal: interrupted })
      .setEncoding("utf8")
      .on("data", (pid) => onOwner(String(pid)))
      .on("error", () => {})
      .on("close", () => resolve());
  });
}
