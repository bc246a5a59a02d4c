import { Provider } from "@pulumi/aws/provider";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, test } from "vitest";
import {
  AwsHost,
  type AwsHostArgs,
  ExperimentCluster,
  HostClock,
  HostPhc,
  type OperatingSystem,
} from "../../components";
import { IMAGES } from "../../components/hosts/aws/image";
import { aws, MADE, NEWEST_AMI, newestAmi } from "../unit/support/clouds";
import { HOST_KEY } from "../unit/support/keys";
import {
  finishProgram,
  inputsOf,
  isSecret,
  type MockCloud,
  namesOf,
  optionsRecorder,
  revealed,
  startEngine,
} from "../unit/support/mocks";
import { isKnown, isSecretOutput, resolved } from "../unit/support/outputs";
import { instanceOf, least, made, optionsOf } from "./awsHost";

afterEach(finishProgram);

// Its provider sees none of these when they are given no more, and would leave the machine what it was.
test.each<Partial<AwsHostArgs>>([
  { spot: true },
  { placementGroup: "mine" },
  { keyName: "mine" },
  { subnetId: "subnet-0123456789abcdef0", vpcId: "vpc-0123456789abcdef0" },
])("a host with or without %j is another machine", async (wish) => {
  const triggerOf = async (args: Partial<AwsHostArgs>) =>
    resolved(pulumi.output((await optionsOf(args))["a-instance"]?.replacementTrigger));
  expect(await triggerOf(wish)).not.toEqual(await triggerOf({}));
});

describe("an AwsHost", () => {
  test("is few resources, whose names start with its own", async () => {
    expect((await made()).map(({ type, name }) => `${name} ${type}`).sort()).toEqual([
      "a timebase:index:AwsHost",
      "a-access aws:ec2/securityGroup:SecurityGroup",
      "a-host-key tls:index/privateKey:PrivateKey",
      "a-instance aws:ec2/instance:Instance",
      "a-login-key tls:index/privateKey:PrivateKey",
    ]);
  });

  test("is two resources where the user's own groups and key do", async () => {
    const registered = await made({ sshFrom: [], securityGroupIds: ["sg-0123456789abcdef0"], publicKey: HOST_KEY });
    expect(namesOf(registered)).toEqual(["a", "a-host-key", "a-instance"]);
    expect(inputsOf(registered, "a-instance").vpcSecurityGroupIds).toEqual(["sg-0123456789abcdef0"]);
  });

  test("ends in the endpoint that a host of any kind ends in", async () => {
    startEngine({ preview: false, cloud: aws });
    const { endpoint, instanceId, imageId } = new AwsHost("a", least);
    expect(await resolved(endpoint)).toEqual({
      name: "a",
      address: "203.0.113.20",
      port: 22,
      user: "ubuntu",
      privateKey: MADE.loginKey.privateKey,
      hostKey: MADE.hostKey.publicKey,
      privateAddress: "10.0.0.20",
      generation: "a-instance-id",
      machineUrn: "urn:pulumi:local::demo::timebase:index:AwsHost$aws:ec2/instance:Instance::a-instance",
      machine: {
        cloud: "aws",
        operatingSystem: least.operatingSystem,
        guests: false,
        phc: false,
        sources: ["aws-ntp", "aws-phc"],
        timeOpen: false,
        ptpOpen: false,
        otherRules: false,
        privateAddress: "10.0.0.20",
      },
    });
    expect(await isSecretOutput(endpoint)).toBe(true);
    expect(await resolved(instanceId)).toBe("a-instance-id");
    expect(await resolved(imageId)).toBe(NEWEST_AMI);
  });

  test("knows no address in the preview of its making, but all that it was given", async () => {
    const registered = startEngine({ preview: true, cloud: aws });
    const host = new AwsHost("a", { ...least, guests: true });
    expect(await isKnown(host.endpoint)).toBe(false);
    await finishProgram();
    expect(inputsOf(registered, "a-access").ingress[0].cidrBlocks).toEqual(least.sshFrom);
    // The mocks refuse an instance that lacks any of these.
    expect(inputsOf(registered, "a-instance")).toMatchObject({ instanceType: "m8i.large", tags: { Name: "a" } });
  });

  test("is previewed as far as its network is known", async () => {
    const registered = startEngine({ preview: true, cloud: aws });
    const unknown = new AwsHost("vpc", least).instanceId;
    new AwsHost("a", { ...least, subnetId: unknown, vpcId: unknown });
    await finishProgram();
    expect(inputsOf(registered, "a-instance")).toMatchObject({ instanceType: "m7i.large", ami: NEWEST_AMI });
  });

  test("carries every clock component, and is not dialed when the machine goes", async () => {
    const registered = startEngine({ preview: false, cloud: aws });
    const { endpoint } = new AwsHost("a", least);
    const options: Record<string, pulumi.CustomResourceOptions> = {};
    const transformations = [optionsRecorder(options)];
    const sources = [{ address: "169.254.169.123" }];
    await resolved(new HostClock("clock", { endpoint, sources }, { transformations }).evidence);
    const { connection, stdin } = inputsOf(registered, "clock-converge");
    expect(revealed(connection)).toMatchObject({
      host: "203.0.113.20",
      user: "ubuntu",
      hostKey: MADE.hostKey.publicKey,
    });
    expect(stdin).toMatch(/^generation=a-instance-id [0-9a-f]{12}$/m);
    const deletedWith = options["clock-converge"]?.deletedWith;
    expect(await resolved(deletedWith?.urn as pulumi.Output<string>)).toBe((await resolved(endpoint)).machineUrn);
  });

  test("is of a cluster that keeps the time by the private addresses", async () => {
    const registered = startEngine({ preview: false, cloud: aws });
    const timeFrom = ["10.0.0.0/16"];
    const args = { ...least, timeFrom, guests: true };
    const hosts = ["a", "b"].map((name) => ({ name, endpoint: new AwsHost(name, args).endpoint }));
    await resolved(new ExperimentCluster("cluster", { hosts }).ready);
    expect(inputsOf(registered, "cluster-a-converge").stdin).toContain("time-allow=10.0.0.21/32\n");
    expect(inputsOf(registered, "cluster-b-converge").stdin).toContain("time-source=server 10.0.0.20 ");
  });
});

describe("system", () => {
  const parameters: string[] = [];
  const providers: (string | undefined)[] = [];
  const cloud: MockCloud = {
    resources: {
      ...aws.resources,
      "pulumi:providers:aws": {
        required: ["region"],
        optional: ["skipCredentialsValidation", "skipRegionValidation"],
        outputs: () => ({}),
      },
    },
    functions: {
      "aws:ssm/getParameter:getParameter": (inputs, provider) => {
        parameters.push(inputs.name);
        providers.push(provider);
        return aws.functions["aws:ssm/getParameter:getParameter"](inputs);
      },
    },
  };

  test.each(Object.entries(IMAGES))("%s is looked up where its vendor publishes it", async (system, image) => {
    parameters.length = 0;
    const instance = inputsOf(await made({ operatingSystem: system as OperatingSystem }, cloud), "a-instance");
    expect(parameters).toEqual([image.parameter]);
    expect(image.parameter).toMatch(/amd64|x86_64/);
    expect(instance.ami).toBe(NEWEST_AMI);
    expect(isSecret(instance.ami)).toBe(false);
    // Another system replaces the machine, although another image does not.
    expect(revealed(instance.userData).split("\n").slice(0, 2)).toEqual(["#cloud-config", `# ${system}`]);
  });

  // An image of another region is none: its id is not found there.
  test("is looked up in the region of the host, where its placement group is, too", async () => {
    const region = "eu-west-1";
    const registered = await made({ phc: HostPhc.Required, region }, cloud);
    const { ami, placementGroup, region: own } = inputsOf(registered, "a-instance");
    expect([ami, placementGroup, own]).toEqual([newestAmi(region), "the-placement-group", region]);
    expect(ami).not.toBe(NEWEST_AMI);
    expect(["a-placement", "a-access"].map((name) => inputsOf(registered, name).region)).toEqual([region, region]);
  });

  test("is asked of the host's own provider", async () => {
    providers.length = 0;
    startEngine({ preview: false, cloud });
    const provider = new Provider("elsewhere", { region: "eu-west-1" });
    await resolved(new AwsHost("a", least, { providers: [provider] }).endpoint);
    expect(providers).toEqual([`${await resolved(provider.urn)}::elsewhere-id`]);
  });

  test("an image of the user's is taken, and nothing is looked up", async () => {
    parameters.length = 0;
    const instance = inputsOf(await made({ imageId: "ami-00000000" }, cloud), "a-instance");
    expect([instance.ami, parameters]).toEqual(["ami-00000000", []]);
  });

  test("the image that was found stays, one that was stated is obeyed", async () => {
    const ignoredWith = async (args: Partial<AwsHostArgs>) => (await optionsOf(args))["a-instance"]?.ignoreChanges;
    expect(await ignoredWith({})).toContain("ami");
    expect(await ignoredWith({ imageId: "ami-00000000" })).not.toContain("ami");
  });
});

describe("guests", () => {
  test("make the instance one with nested virtualization", async () => {
    const { cpuOptions, instanceType } = await instanceOf({ guests: true });
    expect([instanceType, cpuOptions]).toEqual(["m8i.large", { nestedVirtualization: "enabled" }]);
  });

  test.each([
    [{ phc: HostPhc.IfAvailable }, "m8i.large"],
    [{ phc: HostPhc.IfAvailable, placementGroup: "mine" }, "m7i.large"],
    [{ phc: HostPhc.Required }, "m7i.large"],
  ])("beside %j are on %s", async (args, expected) => {
    expect((await instanceOf({ guests: true, ...args })).instanceType).toBe(expected);
  });

  test("need nothing on bare metal, but time to start it", async () => {
    const args = { guests: true, instanceType: "m5.metal" };
    expect(await instanceOf(args)).not.toHaveProperty("cpuOptions");
    expect((await optionsOf(args))["a-instance"]?.customTimeouts).toEqual({
      create: "30m",
      update: "40m", // another type of machine stops it and starts it
      delete: "40m",
    });
  });

  test("are not made possible unless wished", async () => {
    expect(await instanceOf()).not.toHaveProperty("cpuOptions");
  });
});

describe("host PHC", () => {
  test.each([
    ["nothing for it", {}, undefined],
    ["a group of its own", { phc: HostPhc.Required }, "the-placement-group"],
    ["a group where available", { phc: HostPhc.IfAvailable, region: "eu-west-1" }, "the-placement-group"],
    ["no group where none is needed", { phc: HostPhc.IfAvailable, region: "us-east-1" }, undefined],
    ["a group to be sure", { phc: HostPhc.Required, region: "us-east-1" }, "the-placement-group"],
    ["no group where there is no clock", { phc: HostPhc.IfAvailable, instanceType: "m6i.large" }, undefined],
    ["no group where it could cost the guests their launch", { phc: HostPhc.IfAvailable, guests: true }, undefined],
    ["the user's group", { phc: HostPhc.Required, placementGroup: "mine" }, "mine"],
    ["the user's group for other reasons", { placementGroup: "mine" }, "mine"],
  ])("%s", async (_, args, group) => {
    const registered = await made(args);
    expect(inputsOf(registered, "a-instance").placementGroup).toBe(group);
    const own = registered.filter(({ name }) => name === "a-placement");
    expect(own.map(({ inputs }) => inputs.strategy)).toEqual(group === "the-placement-group" ? ["precision-time"] : []);
  });
});

test.each([HostPhc.IfAvailable, HostPhc.None])("no group where the configured region has none: phc %s", async (phc) => {
  pulumi.runtime.setAllConfig({ "aws:region": "us-gov-west-1" });
  const registered = await made({ phc });
  pulumi.runtime.setAllConfig({});
  expect(registered.map(({ name }) => name)).not.toContain("a-placement");
});

describe("hygiene", () => {
  test("IMDSv2 only, an encrypted disk, tags, a shutdown that keeps the disk", async () => {
    expect(await instanceOf({ tags: { team: "clocks" } })).toMatchObject({
      metadataOptions: { httpEndpoint: "enabled", httpTokens: "required", httpPutResponseHopLimit: 1 },
      rootBlockDevice: {
        encrypted: true,
        volumeType: "gp3",
        volumeSize: 16,
        deleteOnTermination: true,
        tags: { Name: "a", team: "clocks" },
      },
      instanceInitiatedShutdownBehavior: "stop",
      disableApiTermination: false,
      tags: { Name: "a", team: "clocks" },
    });
  });

  test("what the user says wins", async () => {
    const args = { tags: { Name: "mine" }, rootDiskGib: 100, deletionProtection: true, instanceType: "c7i.2xlarge" };
    expect(await instanceOf(args)).toMatchObject({
      tags: { Name: "mine" },
      rootBlockDevice: { volumeSize: 100 },
      disableApiTermination: true,
      instanceType: "c7i.2xlarge",
    });
  });
});

describe("price of idleness", () => {
  test("a spot instance that Amazon takes back costs nothing", async () => {
    const { instanceMarketOptions, instanceInitiatedShutdownBehavior } = await instanceOf({ spot: true });
    expect(instanceMarketOptions).toEqual({
      marketType: "spot",
      spotOptions: { spotInstanceType: "one-time", instanceInterruptionBehavior: "terminate" },
    });
    expect(instanceInitiatedShutdownBehavior).toBeUndefined();
  });
});
