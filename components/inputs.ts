import { sep } from "node:path";
import { inspect } from "node:util";
import * as pulumi from "@pulumi/pulumi";
import { A_PRIVATE_KEY, type InputErrors, isRecord, isResource, isUnknownField, PENDING, shown } from "./plan/validate";

/**
 * The door that every component's arguments pass, before it registers anything. What is plain now is checked now; the
 * returned function checks the rest as soon as it is known.
 */
export function checkInputs(
  component: string,
  name: string,
  args: unknown,
  validate: (args: unknown) => InputErrors,
): <T>(resolved: T) => T {
  const plainErrors = validate(plainNow(args));
  refuse(
    component,
    name,
    plainErrors,
    plainErrors.filter((error) => !mayHoldKey(args, error)),
  );
  return (resolved) => {
    refuse(component, name, validate(resolved).map(unquoted(resolved)));
    return resolved;
  };
}

/**
 * Checks of arguments what is known by now, where the rest may become known later, as in the preview in which a machine is made.
 * Returns it, with PENDING for the rest.
 */
export async function checkKnown(
  component: string,
  name: string,
  args: unknown,
  validate: (args: unknown) => InputErrors,
): Promise<unknown> {
  const known = await knownNow(args);
  refuse(component, name, validate(known));
  return known;
}

/**
 * Waits until an output has its value, and fails if it fails. Unlike an output that is made of it, what waits for the
 * promise does not become dependent on the output's resources. An output that stays unknown, as in a preview, is not
 * waited for.
 */
export async function settled(output: pulumi.Output<unknown>): Promise<void> {
  await pulumi.runtime.serializeProperty("settled", output);
}

/** Throws what is wrong with a component's arguments, if anything is; `listed` are those whose values may be shown. */
export function refuse(component: string, name: string, errors: InputErrors, listed: InputErrors = []): void {
  if (errors.length > 0) {
    throw inputError(component, name, errors, listed);
  }
}

/** A text that was not plain may be a secret that was put into the wrong property, so no reason quotes it. */
function unquoted(args: unknown): (error: InputErrors[number]) => InputErrors[number] {
  return ({ propertyPath, reason }) => {
    const value = valueAt(args, propertyPath);
    return {
      propertyPath,
      reason: typeof value === "string" ? reason.replaceAll(shown(value), "what was given") : reason,
    };
  };
}

/** The value at a path such as "hosts[0].endpoint.port". */
function valueAt(args: unknown, path: string): unknown {
  return path
    .split(/[.[\]]+/)
    .filter(Boolean)
    .reduce<unknown>(
      (value, key) => (typeof value === "object" && value !== null ? Reflect.get(value, key) : undefined),
      args,
    );
}

/** Whether a property holds a key, or somebody may have put one into it. */
function mayHoldKey(args: unknown, error: InputErrors[number]): boolean {
  return (
    /(^|\.)(privateKey|hostKey|keys?(\[\d+\])?(\.\w+)?)$/.test(error.propertyPath) ||
    isUnknownField(error) ||
    holdsKey(valueAt(args, error.propertyPath)) ||
    shown(valueAt(args, error.propertyPath)) === A_PRIVATE_KEY
  );
}

/** Whether there is a key anywhere in what a property holds. */
function holdsKey(value: unknown): boolean {
  if (Array.isArray(value)) {
    return value.some(holdsKey);
  }
  return (
    isRecord(value) &&
    !pulumi.Output.isInstance(value) &&
    !isResource(value) &&
    Object.entries(value).some(([key, entry]) => key === "privateKey" || key === "secret" || holdsKey(entry))
  );
}

/**
 * One error for all that is wrong. The text has every reason, because a Node.js program prints the text only. The list
 * is for programs in other languages, where the engine prints the *value* of each listed property: no property that holds
 * a key goes there, and none whose value came through an output.
 */
function inputError(
  component: string,
  name: string,
  errors: InputErrors,
  listed: InputErrors,
): pulumi.InputPropertiesError {
  const count = errors.length === 1 ? "1 input error" : `${errors.length} input errors`;
  const reasons = errors.map(({ propertyPath, reason }) => `  ${propertyPath}: ${reason}`);
  const message = [`${component} "${name}" has ${count}:`, ...reasons].join("\n");
  const error = new pulumi.InputPropertiesError({ message, errors: listed });
  const stack = [message, ...framesOfProgram(error.stack)].join("\n");
  return Object.defineProperties(error, {
    // The SDK writes `error serializing property "connection": ` before it, once for each command that has the wrong input.
    message: { get: () => message, set: () => {} },
    stack: { value: stack },
    // What Node.js prints: without the properties that are for the SDK.
    [inspect.custom]: { value: () => stack },
  });
}

/** The lines of a stack trace that are in the user's own files: how the library came to its error says nothing to them. */
function framesOfProgram(stack = ""): string[] {
  const others = [`${__dirname}${sep}`, `${sep}node_modules${sep}`, "node:", "(<anonymous>)"];
  return stack.split("\n").filter((line) => /^ +at /.test(line) && !others.some((other) => line.includes(other)));
}

/** The arguments as far as they are plain now; outputs and promises become PENDING. */
function plainNow(value: unknown): unknown {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) {
    return PENDING;
  }
  if (Array.isArray(value)) {
    return value.map(plainNow);
  }
  if (isRecord(value) && !isResource(value)) {
    return Object.fromEntries(Object.entries(value).map(([key, entry]) => [key, plainNow(entry)]));
  }
  return value;
}

/** The arguments as far as they are known now; what is not becomes PENDING. */
async function knownNow(value: unknown): Promise<unknown> {
  if (pulumi.Output.isInstance(value) || value instanceof Promise) {
    const known = await pulumi.runtime.serializeProperty("known", pulumi.unsecret(pulumi.output(value)));
    return known === pulumi.runtime.unknownValue ? PENDING : known;
  }
  if (Array.isArray(value)) {
    return Promise.all(value.map(knownNow));
  }
  if (isRecord(value) && !isResource(value)) {
    const entries = Object.entries(value).map(async ([key, entry]) => [key, await knownNow(entry)]);
    return Object.fromEntries(await Promise.all(entries));
  }
  return value;
}
