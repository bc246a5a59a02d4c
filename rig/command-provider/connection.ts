/** From the `connection` input to an authenticated SSH client. */
import { once } from "node:events";
import { connect as connectTcp, type Socket } from "node:net";
import type { Duplex } from "node:stream";
import { type AnyAuthMethod, Client } from "ssh2";
import { recorded } from "./activity-log";
import { authMethods, hostKeyPin, offerOnce } from "./authentication";
import { withRetry } from "./retry";

/** `connection` and `connection.proxy`, in the clear and with defaults filled in. */
export interface Endpoint {
  readonly host: string;
  readonly user: string;
  readonly port: number;
  readonly password?: string;
  readonly privateKey?: string;
  readonly privateKeyPassword?: string;
  readonly agentSocketPath?: string;
  /** Failed dials that are tolerated; -1: any number. */
  readonly dialErrorLimit: number;
  /** Bounds the TCP connect, in seconds; 0: no bound. */
  readonly perDialTimeout: number;
  readonly hostKey?: string;
}

export interface Connection extends Endpoint {
  readonly proxy?: Endpoint;
}

/** What an operation is done for, and how it learns that the user gave up. */
export interface Operation {
  readonly urn: string;
  readonly cancelled: AbortSignal;
}

/**
 * Bounds key exchange and authentication. The real provider waits for ever for a server that accepts TCP and says nothing;
 * here that counts as one failed dial, because a test run that hangs explains nothing.
 */
const handshakeTimeoutSeconds = 60;

/** Runs `work` with a connected client (through the proxy if there is one) and closes every connection afterwards. */
export async function withClient<T>(
  connection: Connection,
  operation: Operation,
  work: (client: Client) => Promise<T>,
): Promise<T> {
  const { proxy } = connection;
  if (!proxy) {
    return use(await dial(connection, operation), work);
  }
  const bastion = await dial(proxy, operation, "Dial proxy").catch(prefixed("proxy"));
  return use(bastion, async () => {
    const login = await prepareLogin(connection);
    const retry = { what: "Dial from proxy", limit: connection.dialErrorLimit, ...operation };
    const stream = await withRetry(retry, () =>
      recordedDial(connection, operation, () => forward(bastion, connection)),
    ).catch(prefixed("proxy"));
    // A handshake that failed leaves the forwarded stream unusable, so there is nothing to retry.
    return use(await handshake(login, stream).catch(prefixed("proxy")), work);
  });
}

async function use<T>(client: Client, work: (client: Client) => Promise<T>): Promise<T> {
  try {
    return await work(client);
  } finally {
    client.end();
  }
}

interface Login {
  readonly endpoint: Endpoint;
  readonly methods: readonly AnyAuthMethod[];
  readonly pin: ReturnType<typeof hostKeyPin>;
}

/** Keys are parsed and the agent is reached before the first dial: a mistake in them is not worth a retry. */
async function prepareLogin(endpoint: Endpoint): Promise<Login> {
  return { endpoint, pin: hostKeyPin(endpoint.hostKey), methods: await authMethods(endpoint) };
}

/** Every failure is retried, also a refused login: a booting host refuses for a while. */
async function dial(endpoint: Endpoint, operation: Operation, what = "Dial"): Promise<Client> {
  const login = await prepareLogin(endpoint);
  return withRetry({ what, limit: endpoint.dialErrorLimit, ...operation }, () =>
    recordedDial(endpoint, operation, async () => handshake(login, await openTcp(endpoint))),
  );
}

function recordedDial<T>(endpoint: Endpoint, { urn }: Operation, work: () => Promise<T>): Promise<T> {
  return recorded({ event: "dial", urn, host: endpoint.host }, work);
}

async function openTcp({ host, port, perDialTimeout }: Endpoint): Promise<Socket> {
  const socket = connectTcp({ host, port, noDelay: true });
  const signal = perDialTimeout > 0 ? AbortSignal.timeout(perDialTimeout * 1000) : undefined;
  try {
    await once(socket, "connect", signal ? { signal } : {});
    return socket;
  } catch (error) {
    socket.destroy();
    const reason = signal?.aborted ? "i/o timeout" : (error as Error).message;
    throw new Error(`dial tcp ${host}:${port}: ${reason}`);
  }
}

async function forward(bastion: Client, { host, port }: Endpoint): Promise<Duplex> {
  return new Promise((resolve, reject) => {
    bastion.forwardOut("127.0.0.1", 0, host, port, (error, stream) => (error ? reject(error) : resolve(stream)));
  });
}

async function handshake({ endpoint, methods, pin }: Login, sock: Duplex): Promise<Client> {
  const client = new Client();
  // Without a listener a later loss of the connection would be an uncaught error; who uses the client sees its
  // channel close.
  client.on("error", () => undefined);
  const settled = Promise.race([once(client, "ready"), closedEarly(client)]);
  try {
    client.connect({
      sock,
      username: endpoint.user,
      authHandler: offerOnce(methods),
      readyTimeout: handshakeTimeoutSeconds * 1000,
      ...pin,
    });
    await settled;
    return client;
  } catch (error) {
    client.destroy();
    sock.destroy();
    const reason = (error as Error).message.replace("Host denied (verification failed)", "ssh: host key mismatch");
    throw new Error(`ssh: handshake failed: ${reason}`);
  }
}

async function closedEarly(client: Client): Promise<never> {
  await new Promise<void>((resolve) => client.once("close", () => resolve()));
  throw new Error("the server closed the connection");
}

function prefixed(prefix: string): (error: Error) => never {
  return (error) => {
    throw new Error(`${prefix}: ${error.message}`);
  };
}
