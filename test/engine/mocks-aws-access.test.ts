import * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, test, vi } from "vitest";
import { AwsHost, type AwsHostArgs, HostAddress, HostPhc } from "../../components";
import { aws, MADE } from "../unit/support/clouds";
import { failing } from "../unit/support/failures";
import { HOST_KEY, keyLines, PRIVATE_KEY } from "../unit/support/keys";
import { finishProgram, inputsOf, isSecret, namesOf, revealed, startEngine } from "../unit/support/mocks";
import { isSecretOutput, resolved } from "../unit/support/outputs";
import { cloudConfigOf, instanceOf, least, made, optionsOf } from "./awsHost";

afterEach(finishProgram);

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
