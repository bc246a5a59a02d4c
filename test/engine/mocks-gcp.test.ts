import { Provider } from "@pulumi/gcp/provider";
import type * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, test } from "vitest";
import { GcpHost, type GcpHostArgs, HostClock, HostPhc, type OperatingSystem } from "../../components";
import { IMAGES } from "../../components/hosts/gcp/image";
import { gcp, MADE, NEWEST_IMAGE } from "../unit/support/clouds";
import { HOST_KEY } from "../unit/support/keys";
import {
  finishProgram,
  inputsOf,
  type MockCloud,
  namesOf,
  optionsRecorder,
  revealed,
  startEngine,
} from "../unit/support/mocks";
import { isKnown, isSecretOutput, resolved } from "../unit/support/outputs";
import { instanceOf, least, made, metadataOf, optionsOf } from "./gcpHost";

afterEach(finishProgram);

/** What an engine is told of a value that a preview does not know. */
const UNKNOWN = expect.objectContaining({ __pulumiUnknown: true });

describe("a GcpHost", () => {
  test("is few resources, whose names start with its own", async () => {
    const registered = await made({ timeFrom: ["10.0.0.0/16"] });
    expect(registered.map(({ type, name }) => `${name} ${type}`).sort()).toEqual([
      "a timebase:index:GcpHost",
      "a-deny gcp:compute/firewall:Firewall",
      "a-host-key tls:index/privateKey:PrivateKey",
      "a-instance gcp:compute/instance:Instance",
      "a-login-key tls:index/privateKey:PrivateKey",
      "a-ssh gcp:compute/firewall:Firewall",
      "a-time gcp:compute/firewall:Firewall",
    ]);
  });

  test("is two resources where the user's own rules and key do", async () => {
    const registered = await made({ sshFrom: [], network: "mine", networkTags: ["mine"], publicKey: HOST_KEY });
    expect(namesOf(registered)).toEqual(["a", "a-host-key", "a-instance"]);
    expect(inputsOf(registered, "a-instance").tags).toEqual(["mine"]);
  });

  test("ends in the endpoint that a host of any kind ends in", async () => {
    startEngine({ preview: false, cloud: gcp });
    const { endpoint, instanceId, image } = new GcpHost("a", least);
    expect(await resolved(endpoint)).toEqual({
      name: "a",
      address: "203.0.113.30",
      port: 22,
      user: "timebase",
      privateKey: MADE.loginKey.privateKey,
      hostKey: MADE.hostKey.publicKey,
      privateAddress: "10.0.0.30",
      generation: "a-instance-id",
      machineUrn: "urn:pulumi:local::demo::timebase:index:GcpHost$gcp:compute/instance:Instance::a-instance",
      machine: {
        cloud: "gcp",
        operatingSystem: least.operatingSystem,
        guests: false,
        phc: false,
        sources: ["gcp-ntp", "gcp-phc"],
        timeOpen: false,
        ptpOpen: false,
        otherRules: true,
        privateAddress: "10.0.0.30",
      },
    });
    expect(await isSecretOutput(endpoint)).toBe(true);
    expect(await resolved(instanceId)).toBe("a-instance-id");
    expect(await resolved(image)).toBe(NEWEST_IMAGE);
  });

  test("knows no address in the preview of its making, but all that it was given", async () => {
    const registered = startEngine({ preview: true, cloud: gcp });
    expect(await isKnown(new GcpHost("a", least).endpoint)).toBe(false);
    await finishProgram();
    const instance = inputsOf(registered, "a-instance");
    expect(instance.machineType).toBe("c3-standard-4");
    expect(metadataOf(instance)).toMatchObject({ "enable-oslogin": "FALSE" });
  });

  test("is previewed as far as its network and its labels are known", async () => {
    const registered = startEngine({ preview: true, cloud: gcp });
    const unknown = new GcpHost("other", least).instanceId;
    const tag = unknown.apply(() => "mine");
    new GcpHost("a", {
      ...{ ...least, timeFrom: [unknown] },
      ...{ network: unknown, subnetwork: unknown, zone: unknown, networkTags: [tag], labels: { team: unknown } },
    });
    await finishProgram();
    const { networkInterfaces, labels, bootDisk, machineType } = inputsOf(registered, "a-instance");
    expect([machineType, bootDisk.initializeParams.image]).toEqual(["c3-standard-4", NEWEST_IMAGE]);
    expect(networkInterfaces).toEqual([{ network: UNKNOWN, subnetwork: UNKNOWN, accessConfigs: [{}] }]);
    expect([labels, bootDisk.initializeParams.labels]).toEqual([{ team: UNKNOWN }, { team: UNKNOWN }]);
    const rule = {
      network: UNKNOWN,
      project: UNKNOWN,
      priority: 900,
      targetTags: [expect.stringMatching(/^timebase-/)],
    };
    expect(inputsOf(registered, "a-ssh")).toMatchObject({ ...rule, sourceRanges: least.sshFrom });
    expect(inputsOf(registered, "a-time")).toMatchObject({ ...rule, sourceRanges: [UNKNOWN] });
    expect(inputsOf(registered, "a-deny").denies).toEqual([{ protocol: "all" }]);
  });

  test("carries a clock, and is not dialed when the machine goes", async () => {
    const registered = startEngine({ preview: false, cloud: gcp });
    const { endpoint } = new GcpHost("a", least);
    const options: Record<string, pulumi.CustomResourceOptions> = {};
    const transformations = [optionsRecorder(options)];
    const sources = [{ address: "metadata.google.internal" }];
    await resolved(new HostClock("clock", { endpoint, sources }, { transformations }).evidence);
    const { connection, stdin } = inputsOf(registered, "clock-converge");
    expect(revealed(connection)).toMatchObject({
      host: "203.0.113.30",
      user: "timebase",
      hostKey: MADE.hostKey.publicKey,
    });
    expect(stdin).toMatch(/^generation=a-instance-id [0-9a-f]{12}$/m);
    const deletedWith = options["clock-converge"]?.deletedWith;
    expect(await resolved(deletedWith?.urn as pulumi.Output<string>)).toBe((await resolved(endpoint)).machineUrn);
  });
});

describe("system", () => {
  test.each(Object.entries(IMAGES))("%s is looked up where its vendor publishes it", async (system, image) => {
    const asked: object[] = [];
    const getImage = gcp.functions["gcp:compute/getImage:getImage"];
    const functions: MockCloud["functions"] = {
      "gcp:compute/getImage:getImage": (inputs) => {
        asked.push(inputs);
        return getImage(inputs);
      },
    };
    const registered = await made({ operatingSystem: system as OperatingSystem }, { ...gcp, functions });
    const { bootDisk, ...instance } = inputsOf(registered, "a-instance");
    expect(asked).toEqual([{ project: image.project, family: image.family }]);
    expect(bootDisk.initializeParams.image).toBe(NEWEST_IMAGE);
    // Another system replaces the machine, although another image does not.
    const text = image.hasCloudInit ? metadataOf(instance)["user-data"] : revealed(instance.metadataStartupScript);
    expect(text.split("\n").slice(0, 2)).toEqual([image.hasCloudInit ? "#cloud-config" : "#!/bin/sh", `# ${system}`]);
  });

  test("is asked of the host's own provider", async () => {
    const asked: (string | undefined)[] = [];
    const cloud: MockCloud = {
      resources: {
        ...gcp.resources,
        "pulumi:providers:gcp": { required: ["project"], optional: [], outputs: () => ({}) },
      },
      functions: {
        "gcp:compute/getImage:getImage": (inputs, provider) => {
          asked.push(provider);
          return gcp.functions["gcp:compute/getImage:getImage"](inputs);
        },
      },
    };
    startEngine({ preview: false, cloud });
    const provider = new Provider("elsewhere", { project: "mine" });
    await resolved(new GcpHost("a", least, { providers: [provider] }).endpoint);
    expect(asked).toEqual([`${await resolved(provider.urn)}::elsewhere-id`]);
  });

  test("the image that was found stays, one that was stated is obeyed", async () => {
    const image = "projects/mine/global/images/clock-1";
    const ignoredWith = async (args: Partial<GcpHostArgs>) => (await optionsOf(args))["a-instance"]?.ignoreChanges;
    expect(await ignoredWith({})).toEqual(["bootDisk.initializeParams.image"]);
    expect(await ignoredWith({ image })).toEqual([]);
    expect((await instanceOf({ image })).bootDisk.initializeParams.image).toBe(image);
  });
});

describe("guests", () => {
  test("make the instance one with nested virtualization", async () => {
    const { machineType, advancedMachineFeatures } = await instanceOf({ guests: true });
    expect([machineType, advancedMachineFeatures]).toEqual(["c3-standard-4", { enableNestedVirtualization: true }]);
  });

  // The mocks refuse a machine of bare metal that can migrate, or has another network interface, or Shielded VM.
  test("have what a machine of bare metal takes", async () => {
    const metal = await instanceOf({ guests: true, machineType: "c3-highcpu-192-metal" });
    expect(metal).toMatchObject({
      networkInterfaces: [{ nicType: "IDPF" }],
      scheduling: { onHostMaintenance: "TERMINATE", automaticRestart: true },
      bootDisk: { initializeParams: { type: "hyperdisk-balanced" } },
    });
    expect(metal).not.toHaveProperty("shieldedInstanceConfig");
  });

  test("need nothing on bare metal, and are not made possible unless wished", async () => {
    expect(await instanceOf({ guests: true, machineType: "c3-highcpu-192-metal" })).not.toHaveProperty(
      "advancedMachineFeatures",
    );
    expect(await instanceOf()).not.toHaveProperty("advancedMachineFeatures");
  });
});

test.each([
  [{}, "c3-standard-4", "pd-balanced"],
  [{ phc: HostPhc.Required, machineType: "c4-standard-4" }, "c4-standard-4", "hyperdisk-balanced"],
  [{ machineType: "n2-custom-4-8192" }, "n2-custom-4-8192", "pd-balanced"],
  [{ machineType: "g2-standard-4" }, "g2-standard-4", "pd-balanced"],
])("the disk of a machine with %j is one that it can boot from", async (args, type, disk) => {
  const { machineType, bootDisk } = await instanceOf(args);
  expect([machineType, bootDisk]).toEqual([
    type,
    { autoDelete: true, initializeParams: { image: NEWEST_IMAGE, size: 16, type: disk } },
  ]);
});

describe("hygiene", () => {
  test("Shielded VM, OS Login off, labels, no service account", async () => {
    const instance = await instanceOf({ labels: { team: "clocks" } });
    expect(instance).toMatchObject({
      shieldedInstanceConfig: { enableSecureBoot: true, enableVtpm: true, enableIntegrityMonitoring: true },
      labels: { team: "clocks" },
      bootDisk: { initializeParams: { labels: { team: "clocks" } } },
      deletionProtection: false,
      allowStoppingForUpdate: true,
    });
    expect(metadataOf(instance)).toEqual({
      "enable-oslogin": "FALSE",
      "block-project-ssh-keys": "TRUE",
      "serial-port-enable": "FALSE",
      "user-data": expect.any(String),
    });
    expect(instance).not.toHaveProperty("serviceAccount");
  });

  test("what the user says wins", async () => {
    const args = { rootDiskGib: 100, deletionProtection: true };
    expect(await instanceOf(args)).toMatchObject({
      bootDisk: { initializeParams: { size: 100 } },
      deletionProtection: true,
    });
  });

  test("a spot instance that Google takes back costs nothing", async () => {
    expect((await instanceOf({ spot: true })).scheduling).toEqual({
      provisioningModel: "SPOT",
      preemptible: true,
      automaticRestart: false,
      onHostMaintenance: "TERMINATE",
      instanceTerminationAction: "DELETE",
    });
  });

  // Google's provider leaves alone what is not given.
  test("an instance is told that it is none of spot", async () => {
    expect((await instanceOf()).scheduling).toMatchObject({ provisioningModel: "STANDARD", preemptible: false });
  });
});

test.each([
  ["c3-standard-4", "MIGRATE"],
  ["g1-small", "MIGRATE"],
  ["g2-standard-4", "TERMINATE"],
  ["h4d-standard-192", "TERMINATE"],
])("maintenance stops a %s if it cannot move it", async (machineType, onHostMaintenance) => {
  expect((await instanceOf({ machineType })).scheduling).toEqual({
    provisioningModel: "STANDARD",
    preemptible: false,
    automaticRestart: true,
    onHostMaintenance,
  });
});
