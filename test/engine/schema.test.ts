import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Analyzer } from "@pulumi/pulumi/provider/experimental/analyzer";
import { generateSchema } from "@pulumi/pulumi/provider/experimental/schema";
import { describe, expect, test } from "vitest";
import * as timebase from "../../components";

// The same analysis that `pulumi package get-schema` runs: it decides what users of Python, Go, C# and YAML get.

const root = join(__dirname, "../..");
const components = {
  AwsHost: ["endpoint", "imageId", "instanceId"],
  ExperimentCluster: ["guestChronyConfs", "hosts", "pairwiseBoundNs", "ready", "summary", "timescale"],
  GcpHost: ["endpoint", "image", "instanceId"],
  HostClock: ["clocksource", "errorBoundNs", "evidence", "guestPtp", "timescale"],
  LocalVm: ["endpoint"],
  PtpVerification: ["evidence", "guestPtp"],
  SshHost: ["endpoint"],
  TimeSync: ["errorBoundNs", "evidence", "source", "timescale"],
  TscClocksource: ["bootParametersLive", "clocksource", "evidence"],
} as const;

function analyze() {
  // package.json names what is built; the analyzer looks for the sources, and follows the imports of the root program.
  const manifest = JSON.parse(readFileSync(join(root, "package.json"), "utf8"));
  return { manifest, ...new Analyzer(root, "timebase", manifest, new Set(Object.keys(components))).analyze() };
}

function textOf(work: () => unknown): string {
  try {
    return `accepted: ${work()}`;
  } catch (error) {
    return String(error);
  }
}

describe("the schema for other languages", () => {
  const { manifest, components: found, typeDefinitions, dependencies } = analyze();

  test.each(Object.entries(components))("%s has exactly its outputs", (name, outputs) => {
    expect(Object.keys(found[name]?.outputs ?? {}).sort()).toEqual(outputs);
  });

  // It stands for three components in one, so an argument of a part that it lacks cannot be had with one reboot.
  test("HostClock takes the arguments of its three parts, with the same words", () => {
    const parts = ["TscClocksource", "TimeSync", "PtpVerification"].map((name) => found[name]?.inputs);
    expect(found.HostClock?.inputs).toEqual(Object.assign({}, ...parts));
  });

  // Two tables say what there is: the interfaces, and the rules that refuse everything else.
  const constructors = { ...timebase };
  const no = { qqqqqqqqqqqqqqqq: 1 };
  const wrong = {
    TscClocksource: no,
    TimeSync: { ...no, sources: [{ ...no, key: no }], pairs: [{ ...no, key: no }], keys: [no] },
    PtpVerification: no,
    HostClock: no,
    SshHost: { ...no, proxy: no },
    AwsHost: { ...no, proxy: no },
    GcpHost: { ...no, proxy: no },
    LocalVm: { ...no, image: no },
    ExperimentCluster: { ...no, key: no, hosts: [{ ...no, endpoint: { ...no, machine: no } }] },
  } as const satisfies Record<keyof typeof components, object>;
  const types = {
    "sources[0].": "TimeSourceArgs",
    "sources[0].key.": "TimeKeyArgs",
    "pairs[0].": "TimePairArgs",
    "pairs[0].key.": "TimeKeyArgs",
    "keys[0].": "TimeKeyArgs",
    "key.": "TimeKeyArgs",
    "proxy.": "ProxyEndpointArgs",
    "image.": "LocalVmImageArgs",
    "hosts[0].": "ExperimentHostArgs",
    "hosts[0].endpoint.": "HostEndpointArgs",
    "hosts[0].endpoint.machine.": "HostMachine",
  } as const;
  test.each(Object.entries(wrong))(
    "%s accepts exactly the arguments that it declares, at every level",
    (name, args) => {
      const component = constructors[name as keyof typeof components] as new (name: string, args: object) => unknown;
      const accepted = [...textOf(() => new component("a", args)).matchAll(/^ {2}(\S*)q{16}: .* there are (.*)$/gm)];
      expect(accepted).toHaveLength(JSON.stringify(args).split("qqqqqqqqqqqqqqqq").length - 1);
      for (const [, path = "", fields] of accepted) {
        const declared =
          path === "" ? found[name]?.inputs : typeDefinitions[types[path as keyof typeof types]]?.properties;
        expect([path, fields?.split(", ").sort()]).toEqual([path, Object.keys(declared ?? {}).sort()]);
      }
    },
  );

  test("every component, input, output, field and enum member is described", () => {
    const undescribed = [
      ...Object.values(found).flatMap(({ name, description, inputs, outputs }) => [
        ...(description ? [] : [name]),
        ...Object.entries({ ...inputs, ...outputs }).flatMap(([key, { description }]) =>
          description ? [] : `${name}.${key}`,
        ),
      ]),
      ...Object.values(typeDefinitions).flatMap(({ name, properties = {}, enum: members = [] }) => [
        ...Object.entries(properties).flatMap(([key, { description }]) => (description ? [] : `${name}.${key}`)),
        ...members.flatMap((member) => (member.description ? [] : `${name}.${member.name}`)),
      ]),
    ];
    expect(undescribed).toEqual([]);
  });

  test("what decides which resources there are is plain, the rest may become known later", () => {
    for (const name of ["TscClocksource", "HostClock", "ExperimentCluster"]) {
      const { inputs } = found[name] ?? {};
      expect(inputs?.revertReboot, name).toMatchObject({ type: "boolean", plain: true, optional: true });
      for (const key of ["override", "force", "required"]) {
        expect(inputs?.[key], `${name}.${key}`).toMatchObject({ type: "boolean", optional: true });
        expect(inputs?.[key]?.plain, `${name}.${key}`).toBeFalsy();
      }
    }
  });

  test("what a cloud's machine is judged by is plain, and what it is given may become known later", () => {
    for (const [name, type] of [
      ["AwsHost", "instanceType"],
      ["GcpHost", "machineType"],
    ] as const) {
      const inputs = found[name]?.inputs ?? {};
      const plain = Object.keys(inputs).filter((key) => inputs[key]?.plain);
      const judged = ["operatingSystem", "sshFrom", "timeFrom", "ptpFrom", "guests", "phc", "spot", "address", type];
      expect(plain.sort(), name).toEqual([...judged, ...(name === "AwsHost" ? ["region"] : [])].sort());
      expect(inputs.sshFrom).toMatchObject({ type: "array", items: { type: "string" } });
      expect(inputs.sshFrom?.items?.plain, "items may become known later").toBeFalsy();
      const required = Object.keys(inputs).filter((key) => !inputs[key]?.optional);
      expect(required.sort()).toEqual(["operatingSystem", "sshFrom"]);
    }
  });

  test("the enums keep the field's own words", () => {
    const members = (name: string) => typeDefinitions[name]?.enum?.map(({ value }) => value);
    expect(members("RebootPolicy")).toEqual(["to-prove", "if-needed", "never"]);
    expect(members("Verdict")).toEqual(["pass", "fail", "warn", "not-applicable"]);
    expect(members("GuestPtp")).toEqual(["required", "reported"]);
    expect(members("HostPhc")).toEqual(["none", "if-available", "required"]);
    expect(members("HostAddress")).toEqual(["public", "private"]);
    expect(members("Topology")).toEqual(["hub", "provider", "ptp"]);
    expect(members("TimeSourceKind")).toEqual([
      ...["server", "pool", "aws-ntp", "aws-phc", "gcp-ntp", "gcp-phc", "azure-phc", "phc", "ptp", "auto"],
    ]);
    expect(members("TimeKeyType")).toEqual(["AES128", "AES256", "SHA1", "SHA256", "SHA384", "SHA512"]);
    expect(members("OperatingSystem")).toContain("amazon-linux-2");
  });

  test("it is a complete package schema", () => {
    const schema = generateSchema(
      "timebase",
      manifest.version,
      manifest.description,
      found,
      typeDefinitions,
      dependencies,
    );
    expect(Object.keys(schema.resources).sort()).toEqual(
      Object.keys(components).map((name) => `timebase:index:${name}`),
    );
  });
});
