/**
 * How tests get port 22 of loopback, at which their machines answer. An ordinary user may not listen there, and nobody can
 * where sshd listens at all addresses.
 */
import { execa } from "execa";

/** A way to start a program, so that it and all that it starts can listen on port 22. */
export interface Way {
  /** What is said before it is tried; nothing where nothing is done. */
  readonly says?: string;
  /** Run once, before. */
  readonly before?: readonly string[];
  /** What the program's command line follows. */
  readonly by: readonly string[];
}

export interface User {
  readonly uid: number;
  readonly gid: number;
  /** Whether sudo works, and asks for no password. */
  readonly maySudo: boolean;
}

/** The best first. */
export type Ways = (user: User) => Way[];

const asItIs: Way = { by: [] };
const allow = "sysctl -qw net.ipv4.ip_unprivileged_port_start=22";

/** For tests that need more than loopback, as virtual machines do, which fetch packages. */
export function onThisComputer({ uid, maySudo }: User): Way[] {
  const allowed = {
    says: `allowing everybody to listen on port 22 and above: sudo ${allow}`,
    before: ["sudo", "-n", ...allow.split(" ")],
    by: [],
  };
  return uid !== 0 && maySudo ? [asItIs, allowed] : [asItIs];
}

/** For tests that need nothing but loopback: this computer stays as it is, and its sshd is in nobody's way. */
export function inTheirOwnNetwork({ uid, gid, maySudo }: User): Way[] {
  const says = (by: string) => `port 22 of loopback is not to be had, so these tests get a network of their own: ${by}`;
  const unshare = uid === 0 ? "unshare --net" : "unshare --user --map-root-user --net";
  const loopback = "ip link set lo up";
  const own = { says: says(unshare), by: [...unshare.split(" "), ...shell(`${loopback} && exec "$@"`)] };
  // For who may have no name space. There the setting is that network's own. What sudo makes of PATH is undone.
  const asUser = `exec setpriv --reuid=${uid} --regid=${gid} --init-groups "$@"`;
  const bySudo = {
    says: says("sudo unshare --net"),
    by: shell(
      `exec sudo -n --preserve-env unshare --net sh -c '${loopback} && ${allow} && ${asUser}' sh env "PATH=$PATH" "$@"`,
    ),
  };
  return uid !== 0 && maySudo ? [asItIs, own, bySudo] : [asItIs, own];
}

function shell(script: string): string[] {
  return ["sh", "-c", script, "sh"];
}

/**
 * What a program's command line has to follow, so that it can listen on port 22: by the first way that works.
 * @throws an Error that tells the remedy
 */
export async function port22(ways: Ways, progress: (text: string) => void): Promise<readonly string[]> {
  const [uid, gid] = [process.getuid?.() ?? 0, process.getgid?.() ?? 0];
  const maySudo = (await execa("sudo", ["-n", "true"], { reject: false })).exitCode === 0;
  return firstThatWorks(ways({ uid, gid, maySudo }), progress, failureOf);
}

/** @param failureOf why a program that is started so can not listen; nothing if it can */
export async function firstThatWorks(
  ways: readonly Way[],
  progress: (text: string) => void,
  failureOf: (way: Way) => Promise<string | undefined>,
): Promise<readonly string[]> {
  const failures: string[] = [];
  for (const way of ways) {
    // A setting would be changed for nothing.
    if (way.before !== undefined && isTaken(failures[0])) continue;
    if (way.says !== undefined) progress(way.says);
    const failure = await failureOf(way);
    if (failure === undefined) return way.by;
    failures.push(failure);
  }
  throw new Error(`These tests listen on port 22 of loopback. ${remedyOf(failures[0])}\n${failures.join("\n")}`);
}

/** @param failure of who does nothing about it */
function remedyOf(failure?: string): string {
  return isTaken(failure)
    ? "Something listens there at all addresses, as sshd may: run them where nothing does."
    : `Allow it, as root: ${allow}`;
}

function isTaken(failure = ""): boolean {
  return failure.includes("EADDRINUSE");
}

/** At an address that no stand-in for a cloud gives away. */
const listen = `require("node:net").createServer()
  .once("error", ({ message }) => { console.log(message); process.exitCode = 1; })
  .listen({ host: "127.78.0.254", port: 22 }, function () { this.close(); });`;

async function failureOf({ before = [], by }: Way): Promise<string | undefined> {
  for (const [program, ...args] of [before, [...by, process.execPath, "-e", listen]]) {
    if (program === undefined) continue;
    const { failed, all, shortMessage } = (await execa(program, args, { reject: false, all: true })) as Outcome;
    if (failed) return all || shortMessage;
  }
  return undefined;
}

interface Outcome {
  failed: boolean;
  all?: string;
  shortMessage?: string;
}
