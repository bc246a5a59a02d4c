import { execa } from "execa";
import { describe, expect, test } from "vitest";
import { firstThatWorks, inTheirOwnNetwork, onThisComputer, type Way } from "../../rig/port-22";

const forbidden = "listen EACCES: permission denied 127.78.0.254:22";
const taken = "listen EADDRINUSE: address already in use 127.78.0.254:22";
const SETTING = "sysctl -qw net.ipv4.ip_unprivileged_port_start=22";
const user = { uid: 1000, gid: 100, maySudo: false };
const sudoer = { ...user, maySudo: true };
const root = { uid: 0, gid: 0, maySudo: true };

/** What is chosen, and said before, where these fail. */
async function chosen(ways: Way[], failures: (string | undefined)[]) {
  const said: string[] = [];
  const tried: Way[] = [];
  const by = await firstThatWorks(
    ways,
    (text) => said.push(text),
    async (way) => failures[tried.push(way) - 1],
  );
  return { by, said, tried: tried.length };
}

describe("port 22 of loopback, for tests", () => {
  test("is had as it is, and nothing is said or done, where that works", async () => {
    for (const ways of [inTheirOwnNetwork, onThisComputer].flatMap((of) => [user, sudoer, root].map(of))) {
      expect(await chosen(ways, [])).toEqual({ by: [], said: [], tried: 1 });
      expect(ways[0]).toEqual({ by: [] });
    }
  });

  test("is one of a network of their own where it may not be had, or is taken", async () => {
    for (const failure of [forbidden, taken]) {
      const { by, said } = await chosen(inTheirOwnNetwork(user), [failure]);
      expect(by.join(" ")).toMatch(/^unshare --user --map-root-user --net sh -c /);
      expect(said).toEqual([expect.stringContaining("a network of their own: unshare --user --map-root-user --net")]);
    }
    expect((await chosen(inTheirOwnNetwork(root), [taken])).by.join(" ")).toMatch(/^unshare --net sh -c /);
  });

  test("is one of a network by sudo where the user may have none", async () => {
    const { by, said } = await chosen(inTheirOwnNetwork(sudoer), [taken, "unshare: Operation not permitted"]);
    expect(by.join(" ")).toContain("sudo -n --preserve-env unshare --net");
    expect(by.join(" ")).toContain("setpriv --reuid=1000 --regid=100 --init-groups");
    expect(said).toHaveLength(2);
  });

  test("is allowed to all by sudo for who needs this computer's network", async () => {
    const ways = onThisComputer(sudoer);
    expect(await chosen(ways, [forbidden])).toMatchObject({
      by: [],
      said: [expect.stringContaining(`sudo ${SETTING}`)],
    });
    expect(ways[1]?.before).toEqual(["sudo", "-n", ...SETTING.split(" ")]);
  });

  test("is refused with the remedy where nothing works, never skipped", async () => {
    await expect(chosen(onThisComputer(user), [forbidden])).rejects.toThrow(
      `Allow it, as root: ${SETTING}\n${forbidden}`,
    );
    // Nor is anything changed that would not help.
    await expect(chosen(onThisComputer(sudoer), [taken])).rejects.toThrow("Something listens there at all addresses");
    const all = chosen(inTheirOwnNetwork(user), [forbidden, "unshare: Operation not permitted"]);
    await expect(all).rejects.toThrow(`${forbidden}\nunshare: Operation not permitted`);
  });

  // Without the name space, which not every computer gives.
  test("leaves a command line as it is on its way through the shell", async () => {
    const words = ["printf", "%s|", "a b", "$HOME", "'\""];
    const [own] = inTheirOwnNetwork(user).slice(1);
    const by = own?.by.slice(own.by.indexOf("sh")).map((word) => word.replace("ip link set lo up", "true")) ?? [];
    const [program = "", ...args] = [...by, ...words];
    expect((await execa(program, args)).stdout).toBe("a b|$HOME|'\"|");
  });
});
