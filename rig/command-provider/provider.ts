/** The stand-in's answers to the engine: which resource there is, what a change means, what create, update, delete do. */
import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { provider } from "@pulumi/pulumi";
import { isPropertyMap, type PropertyMap, reveal, secret } from "../plugin/property-values";
import { checkInputs, type Shape, withDefaults } from "../plugin/shape";
import { partsOf } from "../plugin/urn";
import type { Operation } from "./connection";
import { type Copy, copyToRemote, needsCopy } from "./copy-to-remote";
import { type LocalCommand, runLocal } from "./local-command";
import { type Outputs, type RemoteCommand, runRemote } from "./remote-command";
import { resourceInputs } from "./schema";

/** The release of the real provider whose behaviour is mimicked. */
export const mimickedVersion = "1.2.1";

/** Inputs and outputs in the clear. */
type Revealed = PropertyMap;

/** What a resource type does. Each result is what the resource has in addition to its inputs. */
interface Resource {
  create(inputs: Revealed, operation: Operation): Promise<PropertyMap>;
  update(state: Revealed, inputs: Revealed, operation: Operation): Promise<PropertyMap>;
  delete(state: Revealed, operation: Operation): Promise<void>;
}

type Run = (command: string, inputs: Revealed, previous: Outputs, operation: Operation) => Promise<Outputs>;

const noOutputs: Outputs = { stdout: "", stderr: "" };

/** A command that is not given is not run, and leaves the outputs as they are. */
function commandResource(run: Run): Resource {
  const runIfGiven = async (command: unknown, inputs: Revealed, previous: Outputs, operation: Operation) =>
    typeof command === "string" ? run(command, inputs, previous, operation) : previous;
  return {
    create: async (inputs, operation) => ({
      ...(await runIfGiven(inputs.create, inputs, noOutputs, operation)),
    }),
    update: async (state, inputs, operation) => ({
      ...(await runIfGiven(inputs.update ?? inputs.create, inputs, outputsOf(state), operation)),
    }),
    delete: async (state, operation) => {
      await runIfGiven(state.delete, state, outputsOf(state), operation);
    },
  };
}

function outputsOf(state: Revealed): Outputs {
  return { stdout: String(state.stdout ?? ""), stderr: String(state.stderr ?? "") };
}

const resources: Readonly<Record<string, Resource>> = {
  "command:remote:Command": commandResource((command, inputs, previous, operation) =>
    runRemote(command, inputs as unknown as RemoteCommand, previous, operation),
  ),
  "command:local:Command": commandResource((command, inputs, previous, operation) =>
    runLocal(command, inputs as LocalCommand, previous, operation),
  ),
  "command:remote:CopyToRemote": {
    create: async (inputs, operation) => {
      await copyToRemote(inputs as unknown as Copy, operation);
      return {};
    },
    update: async (state, inputs, operation) => {
      const copy = inputs as unknown as Copy;
      if (needsCopy(state as unknown as Copy, copy)) {
        await copyToRemote(copy, operation);
      }
      return {};
    },
    delete: async () => undefined,
  },
};

/** The engine never asks for a create or update in a preview, because the server does not claim to support previews. */
export class CommandProvider implements provider.Provider {
  public readonly version = mimickedVersion;
  private readonly cancellation = new AbortController();

  public async cancel(): Promise<void> {
    this.cancellation.abort();
  }

  public async check(urn: string, _olds: PropertyMap, news: PropertyMap): Promise<provider.CheckResult> {
    const shape = shapeOf(urn);
    const revealed = reveal(news) as PropertyMap;
    const failures = checkInputs(shape, revealed);
    return { failures, inputs: failures.length > 0 ? news : sealed(shape, news) };
  }

  public async diff(_id: string, urn: string, olds: PropertyMap, news: PropertyMap): Promise<provider.DiffResult> {
    const names = Object.keys(shapeOf(urn));
    const [before, after] = [reveal(olds) as PropertyMap, reveal(news) as PropertyMap];
    const changed = names.filter((name) => !sameValue(before[name], after[name]));
    return { changes: changed.length > 0, replaces: changed.filter((name) => name === "triggers") };
  }

  public async create(urn: string, inputs: PropertyMap): Promise<provider.CreateResult> {
    const outputs = await resourceOf(urn).create(reveal(inputs) as Revealed, this.operation(urn));
    return { id: newId(urn), outs: { ...inputs, ...outputs } };
  }

  public async update(_id: string, urn: string, olds: PropertyMap, news: PropertyMap): Promise<provider.UpdateResult> {
    const [state, inputs] = [reveal(olds) as Revealed, reveal(news) as Revealed];
    return { outs: { ...news, ...(await resourceOf(urn).update(state, inputs, this.operation(urn))) } };
  }

  public async delete(_id: string, urn: string, state: PropertyMap): Promise<void> {
    await resourceOf(urn).delete(reveal(state) as Revealed, this.operation(urn));
  }

  private operation(urn: string): Operation {
    return { urn, cancelled: this.cancellation.signal };
  }
}

/** Fills in defaults and makes the whole connection one secret, however little of it the program had marked. */
function sealed(shape: Shape, inputs: PropertyMap): PropertyMap {
  if (inputs.connection === undefined) {
    return inputs;
  }
  const { connection } = withDefaults(shape, { connection: reveal(inputs.connection) });
  return { ...inputs, connection: secret(connection) };
}

/** Assets are equal when their digests are: the engine may drop the content from what it kept. */
function sameValue(before: unknown, after: unknown): boolean {
  const hashes = [before, after].map((value) => (isPropertyMap(value) ? value.hash : undefined));
  return hashes[0] === undefined ? isDeepStrictEqual(before, after) : hashes[0] === hashes[1];
}

function shapeOf(urn: string): Shape {
  return lookUp(resourceInputs, urn);
}

function resourceOf(urn: string): Resource {
  return lookUp(resources, urn);
}

function lookUp<T>(table: Readonly<Record<string, T>>, urn: string): T {
  const { type } = partsOf(urn);
  const found = table[type];
  if (found === undefined) {
    throw new Error(`the stand-in for the command provider has no resource ${type}; it has ${Object.keys(table)}`);
  }
  return found;
}

/** A copy's id is 8 random digits, a command's begins with its name: so the real provider has it. */
function newId(urn: string): string {
  const { type, name } = partsOf(urn);
  return `${type === "command:remote:CopyToRemote" ? "" : name}${randomBytes(4).toString("hex")}`;
}
