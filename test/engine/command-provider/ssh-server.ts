/** An SSH server inside the test process: commands run in a real shell, files land in a temporary home. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, type Stats, statSync, writeSync } from "node:fs";
import { type AddressInfo, connect } from "node:net";
import { constants, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  type AuthContext,
  type Connection,
  Server,
  type ServerChannel,
  type Session,
  type SFTPWrapper,
  utils,
} from "ssh2";
import { keyPair } from "../../../rig/cloud/keyPair";

export interface SshServer {
  readonly port: number;
  /** Commands run here, and relative remote paths start here. */
  readonly home: string;
  /** The server's public key as one authorized_keys line. */
  readonly hostKey: string;
  /** The key that logs in as any user; the password is `password`. */
  readonly privateKey: string;
  /** Sessions so far. */
  readonly sessions: { command: string; env: Record<string, string> }[];
  /** Cuts every connection without a word, like a host that loses power. */
  cut(): void;
  close(): Promise<void>;
}

export const password = "correct horse";

/** Answers a command in a shell's stead. */
export type Answer = (command: string, stdin: string) => string;

/** @param answer what commands print; without it they run in a real shell. */
export async function startSshServer(port = 0, answer?: Answer): Promise<SshServer> {
  const hostKey = keyPair();
  const userKey = keyPair();
  const home = mkdtempSync(join(tmpdir(), "timebase-ssh-"));
  const sessions: SshServer["sessions"] = [];
  const connections = new Set<Connection>();

  const server = new Server({ hostKeys: [hostKey.privateKey] }, (connection) => {
    connections.add(connection);
    connection.on("close", () => connections.delete(connection));
    connection.on("error", () => undefined);
    connection.on("authentication", (context) => authenticate(context, userKey.publicKey));
    connection.on("session", (accept) => serveSession(accept(), home, sessions, answer));
    connection.on("tcpip", (accept, reject, { destIP, destPort }) => {
      const target = connect(destPort, destIP);
      target.on("error", () => reject?.());
      target.on("connect", () => {
        const channel = accept();
        channel.on("error", () => undefined);
        target.pipe(channel).pipe(target);
      });
    });
  });
  await new Promise<void>((listening) => server.listen(port, "127.0.0.1", listening));

  const cut = () => {
    for (const connection of connections) {
      (connection as unknown as { _sock: { destroy(): void } })._sock.destroy();
    }
  };
  return {
    port: (server.address() as AddressInfo).port,
    home,
    hostKey: hostKey.publicKey,
    privateKey: userKey.privateKey,
    sessions,
    cut,
    close: async () => {
      cut();
      await new Promise<void>((closed) => server.close(() => closed()));
      rmSync(home, { recursive: true });
    },
  };
}

function authenticate(context: AuthContext, authorizedKey: string): void {
  const authorized = utils.parseKey(authorizedKey);
  if (context.method === "password" && context.password === password) {
    context.accept();
  } else if (
    context.method === "publickey" &&
    !(authorized instanceof Error) &&
    context.key.data.equals(authorized.getPublicSSH())
  ) {
    context.accept();
  } else {
    context.reject(["publickey", "password"]);
  }
}

function serveSession(session: Session, home: string, sessions: SshServer["sessions"], answer?: Answer): void {
  const env: Record<string, string> = {};
  session.on("env", (accept, _reject, { key, val }) => {
    env[key] = val;
    accept?.();
  });
  session.on("exec", (accept, _reject, { command }) => {
    sessions.push({ command, env: { ...env } });
    if (answer === undefined) runInShell(accept(), command, home, env);
    else sendAnswer(accept(), (stdin) => answer(command, stdin));
  });
  session.on("sftp", (accept) => {
    const sftp = accept();
    // The real provider's client waits until the server closes the channel, too.
    session.on("end", () => sftp.end());
    serveFiles(sftp, home);
  });
}

function sendAnswer(channel: ServerChannel, answer: (stdin: string) => string): void {
  let stdin = "";
  channel.on("data", (data: Buffer) => (stdin += data));
  channel.on("end", () => {
    channel.write(answer(stdin));
    channel.exit(0);
    channel.end();
  });
}

function runInShell(channel: ServerChannel, command: string, cwd: string, env: Record<string, string>): void {
  const child = spawn("/bin/sh", ["-c", command], { cwd, env: { ...process.env, ...env } });
  channel.pipe(child.stdin);
  child.stdin.on("error", () => undefined);
  channel.on("error", () => undefined);
  child.stdout.pipe(channel, { end: false });
  child.stderr.pipe(channel.stderr, { end: false });
  child.on("close", (status, signal) => {
    if (signal) {
      channel.exit(signal.replace("SIG", ""), false, "");
    } else {
      channel.exit(status ?? 0);
    }
    channel.end();
  });
}

const { STATUS_CODE } = utils.sftp;

/** The part of SFTP that a copy needs. */
function serveFiles(sftp: SFTPWrapper, home: string): void {
  const path = (remotePath: string) => resolve(home, remotePath);
  const answer = (id: number, work: () => void) => {
    try {
      work();
    } catch (error) {
      const missing = (error as NodeJS.ErrnoException).errno === -constants.errno.ENOENT;
      sftp.status(id, missing ? STATUS_CODE.NO_SUCH_FILE : STATUS_CODE.FAILURE, (error as Error).message);
    }
  };
  const attributes = ({ mode, uid, gid, size, atimeMs, mtimeMs }: Stats) => ({
    mode,
    uid,
    gid,
    size,
    atime: Math.floor(atimeMs / 1000),
    mtime: Math.floor(mtimeMs / 1000),
  });
  const sendStat = (id: number, remotePath: string) =>
    answer(id, () => sftp.attrs(id, attributes(statSync(path(remotePath)))));

  sftp.on("STAT", sendStat);
  sftp.on("LSTAT", sendStat);
  sftp.on("MKDIR", (id, remotePath) =>
    answer(id, () => {
      mkdirSync(path(remotePath));
      sftp.status(id, STATUS_CODE.OK);
    }),
  );
  sftp.on("OPEN", (id, remotePath) =>
    answer(id, () => {
      const handle = Buffer.alloc(4);
      handle.writeUInt32BE(openSync(path(remotePath), "w"));
      sftp.handle(id, handle);
    }),
  );
  sftp.on("WRITE", (id, handle, offset, data) =>
    answer(id, () => {
      writeSync(handle.readUInt32BE(), data, 0, data.length, offset);
      sftp.status(id, STATUS_CODE.OK);
    }),
  );
  sftp.on("CLOSE", (id, handle) =>
    answer(id, () => {
      closeSync(handle.readUInt32BE());
      sftp.status(id, STATUS_CODE.OK);
    }),
  );
}
