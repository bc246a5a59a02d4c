import { Provider } from "@pulumi/aws/provider";
import * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  AwsHost,
  type AwsHostArgs,
  ExperimentCluster,
  HostAddress,
  HostClock,
  HostPhc,
  OperatingSystem,
} from "../../components";
import { IMAGES } from "../../components/hosts/aws/image";
import { aws, MADE, NEWEST_AMI, newestAmi } from "../unit/support/clouds";
import { failing } from "../unit/support/failures";
import { HOST_KEY, keyLines, PRIVATE_KEY } from "../unit/support/keys";
import {
  finishProgram,
  inputsOf,
  isSecret,
  type MockCloud,
  namesOf,
  optionsRecorder,
  type Registered,
  revealed,
  startEngine,
} from "../unit/support/mocks";
import { isKnown, isSecretOutput, resolved } from "../unit/support/outputs";

afterEach(finishProgram);

const least = { operatingSystem: OperatingSystem.Ubuntu2204, sshFrom: ["198.51.100.7/32"] };

async function made(args: Partial<AwsHostArgs> = {}, cloud: MockCloud = aws, preview = false): Promise<Registered[]> {
  const registered = startEngine({ preview, cloud });
  const host = new AwsHost("a", { ...least, ...args });
  await (preview ? resolved(host.urn) : resolved(host.endpoint));
  await finishProgram();
  return registered;
}

const instanceOf = async (args: Partial<AwsHostArgs> = {}) => inputsOf(await made(args), "a-instance");
const cloudConfigOf = (instance: Registered["inputs"]) =>
  JSON.parse(revealed(instance.userData).replace(/^#cloud-config\n# .*\n/, ""));

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

describe("access", () => {
  const network = { subnetId: "subnet-0123456789abcdef0", vpcId: "vpc-0123456789abcdef0" };
  const everywhere = { cidrBlocks: ["0.0.0.0/0"], ipv6CidrBlocks: ["::/0"] };

  test("SSH from the named networks, the time from the cluster's, nothing else comes in", async () => {
    const args = { sshFrom: ["198.51.100.7/32", "2001:db8::/32"], timeFrom: [pulumi.output("10.0.0.0/16")] };
    expect(inputsOf(await made(args), "a-access")).toEqual({
      description: "SSH and time for one host of an experiment",
      ingress: [
        {
          description: "SSH",
          protocol: "tcp",
          fromPort: 22,
          toPort: 22,
          cidrBlocks: ["198.51.100.7/32"],
          ipv6CidrBlocks: ["2001:db8::/32"],
        },
        {
          description: "time within the cluster",
          protocol: "udp",
          fromPort: 123,
          toPort: 123,
          cidrBlocks: ["10.0.0.0/16"],
          ipv6CidrBlocks: [],
        },
      ],
      egress: [{ ...everywhere, protocol: "-1", fromPort: 0, toPort: 0, description: "packages, time sources" }],
      tags: { Name: "a" },
    });
  });

  test("PTP from the cluster's network, where it is wanted", async () => {
    const { ingress } = inputsOf(await made({ ptpFrom: ["10.0.0.0/16"] }), "a-access");
    const udp = ingress.filter((rule: { protocol: string }) => rule.protocol === "udp");
    expect(udp.map(({ fromPort, cidrBlocks }: Record<string, unknown>) => [fromPort, cidrBlocks])).toEqual([
      [319, ["10.0.0.0/16"]],
      [320, ["10.0.0.0/16"]],
    ]);
  });

  // The mocked engine knows transformations only; `transforms` are in cloud-hosts/hosts.test.ts.
  test("what has no argument is for a transformation, of the rules and of the instance", async () => {
    const registered = startEngine({ preview: false, cloud: aws });
    const port = { protocol: "tcp", fromPort: 8080, toPort: 8080, cidrBlocks: ["10.0.0.0/16"] };
    const beyond: pulumi.ResourceTransformation = ({ type, props, opts }) => {
      if (type === "aws:ec2/securityGroup:SecurityGroup") {
        return { props: { ...props, ingress: [...props.ingress, port] }, opts };
      }
      return type === "aws:ec2/instance:Instance"
        ? { props: { ...props, availabilityZone: "eu-north-1a" }, opts }
        : undefined;
    };
    await resolved(new AwsHost("a", least, { transformations: [beyond] }).endpoint);
    expect(inputsOf(registered, "a-access").ingress).toEqual([expect.objectContaining({ fromPort: 22 }), port]);
    expect(inputsOf(registered, "a-instance").availabilityZone).toBe("eu-north-1a");
  });

  test.each([
    [["198.51.100.7/32"], 0],
    [["0.0.0.0/0"], 1],
    [["198.51.100.7/32", pulumi.output("::/0")], 1],
  ])("from %j is warned of %i times", async (sshFrom, times) => {
    const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
    await made({ sshFrom });
    const said = warn.mock.calls.map(([line]) => line).filter((line) => line.includes("everybody on the internet"));
    warn.mockRestore();
    expect(said).toHaveLength(times);
  });

  test.each([
    ["a public address", {}, true, "203.0.113.20"],
    ["a public address in a network of the user's", network, true, "203.0.113.20"],
    ["private addresses only", { ...network, address: HostAddress.Private }, false, "10.0.0.20"],
    ["through a bastion", { ...network, proxy: { address: "bastion.example", hostKey: HOST_KEY } }, false, "10.0.0.20"],
  ])("by %s", async (_, args, isPublic, address) => {
    const registered = startEngine({ preview: false, cloud: aws });
    const endpoint = await resolved(new AwsHost("a", { ...least, ...args }).endpoint);
    expect(inputsOf(registered, "a-instance").associatePublicIpAddress).toBe(isPublic);
    expect(endpoint).toMatchObject({ address, privateAddress: "10.0.0.20" });
    expect(endpoint.proxy?.address).toBe((args as AwsHostArgs).proxy && "bastion.example");
  });

  test("a public address that there is not is an error with a remedy", async () => {
    const reason =
      "has no public address: start it if it is stopped, then run `pulumi refresh`; if its subnet gives none";
    await failing(reason, async () => {
      const outputs = () => ({ publicIp: "", privateIp: "10.0.0.20" });
      const instance = { ...aws.resources["aws:ec2/instance:Instance"], outputs };
      const resources = { ...aws.resources, "aws:ec2/instance:Instance": instance };
      startEngine({ preview: false, cloud: { ...aws, resources } });
      await expect(resolved(new AwsHost("a", least).endpoint)).rejects.toThrow(reason);
    });
  });

  test("the user's network, key and groups are taken", async () => {
    const registered = await made({
      subnetId: "subnet-0123456789abcdef0",
      vpcId: "vpc-0123456789abcdef0",
      availabilityZone: "eu-north-1a",
      region: "eu-north-1",
      keyName: "mine",
      securityGroupIds: ["sg-0123456789abcdef0"],
    });
    expect(inputsOf(registered, "a-access")).toMatchObject({ vpcId: "vpc-0123456789abcdef0", region: "eu-north-1" });
    const instance = inputsOf(registered, "a-instance");
    expect(instance).toMatchObject({ subnetId: "subnet-0123456789abcdef0", keyName: "mine", region: "eu-north-1" });
    expect(instance.vpcSecurityGroupIds).toEqual(["a-access-id", "sg-0123456789abcdef0"]);
    expect(namesOf(registered)).not.toContain("a-login-key");
    expect(cloudConfigOf(instance).ssh_authorized_keys).toEqual([]);
  });
});

describe("host identity", () => {
  test("is made in the program, injected by cloud-init, pinned in the endpoint", async () => {
    const instance = await instanceOf({ publicKey: `${HOST_KEY} me@example` });
    expect(cloudConfigOf(instance)).toEqual({
      ssh_pwauth: false,
      disable_root: true,
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: MADE.hostKey.privateKey, ed25519_public: MADE.hostKey.publicKey },
      ssh_authorized_keys: [HOST_KEY],
    });
    expect(instance.userDataReplaceOnChange).toBe(true);
  });

  test("has its private half in no input but the user data, and that is secret", async () => {
    const registered = await made();
    const instance = inputsOf(registered, "a-instance");
    expect(isSecret(instance.userData)).toBe(true);
    const others = registered.map(({ inputs }) => ({ ...inputs, userData: undefined }));
    expect(JSON.stringify(others)).not.toContain("PRIVATE KEY");
    expect((await optionsOf({}))["a-instance"]?.additionalSecretOutputs).toEqual(["userData", "userDataBase64"]);
  });

  test("is not the key that logs in, whose private half no machine is told", async () => {
    const instance = await instanceOf();
    expect(cloudConfigOf(instance).ssh_authorized_keys).toEqual([MADE.loginKey.publicKey]);
    const told = revealed(instance.userData);
    for (const line of keyLines(MADE.hostKey.privateKey)) expect(told).toContain(line);
    for (const line of keyLines(MADE.loginKey.privateKey)) expect(told).not.toContain(line);
  });

  test("the user's private key is in the endpoint only", async () => {
    const mine = PRIVATE_KEY.replaceAll("\n", "\n\n");
    const registered = startEngine({ preview: false, cloud: aws });
    const { endpoint } = new AwsHost("a", { ...least, publicKey: HOST_KEY, privateKey: mine });
    expect((await resolved(endpoint)).privateKey).toBe(mine);
    expect(await isSecretOutput(endpoint)).toBe(true);
    expect(JSON.stringify(registered)).not.toContain(JSON.stringify(mine).slice(1, -1));
  });
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

describe("late arguments", () => {
  test("that are wrong leave nothing behind that costs or opens something", async () => {
    const reason = 'timeFrom[0]: "0.0.0.0/0" is everybody';
    await failing("timeFrom[0]: what was given is everybody", async () => {
      const registered = startEngine({ preview: false, cloud: aws });
      const { endpoint } = new AwsHost("a", {
        ...least,
        phc: HostPhc.Required,
        timeFrom: [pulumi.output("0.0.0.0/0")],
      });
      await expect(resolved(endpoint)).rejects.toThrow(reason.replace('"0.0.0.0/0"', "what was given"));
      expect(namesOf(registered)).toEqual(["a", "a-host-key", "a-login-key"]);
    });
  });

  test("are never quoted", async () => {
    await failing("must be", async () => {
      startEngine({ preview: false, cloud: aws });
      const { endpoint } = new AwsHost("a", { ...least, keyName: pulumi.output("hunter2\n") });
      await expect(resolved(endpoint)).rejects.toThrow(
        "(the text of a .pub file goes into publicKey), not what was given",
      );
    });
  });
});

/** The resource options of each resource, as a transformation of the component's sees them: the way for users as well. */
async function optionsOf(args: Partial<AwsHostArgs>): Promise<Record<string, pulumi.CustomResourceOptions>> {
  const options: Record<string, pulumi.CustomResourceOptions> = {};
  startEngine({ preview: false, cloud: aws });
  const transformations = [optionsRecorder(options)];
  await resolved(new AwsHost("a", { ...least, ...args }, { transformations }).endpoint);
  await finishProgram();
  return options;
}
