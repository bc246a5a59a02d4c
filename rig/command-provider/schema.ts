/** What each resource of the command provider accepts, as tables. */
import type { Property, Shape } from "../plugin/shape";

const logging: Property = { kind: "string", oneOf: ["stdout", "stderr", "stdoutAndStderr", "none"] };

const endpoint: Shape = {
  host: { kind: "string", required: true },
  user: { kind: "string", default: "root" },
  port: { kind: "number", default: 22 },
  password: { kind: "string" },
  privateKey: { kind: "string" },
  privateKeyPassword: { kind: "string" },
  agentSocketPath: { kind: "string" },
  dialErrorLimit: { kind: "integer", default: 10 },
  perDialTimeout: { kind: "integer", default: 15 },
  hostKey: { kind: "string" },
};

const connection: Property = { kind: { ...endpoint, proxy: { kind: endpoint } }, required: true };

const command: Shape = {
  create: { kind: "string" },
  update: { kind: "string" },
  delete: { kind: "string" },
  triggers: { kind: "anything", many: "list" },
  stdin: { kind: "string" },
  logging,
  addPreviousOutputInEnv: { kind: "boolean" },
};

/** Inputs of every resource type, by the last two parts of its token. */
export const resourceInputs: Readonly<Record<string, Shape>> = {
  "command:remote:Command": {
    ...command,
    connection,
    environment: {
      kind: "string",
      many: "map",
      refused:
        "the stand-in cannot tell whether sshd took a variable (AcceptEnv), which the real provider insists on: " +
        "put variables in the command or on stdin",
    },
  },
  "command:remote:CopyToRemote": {
    connection,
    source: { kind: "asset or archive", required: true },
    remotePath: { kind: "string", required: true },
    triggers: { kind: "anything", many: "list" },
  },
  "command:local:Command": {
    ...command,
    interpreter: { kind: "string", many: "list" },
    dir: { kind: "string" },
    environment: { kind: "string", many: "map" },
    assetPaths: { kind: "string", many: "list", refused: "the stand-in does not collect files" },
    archivePaths: { kind: "string", many: "list", refused: "the stand-in does not collect files" },
  },
};
