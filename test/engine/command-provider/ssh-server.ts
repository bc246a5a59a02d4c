/** An SSH server inside the test process: commands run in a real shell, files land in a temporary home. */
import { spawn } from "node:child_process";
import { closeSync, mkdirSync, mkdtempSync, openSync, rmSync, type Stats, statSync, writeSync } from "node:fs";
import { type AddressInfo, connect, createServer, type Server as Listener, type Socket } from "node:net";
import { constants, tmpdir } from "node:os";
import { join, resolve } from "node:path";
import {
  type AuthContext,
  type Connection,
  type PublicKeyAuthContext,
  Server,
  type ServerChannel,
  type Session,
  type SFTPWrapper,
  utils,
} from "ssh2";
import { type Keys, keyPair } from "../../../rig/cloud/keyPair";

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
  /** How many have logged in so far. */
  readonly logins: number;
  /** Where it has led others to, as a bastion. */
  readonly forwards: string[];
  /** Cuts every connection without a word, like a host that loses power. */
  cut(): void;
  close(): Promise<void>;
}

export const password = "correct horse";

/** Answers a command in a shell's stead. */
export type Answer = (command: string, stdin: string) => string | Promise<string>;

export const SSH_PORT = 22;

/** Who a machine is, and whom it lets in. */
export interface Identity {
  hostKey: Keys;
  /** Absent: by any name. */
  user?: string;
  /** Lines of authorized_keys. */
  authorizedKeys: readonly string[];
  /** Absent: by a key only. */
  password?: string;
}

/** A machine that is reached by SSH, through whatever port: it serves the sockets that it is given. */
export class SshMachine {
  readonly home = mkdtempSync(join(tmpdir(), "timebase-ssh-"));
  readonly sessions: SshServer["sessions"] = [];
  readonly forwards: SshServer["forwards"] = [];
  logins = 0;
  private readonly connections = new Set<Connection>();
  private readonly server: Server;

  /** @param answer what commands print; without it they run in a real shell. */
  constructor(
    readonly identity: Identity,
    private readonly answer?: Answer,
  ) {
    const hostKeys = [identity.hostKey.privateKey];
    this.server = new Server({ hostKeys }, (connection) => this.serve(connection));
  }

  welcome(socket: Socket): void {
    this.server.injectSocket(socket);
  }

  /** Cuts every connection without a word, like a host that loses power. */
  cut(): void {
    for (const connection of this.connections) {
      (connection as unknown as { _sock: { destroy(): void } })._sock.destroy();
    }
  }

  end(): void {
    this.cut();
    rmSync(this.home, { recursive: true });
  }

  private serve(connection: Connection): void {
    this.connections.add(connection);
    connection.on("close", () => this.connections.delete(connection));
    connection.on("error", () => undefined);
    connection.on("ready", () => this.logins++);
    connection.on("authentication", (context) => authenticate(context, this.identity));
    connection.on("session", (accept) => serveSession(accept(), this.home, this.sessions, this.answer));
    connection.on("tcpip", (accept, reject, { destIP, destPort }) => {
      this.forwards.push(`${destIP}:${destPort}`);
      const target = connect(destPort, destIP);
      target.on("error", () => reject?.());
      target.on("connect", () => {
        const channel = accept();
        channel.on("error", () => undefined);
        target.pipe(channel).pipe(target);
      });
    });
  }
}

/** What a server has not by itself. */
interface Given {
  address?: string;
  user?: string;
  hostKey?: Keys;
  /** The key that logs in. */
  login?: Keys;
  /** Whether its sshd runs already. */
  isUp?: () => boolean;
}

/** A machine on an address of loopback, whose keys are its own unless they are given. */
export async function startSshServer(
  port = 0,
  answer?: Answer,
  { address = "127.0.0.1", user, hostKey = keyPair(), login = keyPair(), isUp = () => true }: Given = {},
): Promise<SshServer> {
  const machine = new SshMachine({ hostKey, user, authorizedKeys: [login.publicKey], password }, answer);
  const listener = await listen(address, port, (socket) => (isUp() ? machine.welcome(socket) : socket.destroy()));
  return {
    port: (listener.address() as AddressInfo).port,
    home: machine.home,
    hostKey: hostKey.publicKey,
    privateKey: login.privateKey,
    sessions: machine.sessions,
    get logins() {
      return machine.logins;
    },
    forwards: machine.forwards,
    cut: () => machine.cut(),
    close: async () => {
      machine.end();
      await new Promise<void>((closed) => listener.close(() => closed()));
    },
  };
}

/** @param visited gets whoever comes to the port. */
export async function listen(address: string, port: number, visited: (socket: Socket) => void): Promise<Listener> {
  const listener = createServer(visited);
  await new Promise<void>((listening, failed) => {
    listener.once("error", failed).listen(port, address, listening);
  });
  return listener;
}

function authenticate(context: AuthContext, { user = context.username, authorizedKeys, password }: Identity): void {
  const isRight =
    context.method === "publickey"
      ? authorizedKeys.some((line) => isHolderOf(line, context))
      : context.method === "password" && password !== undefined && context.password === password;
  if (isRight && context.username === user) context.accept();
  else context.reject(["publickey", ...(password === undefined ? [] : (["password"] as const))]);
}

/** A client asks with its key first, and signs once that is welcome. */
function isHolderOf(line: string, { key, signature, blob, hashAlgo }: PublicKeyAuthContext): boolean {
  const authorized = utils.parseKey(line);
  if (authorized instanceof Error || !key.data.equals(authorized.getPublicSSH())) return false;
  return signature === undefined || authorized.verify(blob as Buffer, signature, hashAlgo) === true;
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

function sendAnswer(channel: ServerChannel, answer: (stdin: string) => string | Promise<string>): void {
  let stdin = "";
  channel.on("data", (data: Buffer) => (stdin += data));
  channel.on("end", async () => {
    channel.write(await answer(stdin));
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
