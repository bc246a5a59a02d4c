import type { Preview, PreviewedHost, PreviewedResource } from "./preview";

/**
 * A preview for people.
 * @param madeUp the settings of its configuration that nobody gave
 */
export function previewText({ project, stack, resources, hosts }: Preview, madeUp: readonly string[]): string {
  return [
    `What \`pulumi up\` of ${project} would make in a new stack ("${stack}"), without its configured account.`,
    "<name.field> and [known later] are what only a cloud decides. --json has everything of each resource.",
    ...(madeUp.length > 0 ? [`Made up, until you give yours by --config or --stack: ${madeUp.join(", ")}`] : []),
    "",
    `${counted(resources.length, "resource")}:`,
    ...resources.flatMap(resourceLines),
    "",
    `${counted(hosts.length, "host")}:`,
    ...hosts.flatMap(hostLines),
    "",
  ].join("\n");
}

function counted(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}

function resourceLines({ type, name, inputs }: PreviewedResource): string[] {
  // How the toolkit is brought and called is the same for every host; what it is told is shown with the host.
  const isToolkit = /^command:remote:/.test(type) && /\.timebase-/.test(String(inputs.remotePath ?? inputs.create));
  if (isToolkit) return [`  ${name} (${type}, by the toolkit)`];
  return [`  ${name} (${type})`, ...Object.entries(inputs).map(([key, value]) => `      ${key}: ${short(value)}`)];
}

/** On one line: of a longer text its first one. A plan is shown with its host. */
function short(value: unknown): string {
  if (typeof value !== "string") return JSON.stringify(value);
  const [first = "", ...more] = value.trimEnd().split("\n");
  return more.length === 0 ? first : `${first} ... (${counted(more.length, "more line")})`;
}

function hostLines({ name, plan, reboot }: PreviewedHost): string[] {
  const lines = plan?.trimEnd().split("\n") ?? [];
  return [`  ${name}`, `      ${reboot}`, ...lines.map((line) => `        ${line}`)];
}
