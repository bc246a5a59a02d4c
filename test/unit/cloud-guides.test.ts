import { readFileSync } from "node:fs";
import { join, resolve } from "node:path";
import { describe, expect, test } from "vitest";
import { AS_OF as AWS_AS_OF, FAMILIES, PHC_REGIONS } from "../../components/hosts/aws/capabilities";
import { AS_OF as GCP_AS_OF, SERIES } from "../../components/hosts/gcp/capabilities";

// What the guides of the clouds tell whoever has an account.

const guideOf = (name: string) => readFileSync(join(resolve(__dirname, "../.."), "docs", `${name}.md`), "utf8");

describe("the tables of machines", () => {
  const yesNo = (is: boolean) => (is ? "yes" : "no");
  const named = <T>(table: Readonly<Record<string, T>>, is: (row: T) => boolean) =>
    Object.entries(table)
      .filter(([, row]) => is(row))
      .map(([name]) => name);
  const cases = [
    [true, true],
    [true, false],
    [false, true],
  ] as const;

  test.each(cases)("of Amazon's families, with nested virtualization %s and a clock %s", (nested, phc) => {
    const families = named(FAMILIES, (family) => family.nested === nested && family.phc === phc);
    expect(guideOf("aws")).toContain(`| ${families.join(", ")} | ${yesNo(nested)} | ${yesNo(phc)} |\n`);
  });

  test.each(cases)("of Google's series, with nested virtualization %s and a clock %s", (nested, ptpKvm) => {
    const series = named(SERIES, (it) => it.nested === nested && it.ptpKvm === ptpKvm);
    expect(guideOf("gcp")).toContain(`| ${series.join(", ")} | ${yesNo(nested)} | ${yesNo(ptpKvm)} |\n`);
  });

  test("of the clock without a placement group, and of the day", () => {
    const words = guideOf("aws").replaceAll(/\s+/g, " ");
    const families = named(FAMILIES, ({ phcWithoutGroup }) => phcWithoutGroup).join(", ");
    expect(words).toContain(`${families} have it without one in ${PHC_REGIONS.join(", ")}.`);
    expect(words).toContain(`as of ${AWS_AS_OF}`);
    expect(guideOf("gcp")).toContain(`as of ${GCP_AS_OF}`);
  });
});
