/** How a client proves who it is, and how it knows the server. */
import { once } from "node:events";
import { connect } from "node:net";
import { type AnyAuthMethod, type AuthHandlerMiddleware, type ConnectConfig, type ParsedKey, utils } from "ssh2";
import type { Endpoint } from "./connection";

/**
 * The methods to offer, in the real provider's order: key, password, keyboard-interactive, agent. That provider tries each
 * SSH method once, so an agent's keys are never offered after a private key was refused.
 */
export async function authMethods(endpoint: Endpoint): Promise<AnyAuthMethod[]> {
  const { user: username, password, privateKey, privateKeyPassword } = endpoint;
  const agent = endpoint.agentSocketPath ?? (process.env.SSH_AUTH_SOCK || undefined);
  if (agent !== undefined) {
    await assertAgentListens(agent);
  }

  const methods: AnyAuthMethod[] = [{ type: "none", username }];
  if (privateKey !== undefined) {
    methods.push({ type: "publickey", username, key: parsePrivateKey(privateKey, privateKeyPassword) });
  }
  if (password !== undefined) {
    methods.push({ type: "password", username, password });
    methods.push({
      type: "keyboard-interactive",
      username,
      prompt: (_name, _instructions, _language, prompts, finish) => finish(prompts.map(() => password)),
    });
  }
  if (agent !== undefined && privateKey === undefined) {
    methods.push({ type: "agent", username, agent });
  }
  return methods;
}

/** Offers each method once, and only when the server takes it: a server counts refused methods as failed logins. */
export function offerOnce(methods: readonly AnyAuthMethod[]): AuthHandlerMiddleware {
  const untried = [...methods];
  return (accepted, _partialSuccess, next) => {
    // ssh2 passes null before the server has said what it accepts; the type does not know.
    const acceptedNames = (accepted as string[] | null) ?? ["none"];
    const index = untried.findIndex(({ type }) => acceptedNames.includes(type === "agent" ? "publickey" : type));
    const [method] = index < 0 ? [] : untried.splice(index, 1);
    next(method ?? (false as never));
  };
}

/**
 * Accepts only the pinned key, given as one authorized_keys line, and asks the server for that type of key. Without a pin
 * any server is accepted, as the real provider does.
 */
export function hostKeyPin(hostKey: string | undefined): Pick<ConnectConfig, "algorithms" | "hostVerifier"> {
  if (hostKey === undefined) {
    return {};
  }
  const pinned = parsedKey(firstKeyLine(hostKey), "failed to parse host key");
  return {
    algorithms: { serverHostKey: [pinned.type as "ssh-ed25519"] },
    hostVerifier: (offered: Buffer) => offered.equals(pinned.getPublicSSH()),
  };
}

/** A pin copied from a file may bring comment lines along. */
function firstKeyLine(authorizedKeys: string): string {
  return authorizedKeys.split("\n").find((line) => line.trim() !== "" && !line.startsWith("#")) ?? "";
}

function parsePrivateKey(privateKey: string, passphrase: string | undefined): ParsedKey {
  const key = parsedKey(privateKey, "failed to parse private key", passphrase);
  if (!key.isPrivateKey()) {
    throw new Error("failed to parse private key: it is a public key");
  }
  return key;
}

/** The message of a failure names the reason that the parser gives, which never holds key material. */
function parsedKey(text: string, failure: string, passphrase?: string): ParsedKey {
  const key = utils.parseKey(text, passphrase);
  if (key instanceof Error) {
    throw new Error(`${failure}: ${key.message}`);
  }
  return key;
}

/** A stale SSH_AUTH_SOCK fails the command at once, even if a private key is given: so does the real provider. */
async function assertAgentListens(socketPath: string): Promise<void> {
  const socket = connect(socketPath);
  try {
    await once(socket, "connect");
  } catch (error) {
    throw new Error(
      `cannot reach the SSH agent at ${socketPath} (agentSocketPath or SSH_AUTH_SOCK): ${(error as Error).message}`,
    );
  } finally {
    socket.destroy();
  }
}
