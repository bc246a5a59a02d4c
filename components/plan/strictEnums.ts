import { RunError } from "@pulumi/pulumi";
import { hint } from "./validate";

/**
 * Lets enums refuse a member that they do not have. tsx and JavaScript check no types, and an argument that is `undefined` has its
 * default: a host of `RebootPolicy.Nevr` would be rebooted.
 *
 * @param enums each by its own name
 */
export function makeStrict(enums: Readonly<Record<string, object>>): void {
  for (const [name, members] of Object.entries(enums)) {
    const get = (prototype: object, key: string | symbol) => {
      // What JavaScript itself asks an object for begins with a small letter.
      if (typeof key === "symbol" || !/^[A-Z]/.test(key)) return Reflect.get(prototype, key);
      throw new RunError(`${name} has no member ${key}; ${hint(key, Object.keys(members))}`);
    };
    Object.setPrototypeOf(members, new Proxy(Object.prototype, { get }));
  }
}
