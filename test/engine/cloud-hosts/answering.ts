import type { Socket } from "node:net";
import { parse } from "yaml";
import { addressIn } from "../../../rig/cloud/addresses";
import { keyPair } from "../../../rig/cloud/keyPair";
import { type Cloud, FIRST_HOST } from "../../../rig/cloud/resources";
import { isInstance, publicAddressOf } from "../../../rig/cloud-provider/instance";
import { loopbackNetworks } from "../../../rig/cloud-provider/machines";
import { CloudRecord, type Entry } from "../../../rig/cloud-provider/record";
import { imageIn } from "../../../rig/cloud-provider/refusals";
import { isOpen, rulesOf } from "../../../rig/cloud-provider/rules";
import { userTexts } from "../../../rig/cloud-provider/userTexts";
import { healthyHost } from "../command-provider/healthy-host";
import { type Identity, listen, SSH_PORT, SshMachine } from "../command-provider/ssh-server";

/** Instances of a stand-in cloud that answer by SSH. */
export interface AnsweringInstances {
  /** What came to an instance, by the name of its resource. */
  sessionsOf(name: string): string[];
  /** Has somebody else answer at an instance's address from now on: the same user and keys, but another host key. */
  impersonate(name: string): void;
  close(): Promise<void>;
}

/** How many addresses of its cloud's public network are listened on: more than an example has instances at a time. */
const ADDRESSES = 6;

/**
 * Has the instances of a cloud answer: each by the host key, the user and the authorized keys that are in its own user data, and
 * only to whom the rules of its cloud let in at that moment. What runs on it is said, and not done (`healthyHost`).
 */
export async function answeringInstances(folder: string, cloud: Cloud): Promise<AnsweringInstances> {
  const record = new CloudRecord(folder, cloud);
  const machines = new Map<string, SshMachine>();
  const instances = () => Object.entries(record.content().resources).filter(([, { type }]) => isInstance(type));

  const machineOf = (id: string, instance: Entry) => {
    const machine = machines.get(id) ?? new SshMachine(identityOf(instance, record), healthyHost);
    machines.set(id, machine);
    return machine;
  };
  const named = (name: string) => {
    const found = instances().find(([, instance]) => instance.name === name);
    if (found === undefined) throw new Error(`there is no instance ${name}`);
    return { id: found[0], machine: machineOf(...found) };
  };
  const visited = (socket: Socket) => {
    const [id, instance] = instances().find(([, it]) => publicAddressOf(it) === socket.localAddress) ?? [];
    const visitor = { protocol: "tcp", port: SSH_PORT, address: String(socket.remoteAddress) } as const;
    if (id !== undefined && instance !== undefined && isOpen(rulesOf(instance, record.content().resources), visitor)) {
      machineOf(id, instance).welcome(socket);
    } else {
      socket.destroy();
    }
  };

  const addresses = Array.from({ length: ADDRESSES }, (_, n) =>
    addressIn(loopbackNetworks(folder)[cloud], FIRST_HOST + n),
  );
  const listeners = await Promise.all(addresses.map((address) => listen(address, SSH_PORT, visited)));
  return {
    sessionsOf: (name) => named(name).machine.sessions.map(({ command }) => command),
    impersonate: (name) => {
      const { id, machine } = named(name);
      machine.end();
      machines.set(id, new SshMachine({ ...machine.identity, hostKey: keyPair() }, healthyHost));
    },
    close: async () => {
      for (const machine of machines.values()) machine.end();
      await Promise.all(listeners.map((listener) => new Promise((closed) => listener.close(closed))));
    },
  };
}

/** What cloud-init makes of an instance. */
function identityOf(instance: Entry, record: CloudRecord): Identity {
  const isAmazon = instance.type.startsWith("aws:");
  const image = imageIn(instance.properties, record.released());
  const told = cloudConfigOf(userTexts(instance.properties).userData);
  const imageUser = isAmazon ? { name: image.user } : undefined;
  const { name, ssh_authorized_keys = told.ssh_authorized_keys } = told.users?.[0] ?? imageUser;
  const { ed25519_private: privateKey, ed25519_public: publicKey } = told.ssh_keys;
  return { hostKey: { privateKey, publicKey }, user: name, authorizedKeys: ssh_authorized_keys };
}

// biome-ignore lint/suspicious/noExplicitAny: cloud-init's own form
function cloudConfigOf(text: string): any {
  if (!text.startsWith("#cloud-config\n")) throw new Error("only an image with cloud-init is told who it is here");
  return parse(text, { version: "1.1" });
}
