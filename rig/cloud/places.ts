/** Where in its cloud something is: by its own properties, else by its provider's configuration, else by the environment. Pure. */
import { type Inputs, RESOURCES } from "./resources";

/** What a provider is configured with. */
export type Settings = Readonly<Partial<Record<Setting, string>>>;

export type Setting = "region" | "zone" | "project";

/** In which variables each provider looks: `provider.js` and `config/vars.js` of the SDKs that are installed. */
export const VARIABLES: Readonly<Record<string, Readonly<Partial<Record<Setting, readonly string[]>>>>> = {
  aws: { region: ["AWS_REGION", "AWS_DEFAULT_REGION"] },
  gcp: {
    region: ["GOOGLE_REGION", "GCLOUD_REGION", "CLOUDSDK_COMPUTE_REGION"],
    zone: ["GOOGLE_ZONE", "GCLOUD_ZONE", "CLOUDSDK_COMPUTE_ZONE"],
    project: ["GOOGLE_PROJECT", "GOOGLE_CLOUD_PROJECT", "GCLOUD_PROJECT", "CLOUDSDK_CORE_PROJECT"],
  },
};

/** What the provider of a package works with. Google's credentials are of a project, too, which has this name here. */
export function settingsOf(
  sdk: string,
  configured: Inputs,
  env: Readonly<Record<string, string | undefined>>,
): Settings {
  const found = Object.entries(VARIABLES[sdk] ?? {}).flatMap(([setting, names]) => {
    const value = [configured[setting], ...names.map((name) => env[name])].find(Boolean);
    return value === undefined ? [] : [[setting, value]];
  });
  return { ...(sdk === "gcp" ? { project: "stand-in" } : {}), ...Object.fromEntries(found) };
}

/** The settings that a function takes. */
const OF_FUNCTIONS: Readonly<Record<string, readonly Setting[]>> = {
  "aws:ssm/getParameter:getParameter": ["region"],
};

/** The inputs of a resource or a function with where it is. What is said nowhere is left out. */
export function placed(token: string, inputs: Inputs, settings: Settings): Inputs {
  const names = RESOURCES[token]?.at ?? OF_FUNCTIONS[token] ?? [];
  const added = names.map((name) => [name, inputs[name] ?? settings[name] ?? regionBy(name, settings)]);
  return { ...inputs, ...Object.fromEntries(added.filter(([, value]) => value !== undefined)) };
}

/** Google's provider takes the region of its zone where it has none. */
function regionBy(name: Setting, { zone }: Settings): string | undefined {
  return name === "region" && zone !== undefined ? regionOf(zone) : undefined;
}

/** "europe-west4" of "europe-west4-a". */
export function regionOf(zone: string): string {
  return zone.replace(/-[a-z]$/, "");
}
