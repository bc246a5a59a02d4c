import { readFileSync } from "node:fs";
import { join } from "node:path";
import { Analyzer } from "@pulumi/pulumi/provider/experimental/analyzer";
import { generateSchema } from "@pulumi/pulumi/provider/experimental/schema";
import { describe, expect, test } from "vitest";

// The same analysis that `pulumi package get-schema` runs: it decides what users of Python, Go, C# and YAML get.

const root = join(__dirname, "../..");
const components = {
  ExperimentCluster: ["hosts", "pairwiseBoundNs", "ready", "summary", "timescale"],
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

describe("the schema for other languages", () => {
  const { manifest, components: found, typeDefinitions, dependencies } = analyze();

  test.each(Object.entries(components))("%s has exactly its outputs", (name, outputs) => {
    expect(Object.keys(found[name]?.outputs ?? {}).sort()).toEqual(outputs);
  });

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

  test("the enums keep the field's own words", () => {
    const members = (name: string) => typeDefinitions[name]?.enum?.map(({ value }) => value);
    expect(members("RebootPolicy")).toEqual(["to-prove", "if-needed", "never"]);
    expect(members("Verdict")).toEqual(["pass", "fail", "warn", "not-applicable"]);
    expect(members("GuestPtp")).toEqual(["required", "reported"]);
    expect(members("Topology")).toEqual(["hub", "sources"]);
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
