import * as pulumi from "@pulumi/pulumi";
import { afterEach, describe, expect, test, vi } from "vitest";
import {
  AwsHost,
  type AwsHostArgs,
  Delivery,
  ExperimentCluster,
  type ExperimentClusterArgs,
  type ExperimentHostArgs,
  firstBootPlan,
  GcpHost,
  type GcpHostArgs,
  GuestPtp,
  HostClock,
  HostPhc,
  OperatingSystem,
  PtpVerification,
  TimeSourceKind,
  TimeSync,
  Topology,
  TscClocksource,
} from "../../components";
import { aws, gcp } from "../unit/support/clouds";
import { hosts as others } from "../unit/support/cluster";
import { failing } from "../unit/support/failures";
import { finishProgram, namesOf, startEngine } from "../unit/support/mocks";
import { isKnown, resolved } from "../unit/support/outputs";

// What is known of machines before they are there, as a cluster in the same program gets it: in a preview the mocked clouds
// have no addresses.

afterEach(finishProgram);

const cloud = { resources: { ...aws.resources, ...gcp.resources }, functions: { ...aws.functions, ...gcp.functions } };
const least = { operatingSystem: OperatingSystem.Ubuntu2204, sshFrom: ["198.51.100.7/32"], guests: true };
const time = { timeFrom: ["10.0.0.0/16"] };
const amazon = (name: string, more: Partial<AwsHostArgs> = {}): ExperimentHostArgs => ({
  name,
  endpoint: new AwsHost(name, { ...least, ...more }).endpoint,
});
const google = (name: string, more: Partial<GcpHostArgs> = {}): ExperimentHostArgs => ({
  name,
  endpoint: new GcpHost(name, { ...least, ...more }).endpoint,
});

/** What the cluster `c` is warned of. */
async function doubts(
  hosts: () => ExperimentHostArgs[],
  args: Partial<ExperimentClusterArgs> = {},
  preview = true,
): Promise<string[]> {
  const registered = startEngine({ preview, cloud });
  const warn = vi.spyOn(pulumi.log, "warn").mockResolvedValue();
  const cluster = new ExperimentCluster("c", { hosts: hosts(), ...args });
  await (preview ? resolved(cluster.urn) : resolved(cluster.ready));
  await finishProgram();
  const said = warn.mock.calls.map(([line]) => line);
  warn.mockRestore();
  expect(namesOf(registered)).toContain("c-a-prove");
  return said;
}

/** That the cluster `c` is refused, for this and nothing else. */
async function refused(
  reason: string,
  hosts: () => ExperimentHostArgs[],
  args: Partial<ExperimentClusterArgs> = {},
  preview = true,
): Promise<void> {
  await failing(reason, async () => {
    const registered = startEngine({ preview, cloud });
    const cluster = new ExperimentCluster("c", { hosts: hosts(), ...args });
    await expect(resolved(cluster.ready)).rejects.toThrow(`ExperimentCluster "c" has 1 input error:\n  ${reason}`);
    await finishProgram().catch(() => {});
    expect(namesOf(registered)).not.toContain("c-a-converge");
  });
}

const SERVICES = [{ kind: TimeSourceKind.AwsNtp }, { kind: TimeSourceKind.GcpNtp }];
const provider = { topology: Topology.Provider } as const;

describe("the endpoint of a machine that is not there yet", () => {
  test("tells what is known of it, and is itself not known", async () => {
    startEngine({ preview: true, cloud });
    const { endpoint } = new AwsHost("a", { ...least, ...time });
    expect(await isKnown(endpoint)).toBe(false);
    expect(await isKnown(endpoint.address)).toBe(false);
    expect(await resolved((endpoint.machine as unknown as pulumi.Output<{ guests: boolean }>).guests)).toBe(true);
    expect(await resolved(endpoint.user)).toBe("ubuntu");
  });
});

describe("guests", () => {
  const reason = 'guestPtp: required, which is the default, needs guests: true on "b"; or take GuestPtp.Reported';
  const hosts = () => [amazon("a"), amazon("b", { guests: false })];

  test.each([true, false])("that a machine cannot have are refused, in a preview or not: %s", async (preview) => {
    await refused(reason, hosts, provider, preview);
    const mixed = () => [amazon("a"), google("b", { guests: false })];
    await refused(reason, mixed, { ...provider, sources: SERVICES }, preview);
  });

  test("may be missing where that is to be reported, and on bare metal need no wish", async () => {
    expect(await doubts(hosts, { ...provider, guestPtp: GuestPtp.Reported })).toEqual([]);
    expect(await doubts(hosts, { ...provider, guestPtp: pulumi.output(GuestPtp.Reported) })).toEqual([]);
    const metal = { guests: false, instanceType: "m7i.metal-24xl" };
    expect(await doubts(() => [amazon("a", metal)])).toEqual([]);
  });

  test("are refused beside a host of which nothing is known", async () => {
    const args = { ...provider, maxErrorMicros: pulumi.output(1000) };
    await refused(reason, () => [...hosts(), ...others.slice(0, 1)], args);
  });
});

describe("a declared system", () => {
  const reason =
    'is "debian-12", and the machine is made with "ubuntu-22.04": give both the same, or leave it out here';

  test.each([true, false])("that the machine is not made with is refused, in a preview or not: %s", async (preview) => {
    const hosts = () => [amazon("a"), { ...google("b"), operatingSystem: pulumi.output(OperatingSystem.Debian12) }];
    await refused(`hosts[1].operatingSystem: ${reason}`, hosts, { ...provider, sources: SERVICES }, preview);
  });

  const components = { HostClock, TscClocksource, TimeSync, PtpVerification };
  const clockOn = (name: keyof typeof components, operatingSystem: pulumi.Input<OperatingSystem>) => {
    const { endpoint } = new AwsHost("a", least);
    const sources = [{ kind: TimeSourceKind.AwsNtp }];
    return new components[name]("c", {
      endpoint,
      operatingSystem,
      ...(/Clock$|Sync$/.test(name) ? { sources } : {}),
    } as never);
  };

  test.each(Object.keys(components) as (keyof typeof components)[])("is refused by a %s alone, too", async (name) => {
    await failing(reason, async () => {
      const registered = startEngine({ preview: true, cloud });
      const { evidence } = clockOn(name, OperatingSystem.Debian12);
      await expect(resolved(evidence)).rejects.toThrow(`${name} "c" has 1 input error:\n  operatingSystem: ${reason}`);
      await finishProgram().catch(() => {});
      expect(namesOf(registered)).not.toContain("c-converge");
    });
  });

  test("that is a secret in the wrong place is not quoted", async () => {
    await failing("what was given", async () => {
      startEngine({ preview: false, cloud });
      const { evidence } = clockOn("HostClock", pulumi.secret("hunter2" as OperatingSystem));
      await expect(resolved(evidence)).rejects.toThrow(/operatingSystem: must be one of .* not what was given$/);
      await finishProgram().catch(() => {});
    });
  });

  test("may be that of the machine, or one of a host of which nothing is known", async () => {
    const [other] = others;
    const hosts = () => [
      { ...amazon("a"), operatingSystem: OperatingSystem.Ubuntu2204 },
      ...(other ? [{ ...other, operatingSystem: OperatingSystem.Debian12 }] : []),
    ];
    expect(await doubts(hosts, { ...provider, sources: [{ kind: TimeSourceKind.AwsNtp }] })).toEqual([]);
  });
});

describe("a host that nobody may ask", () => {
  const closed = 'lets nobody ask it for the time (UDP port 123): give the AwsHost timeFrom, such as ["10.0.0.0/16"]';

  test("is no hub, is not measured, and does no PTP, in AWS", async () => {
    await refused(`hosts[0].endpoint: ${closed}`, () => [amazon("a"), amazon("b", time)]);
    await refused(`hosts[1].endpoint: ${closed}`, () => [amazon("a", time), amazon("b")], { hubs: ["b"] });
    await refused(`hosts[0].endpoint: ${closed}`, () => [amazon("a"), amazon("b")], {
      ...provider,
      measurePairs: true,
    });
    const ptpFrom = time.timeFrom;
    await refused(
      "hosts[1].endpoint: lets nobody do PTP with it (UDP ports 319 and 320): give the AwsHost ptpFrom",
      () => [amazon("a", { ptpFrom }), amazon("b")],
      { topology: Topology.Ptp },
    );
  });

  test("is warned of where rules of the user's may let somebody in", async () => {
    const mine = { securityGroupIds: ["sg-0123456789abcdef0"] };
    expect(await doubts(() => [amazon("a", mine), amazon("b")])).toEqual([
      'ExperimentCluster "c": hosts[0].endpoint: lets nobody ask it for the time (UDP port 123), unless rules of yours do ' +
        '(securityGroupIds): give the AwsHost timeFrom, such as ["10.0.0.0/16"], the network of the other hosts',
    ]);
    expect(await doubts(() => [google("a"), google("b")])).toEqual([
      expect.stringContaining("unless rules of yours do (networkTags, or of the network): give the GcpHost timeFrom"),
    ]);
  });

  test("is no matter where nobody asks", async () => {
    expect(await doubts(() => [amazon("a")])).toEqual([]);
    expect(await doubts(() => [amazon("a", time), amazon("b")])).toEqual([]);
    expect(await doubts(() => [amazon("a"), amazon("b")], provider)).toEqual([]);
  });
});

describe("hosts of two clouds", () => {
  const apart =
    "hosts of AWS and of Google Cloud do not reach each other by the addresses that their clouds give them: ";
  const hosts = () => [amazon("a", time), google("g", time)];

  test("do not ask each other for the time", async () => {
    const reason = `topology: ${apart}take Topology.Provider with the sources aws-ntp and gcp-ntp`;
    await refused(reason, hosts);
    await refused(reason, hosts, {}, false);
    await refused(`measurePairs: ${apart}leave it out`, hosts, { ...provider, measurePairs: true, sources: SERVICES });
  });

  test("may do so in a stated network, or by stated addresses", async () => {
    expect(await doubts(hosts, { network: "10.0.0.0/16" }, false)).toEqual([]);
    const joined = ({ name, endpoint }: ExperimentHostArgs, privateAddress: string) => ({
      name,
      endpoint: pulumi.output(endpoint).apply((known) => ({ ...known, privateAddress })),
    });
    const inVpn = () => hosts().map((host, index) => joined(host, `10.99.0.${index + 1}`));
    expect(await doubts(inVpn)).toEqual([]);
    expect(await doubts(inVpn, {}, false)).toEqual([]);
  });

  test("have one time by their services, and are warned of what else they would take by themselves", async () => {
    expect(await doubts(hosts, { ...provider, sources: SERVICES })).toEqual([]);
    expect(await doubts(hosts, provider)).toEqual([
      expect.stringContaining("sources: of kind auto take the clock of the hardware where a machine has one"),
    ]);
  });
});

describe("a plan that machines are told at their first boot", () => {
  const told = { ...provider, delivery: Delivery.CloudInit, toolkitUrl: "https://example.test/toolkit" } as const;
  const hosts = () => ["a", "b"].map((name) => amazon(name, { firstBoot: firstBootPlan("c", name, told) }));

  test.each([true, false])(
    "is warned of where another is delivered by SSH, in a preview or not: %s",
    async (preview) => {
      expect(await doubts(() => [...hosts(), amazon("s")], provider, preview)).toEqual([
        'ExperimentCluster "c": delivery: is by SSH, and what the machines of "a", "b" are told at their first boot is compared ' +
          "with nothing: give the cluster what firstBootPlan was given, with delivery: Delivery.CloudInit",
      ]);
      expect(await doubts(hosts, told, preview)).toEqual([]);
    },
  );
});

describe("sources", () => {
  const ofKind = (...kinds: TimeSourceKind[]) => ({ ...provider, sources: kinds.map((kind) => ({ kind })) });

  test("that a machine cannot have are refused, where there is no other", async () => {
    await refused(
      'sources: "a" has none of aws-phc: its machine has aws-ntp; for the clock give it phc: HostPhc.Required',
      () => [amazon("a")],
      ofKind(TimeSourceKind.AwsPhc),
    );
    await refused(
      'sources: "a" has none of gcp-ntp: its machine has aws-ntp; take of these',
      () => [amazon("a")],
      ofKind(TimeSourceKind.GcpNtp),
    );
    await refused(
      'sources: "b" has none of aws-ntp: its machine has gcp-ntp, gcp-phc',
      () => [amazon("a"), google("b")],
      ofKind(TimeSourceKind.AwsNtp),
    );
    const phc = { phc: HostPhc.Required, instanceType: "m7i.large" };
    expect(await doubts(() => [amazon("a", phc)], ofKind(TimeSourceKind.AwsPhc))).toEqual([]);
    expect(await doubts(() => [google("a")], { ...ofKind(TimeSourceKind.GcpPhc), maxErrorMicros: 1500 })).toEqual([]);
    // Of the sources of a hub, a client needs none.
    const sources = [{ kind: TimeSourceKind.AwsPhc }];
    expect(await doubts(() => [amazon("a", { ...time, ...phc }), amazon("b")], { sources })).toEqual([]);
  });

  test("without the clock that a machine was made for are warned of", async () => {
    const phc = { phc: HostPhc.Required };
    const warning =
      'sources: do not have the clock that phc: HostPhc.Required got for "a": take aws-phc or auto, or leave';
    expect(await doubts(() => [amazon("a", phc)], ofKind(TimeSourceKind.AwsNtp))).toEqual([
      expect.stringContaining(warning),
    ]);
    expect(await doubts(() => [amazon("a", phc)], ofKind(TimeSourceKind.Auto))).toEqual([]);
    expect(await doubts(() => [amazon("a", phc)], provider)).toEqual([]);
  });
});
