/**
 * The stand-in for the providers of clouds: what there is in them is a file, and what they decide is made up. It is no
 * cloud; but it takes nothing that the real provider's SDK does not have.
 */
import { randomBytes } from "node:crypto";
import { isDeepStrictEqual } from "node:util";
import type { provider } from "@pulumi/pulumi";
import { keyPair } from "../cloud/keyPair";
import { placed, type Settings } from "../cloud/places";
import { refusals } from "../cloud/refusals";
import { refusalsAmong } from "../cloud/refusals/among";
import { type Cloud, DEFAULT_SUBNETWORKS, type Inputs, type Supply } from "../cloud/resources";
import { isUnknown, type PropertyMap, reveal, secret } from "../plugin/property-values";
import { checkInputs } from "../plugin/shape";
import { partsOf } from "../plugin/urn";
import { changeOf, updated } from "./changes";
import { isInstance } from "./instance";
import type { Machines } from "./machines";
import { CloudRecord } from "./record";
import { functionOf, imageIn, refusalOf, resourceOf } from "./refusals";
import { argumentsOf } from "./sdk";

/** The engine never asks for a create or update in a preview, because the server does not claim to support previews. */
export class CloudProvider implements provider.Provider {
  /**
   * @param folder where the clouds' files are; each package has one
   * @param machines what becomes of instances
   * @param version of the SDK, which is the one that programs want
   * @param settings what it is configured with at that moment
   */
  public constructor(
    private readonly folder: string,
    private readonly machines: Machines,
    public readonly version: string,
    private readonly settings: () => Settings,
  ) {}

  public async check(urn: string, _olds: PropertyMap, news: PropertyMap): Promise<provider.CheckResult> {
    const { type } = partsOf(urn);
    resourceOf(type);
    const inputs = reveal(news) as PropertyMap;
    const failures = checkInputs(argumentsOf(type), inputs);
    if (failures.length > 0) return { failures, inputs: news };
    const reasons = refusals(type, this.placed(type, inputs), isUnknown);
    return { failures: reasons.map((reason) => ({ property: "", reason })), inputs: news };
  }

  public async diff(_id: string, urn: string, olds: PropertyMap, news: PropertyMap): Promise<provider.DiffResult> {
    const { type } = partsOf(urn);
    const [before, after] = [reveal(olds) as Inputs, reveal(news) as Inputs];
    const { changed, replaces } = changeOf(type, resourceOf(type), inputNames(type), before, after);
    return { changes: changed.length > 0, replaces: [...replaces] };
  }

  public async create(urn: string, news: PropertyMap): Promise<provider.CreateResult> {
    const { type, name } = partsOf(urn);
    const [record, resource] = [this.recordOf(type), resourceOf(type)];
    const inputs = this.placed(type, reveal(news) as Inputs);
    const supply = supplyOf(record, this.machines);
    const decided = resource.decides({ name, inputs, supply });
    this.refuse(record, type, inputs, { ...inputs, ...decided });
    const image = isInstance(type) ? imageIn(inputs, record.released()) : undefined;
    const id = resource.id({ name, inputs, decided, supply });
    if (record.entry(id) !== undefined) throw new Error(`AlreadyExists: there is a ${id}`);
    const entry = { type, name, properties: { ...inputs, ...decided } };
    record.put(id, entry);
    try {
      if (image !== undefined) await this.machines.start(id, entry, subnetworkOf(record, type, inputs), image);
      await this.machines.enforce(() => record.content().resources);
    } catch (error) {
      if (image !== undefined) await this.machines.stop(id, entry);
      record.remove(id);
      throw error;
    }
    return { id, outs: { ...inputs, ...news, ...sealed(decided, resource.secrets) } };
  }

  public async read(id: string, urn: string, olds: PropertyMap): Promise<provider.ReadResult> {
    const { type } = partsOf(urn);
    const entry = this.recordOf(type).entry(id);
    if (entry === undefined) return { id: "", props: {} };
    const known = reveal(olds) as Inputs;
    const found = Object.entries(entry.properties).filter(([key, value]) => !isDeepStrictEqual(known[key], value));
    const props: PropertyMap = { ...olds, ...Object.fromEntries(found) };
    // As the real ones: what is found is in the inputs, too.
    const inputs = Object.entries(props).filter(
      ([key]) => inputNames(type).includes(key) && !resourceOf(type).fills?.includes(key),
    );
    return { id, props, inputs: Object.fromEntries(inputs) };
  }

  public async update(id: string, urn: string, olds: PropertyMap, news: PropertyMap): Promise<provider.UpdateResult> {
    const { type } = partsOf(urn);
    const [record, inputs] = [this.recordOf(type), reveal(news) as Inputs];
    const entry = record.entry(id);
    if (entry === undefined) throw new Error(`NotFound: there is no ${id}`);
    const resource = resourceOf(type);
    const refilled = resource.refills?.(entry.properties, inputs, supplyOf(record, this.machines)) ?? {};
    const next = (before: Inputs, after: Inputs) => ({
      ...updated(resource, inputNames(type), before, after),
      ...refilled,
    });
    const properties = next(entry.properties, inputs);
    this.refuse(record, type, { ...inputs, region: entry.properties.region }, properties, id);
    record.put(id, { ...entry, properties });
    await this.machines.enforce(() => record.content().resources);
    return { outs: next(olds, news) };
  }

  public async delete(id: string, urn: string, olds: PropertyMap): Promise<void> {
    const { type } = partsOf(urn);
    const record = this.recordOf(type);
    const { lock } = resourceOf(type);
    if (lock !== undefined && olds[lock] === true) throw new Error(`OperationNotPermitted: ${id} has ${lock}`);
    const holders = record.holders(id, inputNames);
    if (holders.length > 0) throw new Error(`DependencyViolation: ${holders.join(", ")} would lose ${id}`);
    const entry = record.entry(id);
    if (entry !== undefined && isInstance(type)) await this.machines.stop(id, entry);
    record.remove(id);
    await this.machines.enforce(() => record.content().resources);
  }

  public async invoke(token: string, args: PropertyMap): Promise<provider.InvokeResult> {
    const inputs = this.placed(token, reveal(args) as Inputs);
    const found = functionOf(token);
    const [failure] = checkInputs(argumentsOf(token), inputs);
    throwIf(failure?.reason);
    throwIf(refusals(token, inputs)[0]);
    if (!found.has(inputs)) throw new Error(`NotFound: the stand-in has no ${found.wanted(inputs)}`);
    return { outputs: { ...inputs, ...found.answer(inputs, this.recordOf(token).released()) } };
  }

  private recordOf(token: string): CloudRecord {
    return new CloudRecord(this.folder, token.split(":")[0] ?? "");
  }

  private placed(token: string, inputs: Inputs): Inputs {
    return placed(token, inputs, this.settings());
  }

  /**
   * @param properties what it would have, also of what the cloud decides
   * @param id of what is there already
   */
  private refuse(record: CloudRecord, type: string, inputs: Inputs, properties: Inputs, id = ""): void {
    const { resources } = record.content();
    const { [id]: _, ...others } = resources;
    throwIf(refusalOf(inputs, resources));
    throwIf(refusalsAmong(type, properties, others)[0]);
  }
}

function throwIf(refusal: string | undefined): void {
  if (refusal !== undefined) throw new Error(refusal);
}

function inputNames(type: string): string[] {
  return Object.keys(argumentsOf(type));
}

function sealed(decided: Inputs, secrets: readonly string[] = []): PropertyMap {
  const entries = Object.entries(decided).map(([key, value]) => [key, secrets.includes(key) ? secret(value) : value]);
  return Object.fromEntries(entries);
}

function supplyOf(record: CloudRecord, { publicNetworks }: Machines): Supply {
  return {
    digits: (length) => randomBytes(length).toString("hex").slice(0, length),
    publicAddress: (cloud) => record.freeAddress(publicNetworks[cloud]),
    privateAddress: (cloud, subnetwork) => record.freeAddress(rangeOf(record, cloud, subnetwork)),
    keyPair,
  };
}

function rangeOf(record: CloudRecord, cloud: Cloud, subnetwork: unknown): string {
  const { cidrBlock, ipCidrRange } = record.entry(String(subnetwork))?.properties ?? {};
  return String(cidrBlock ?? ipCidrRange ?? DEFAULT_SUBNETWORKS[cloud]);
}

/** The range of the subnetwork that an instance is in. */
function subnetworkOf(record: CloudRecord, type: string, inputs: Inputs): string {
  const [nic = {}] = (inputs.networkInterfaces ?? []) as Inputs[];
  return rangeOf(record, type.split(":")[0] as Cloud, inputs.subnetId ?? nic.subnetwork);
}
