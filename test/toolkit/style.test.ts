import { spawnSync } from "node:child_process";
import path from "node:path";
import { expect, test } from "vitest";

const toolkit = path.join(__dirname, "../../toolkit");
const run = (command: string, ...args: string[]) => {
  const { status, stdout, stderr, error } = spawnSync(command, args, { cwd: toolkit, encoding: "utf8" });
  return {
    status,
    output: `${stdout ?? ""}${stderr ?? ""}${error ? `${error.message}: run \`npm test\`, which installs it` : ""}`,
  };
};

// Followed from the entry, so that a variable of one module that no other reads, or sets, is found.
test("the toolkit is clean for shellcheck", () => {
  expect(run("shellcheck", "-x", "timebase")).toEqual({ status: 0, output: "" });
});

test("what an example runs on its hosts is clean and formatted, too", () => {
  const script = "../examples/celestial/prepare-host.sh";
  expect(run("shellcheck", script)).toEqual({ status: 0, output: "" });
  expect(run("shfmt", "-i", "2", "-ci", "-d", script)).toEqual({ status: 0, output: "" });
});

test("the toolkit is formatted: `shfmt -i 2 -ci -w toolkit`", () => {
  expect(run("shfmt", "-i", "2", "-ci", "-d", ".")).toEqual({ status: 0, output: "" });
});
