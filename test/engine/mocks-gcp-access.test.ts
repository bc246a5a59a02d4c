import * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, test, vi } from "vitest";
import { GcpHost, HostAddress, OperatingSystem } from "../../components";
import { KEEP_HOST_KEY } from "../../components/hosts/gcp/guestAgent";
import { gcp, MADE } from "../unit/support/clouds";
import { failing } from "../unit/support/failures";
import { HOST_KEY, keyLines } from "../unit/support/keys";
import { finishProgram, inputsOf, isSecret, namesOf, revealed, startEngine } from "../unit/support/mocks";
import { resolved } from "../unit/support/outputs";
import { cloudConfigOf, instanceOf, least, made, optionsOf } from "./gcpHost";

afterEach(finishProgram);

describe("access", () => {
  test("SSH from the named networks, the time from the cluster's, nothing else comes in", async () => {
    const registered = await made({ timeFrom: [pulumi.output("10.0.0.0/16")], networkTags: ["mine"] });
    const targetTags = [expect.stringMatching(/^timebase-[0-9a-f]{12}$/)];
    const rule = { network: "default", direction: "INGRESS", targetTags };
    expect(inputsOf(registered, "a-ssh")).toEqual({
      ...rule,
      priority: 900,
      sourceRanges: ["198.51.100.7/32"],
      allows: [{ protocol: "tcp", ports: ["22"] }],
    });
    expect(inputsOf(registered, "a-time")).toEqual({
      ...rule,
      priority: 900,
      sourceRanges: ["10.0.0.0/16"],
      allows: [{ protocol: "udp", ports: ["123"] }],
    });
    expect(registered.filter(({ name }) => name === "a-ptp")).toEqual([]);
    // The rules of a default network let everybody in at 65534; rules of a user's, at 1000, still count.
    expect(inputsOf(registered, "a-deny")).toEqual({
      ...rule,
      priority: 65_000,
      sourceRanges: ["0.0.0.0/0"],
      denies: [{ protocol: "all" }],
    });
    expect(inputsOf(registered, "a-instance").tags).toEqual([...inputsOf(registered, "a-ssh").targetTags, "mine"]);
  });

  test("PTP from the cluster's network, where it is wanted", async () => {
    expect(inputsOf(await made({ ptpFrom: ["10.0.0.0/16"] }), "a-ptp")).toMatchObject({
      sourceRanges: ["10.0.0.0/16"],
      allows: [{ protocol: "udp", ports: ["319", "320"] }],
    });
  });

  // The mocked engine knows transformations only; `transforms` are in cloud-hosts/hosts.test.ts.
  test("what has no argument is for a transformation, of the rules and of the instance", async () => {
    const registered = startEngine({ preview: false, cloud: gcp });
    const port = { protocol: "tcp", ports: ["8080"] };
    const beyond: pulumi.ResourceTransformation = ({ name, type, props, opts }) => {
      if (name === "a-ssh") return { props: { ...props, allows: [...props.allows, port] }, opts };
      return type === "gcp:compute/instance:Instance"
        ? { props: { ...props, labels: { team: "a" } }, opts }
        : undefined;
    };
    await resolved(new GcpHost("a", least, { transformations: [beyond] }).endpoint);
    expect(inputsOf(registered, "a-ssh").allows).toEqual([{ protocol: "tcp", ports: ["22"] }, port]);
    expect(inputsOf(registered, "a-deny").denies).toEqual([{ protocol: "all" }]);
    expect(inputsOf(registered, "a-instance").labels).toEqual({ team: "a" });
  });

  test("the rules of one stack's host are not those of another's", async () => {
    const tagsIn = async (stack: string) => {
      startEngine({ preview: false, cloud: gcp });
      const spy = vi.spyOn(pulumi, "getStack").mockReturnValue(stack);
      const tags = inputsOf(await made(), "a-ssh").targetTags;
      spy.mockRestore();
      return tags;
    };
    expect(await tagsIn("one")).not.toEqual(await tagsIn("two"));
  });

  test("from everybody is warned of", async () => {
    const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
    await made({ sshFrom: ["0.0.0.0/0"] });
    expect(warn.mock.calls.map(([line]) => line)).toEqual([
      "a: sshFrom has 0.0.0.0/0: everybody on the internet may try to log in; give the networks that you log in from",
    ]);
    warn.mockRestore();
  });

  test.each([
    ["a public address", {}, [{}], "203.0.113.30"],
    ["private addresses only", { address: HostAddress.Private }, [], "10.0.0.30"],
    ["through a bastion", { proxy: { address: "bastion.example", hostKey: HOST_KEY } }, [], "10.0.0.30"],
  ])("by %s", async (_, args, accessConfigs, address) => {
    const registered = startEngine({ preview: false, cloud: gcp });
    const endpoint = await resolved(new GcpHost("a", { ...least, ...args }).endpoint);
    const { networkInterfaces } = inputsOf(registered, "a-instance");
    expect(networkInterfaces).toEqual([{ network: "default", accessConfigs }]);
    expect(endpoint).toMatchObject({ address, privateAddress: "10.0.0.30" });
  });

  // A machine's own project has no such network: "the resource was not found", in the middle of an up.
  test.each([
    ["default", undefined],
    ["projects/shared-1/global/networks/default", "shared-1"],
    ["projects/123456789012/global/networks/a", "123456789012"],
    ["https://www.googleapis.com/compute/v1/projects/example.com:shared/global/networks/a", "example.com:shared"],
  ])("the rules of the network %s are in its project", async (network, project) => {
    for (const given of [network, pulumi.output(network)]) {
      const registered = await made({ network: given, timeFrom: ["10.0.0.0/16"] });
      const rules = registered.filter(({ type }) => type === "gcp:compute/firewall:Firewall");
      expect(rules.map(({ inputs }) => [inputs.network, inputs.project])).toEqual(rules.map(() => [network, project]));
      expect(rules).toHaveLength(3);
      expect(inputsOf(registered, "a-instance")).not.toHaveProperty("project");
    }
  });

  test("the user's network is taken", async () => {
    const registered = await made({ network: "mine", subnetwork: "mine-a", zone: "europe-west4-a" });
    expect(inputsOf(registered, "a-ssh").network).toBe("mine");
    const { networkInterfaces, zone } = inputsOf(registered, "a-instance");
    expect([networkInterfaces, zone]).toEqual([
      [{ network: "mine", subnetwork: "mine-a", accessConfigs: [{}] }],
      "europe-west4-a",
    ]);
  });
});

describe("host identity", () => {
  test("is made in the program, injected by cloud-init with the user, pinned in the endpoint", async () => {
    expect(cloudConfigOf(await instanceOf({ publicKey: HOST_KEY }))).toEqual({
      ssh_pwauth: false,
      disable_root: true,
      ssh_deletekeys: true,
      ssh_keys: { ed25519_private: MADE.hostKey.privateKey, ed25519_public: MADE.hostKey.publicKey },
      users: [
        {
          name: "timebase",
          shell: "/bin/bash",
          sudo: "ALL=(ALL) NOPASSWD:ALL",
          lock_passwd: true,
          ssh_authorized_keys: [HOST_KEY],
        },
      ],
      write_files: KEEP_HOST_KEY.map(({ path }) => expect.objectContaining({ path, append: true })),
    });
  });

  test.each([
    [OperatingSystem.Ubuntu2404, "metadata"],
    [OperatingSystem.Debian12, "metadataStartupScript"],
  ])("is not the key that logs in, whose private half no machine is told: %s", async (operatingSystem, key) => {
    const told = JSON.stringify(revealed((await instanceOf({ operatingSystem }))[key]));
    expect(told).toContain(MADE.loginKey.publicKey);
    for (const line of keyLines(MADE.hostKey.privateKey)) expect(told).toContain(line);
    for (const line of keyLines(MADE.loginKey.privateKey)) expect(told).not.toContain(line);
  });

  test("is left alone by Google's agent on Debian, too", async () => {
    const { metadataStartupScript } = await instanceOf({ operatingSystem: OperatingSystem.Debian12 });
    for (const { path } of KEEP_HOST_KEY) expect(revealed(metadataStartupScript)).toContain(`add '${path}' `);
  });

  test.each([
    [OperatingSystem.Ubuntu2404, "metadata"],
    [OperatingSystem.Debian12, "metadataStartupScript"],
  ])("has its private half in no input but the %s's %s, and that is secret", async (operatingSystem, key) => {
    const registered = await made({ operatingSystem });
    const inputs = inputsOf(registered, "a-instance");
    expect(isSecret(inputs[key])).toBe(true);
    expect(JSON.stringify(inputs[key])).toContain("PRIVATE KEY");
    expect(JSON.stringify(registered, (name, value) => (name === key ? "" : value))).not.toContain("PRIVATE KEY");
    const options = (await optionsOf({ operatingSystem }))["a-instance"];
    expect(options?.additionalSecretOutputs).toContain(key);
    // The provider replaces a machine for another script by itself.
    expect(options?.replaceOnChanges).toEqual(['metadata["user-data"]']);
  });
});

test("late arguments that are wrong leave nothing behind that costs or opens something", async () => {
  const reason = "timeFrom[0]: what was given is everybody";
  await failing(reason, async () => {
    const registered = startEngine({ preview: false, cloud: gcp });
    const { endpoint } = new GcpHost("a", { ...least, timeFrom: [pulumi.output("0.0.0.0/0")] });
    await expect(resolved(endpoint)).rejects.toThrow(reason);
    expect(namesOf(registered)).toEqual(["a", "a-host-key", "a-login-key"]);
  });
});
