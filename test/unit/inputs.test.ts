import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { expect, test } from "vitest";
import { checkInputs } from "../../components/inputs";
import { argsWith } from "../../components/plan/validate";
import { hostFields } from "../../components/plan/validateHost";
import { HOST_KEY, PEM_KEY } from "./support/keys";

const check = (plain: object, resolved: object) =>
  checkInputs("TimeSync", "a", { endpoint: plain }, argsWith(hostFields))({ endpoint: resolved });
const messageOf = (work: () => unknown): string => {
  try {
    work();
    return "accepted";
  } catch (error) {
    return JSON.stringify(error, Object.getOwnPropertyNames(error));
  }
};

// A secret of a user who put it into the wrong property must not come out in the message.
test.each(["address", "user", "privateAddress", "generation", "hostKey", "privateKey", "port"])(
  "what comes through an output is never quoted: %s",
  (key) => {
    const good = { name: "a", address: "a.example", hostKey: HOST_KEY };
    for (const secret of ["hunter2 secret", PEM_KEY, PEM_KEY.split("\n")[1]]) {
      const message = messageOf(() => check({ ...good, [key]: pulumi.output("") }, { ...good, [key]: secret }));
      if (secret === "hunter2 secret") expect(message).toContain(`endpoint.${key}`);
      expect(message).not.toContain("hunter2");
      expect(message).not.toContain(PEM_KEY.split("\n")[1]?.slice(0, 20));
    }
  },
);

test("what is plain is quoted, unless it is a key", () => {
  const args = (address: string) => ({ name: "a", address, hostKey: HOST_KEY });
  expect(messageOf(() => check(args("no address"), {}))).toContain("no address");
  const message = messageOf(() => check(args(PEM_KEY), {}));
  expect(message).toContain("not the text of a private key");
  expect(message).not.toContain(PEM_KEY.split("\n")[1]?.slice(0, 20));
});

test("an error shows where in the user's program it is, and nothing of the library's way to it", () => {
  let error: unknown;
  try {
    check({ name: "a", address: "no address", hostKey: HOST_KEY }, {});
  } catch (caught) {
    error = caught;
  }
  expect(pulumi.InputPropertiesError.isInstance(error)).toBe(true);
  const lines = inspect(error).split("\n");
  expect(lines.slice(0, 2)).toEqual([
    'TimeSync "a" has 1 input error:',
    expect.stringMatching(/^ {2}endpoint\.address: .*"no address"/),
  ]);
  const frames = lines.slice(2);
  expect(frames.length).toBeGreaterThan(0);
  for (const frame of frames) expect(frame).toContain(__filename);
});
