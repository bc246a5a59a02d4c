import fc from "fast-check";
import { describe, expect, test } from "vitest";
import type { Rule } from "../../components/plan/validate";
import { address, areAllAddresses, cidr } from "../../components/plan/validateAddress";

const reasonOf = (rule: Rule, value: unknown) => rule(value, "it").map(({ reason }) => reason)[0];

describe("addresses", () => {
  test.each(["node-1", "node-1.example.", "169.254.169.123", "fd00:ec2::123", "::1"])("%s is one", (value) => {
    expect(reasonOf(address, value)).toBeUndefined();
  });

  test.each(["", " ", "10.0.0.256", "10.0.0", "-a", "a b", "a\nb", "fe80::1%eth0", "http://a", 12, null])(
    "%j is none",
    (value) => {
      expect(reasonOf(address, value)).toBe(
        `must be a host name, an IPv4 or an IPv6 address, not ${JSON.stringify(value)}`,
      );
    },
  );

  test("an address has no character that a chrony line or a shell could take for another word", () => {
    fc.assert(
      fc.property(fc.string(), (text) => {
        if (address(text, "it").length === 0) {
          expect(text).toMatch(/^[A-Za-z0-9.:-]+$/);
        }
      }),
    );
  });

  test("every IPv4 and IPv6 address is one", () => {
    fc.assert(
      fc.property(fc.oneof(fc.ipV4(), fc.ipV6()), (text) => {
        expect(address(text, "it")).toEqual([]);
      }),
    );
  });
});

describe("networks", () => {
  test.each(["10.77.0.0/24", "0.0.0.0/0", "10.77.0.12/32", "fd00::/8", "::/0", "::ffff:10.0.0.0/104"])(
    "%s is one",
    (value) => {
      expect(reasonOf(cidr, value)).toBeUndefined();
    },
  );

  test.each([
    ["10.77.0.0", 'must end in a prefix length of /0 to /32 (/32 for one host), not "10.77.0.0"'],
    ["10.77.0.0/33", 'must end in a prefix length of /0 to /32 (/32 for one host), not "10.77.0.0/33"'],
    ["10.77.0.0/2/4", 'must be a network such as 10.77.0.0/24, not "10.77.0.0/2/4"'],
    ["10.77.0.1/24", 'has address bits after its prefix of /24: "10.77.0.1/24"; give the network, or /32 for one host'],
    ["fd00::1/64", 'has address bits after its prefix of /64: "fd00::1/64"; give the network, or /128 for one host'],
    ["cluster/24", 'must be a network such as 10.77.0.0/24, not "cluster/24"'],
    [24, "must be a network such as 10.77.0.0/24, not 24"],
  ])("%s is none", (value, reason) => {
    expect(reasonOf(cidr, value)).toBe(reason);
  });

  test("any address alone is the network of one host", () => {
    fc.assert(
      fc.property(fc.ipV4(), (text) => {
        expect(cidr(`${text}/32`, "it")).toEqual([]);
      }),
    );
    fc.assert(
      fc.property(fc.ipV6(), (text) => {
        expect(cidr(`${text}/128`, "it")).toEqual([]);
      }),
    );
  });
});

describe("networks that are all addresses together", () => {
  /** Prefixes, as bits: the whole, of which each number cuts one part in two. */
  function cut(numbers: number[]): string[] {
    const prefixes = [""];
    for (const number of numbers) {
      const [chosen = ""] = prefixes.splice(number % prefixes.length, 1);
      prefixes.push(`${chosen}0`, `${chosen}1`);
    }
    return prefixes;
  }
  function written(bits: string, isIPv6: boolean): string {
    const [width, count] = isIPv6 ? [16, 8] : [8, 4];
    const parts = Array.from({ length: count }, (_, index) =>
      Number.parseInt(bits.padEnd(width * count, "0").slice(index * width, (index + 1) * width), 2),
    );
    const address = isIPv6 ? parts.map((part) => part.toString(16)).join(":") : parts.join(".");
    return `${address}/${bits.length}`;
  }

  test.each([false, true])("however they are cut, and not without one of them (IPv6: %s)", (isIPv6) => {
    fc.assert(
      fc.property(fc.array(fc.nat(), { minLength: 1, maxLength: 31 }), fc.nat(), (numbers, number) => {
        const networks = cut(numbers).map((bits) => written(bits, isIPv6));
        expect(areAllAddresses(networks)).toBe(true);
        expect(areAllAddresses([...networks, ...networks.slice(1)])).toBe(true);
        networks.splice(number % networks.length, 1);
        expect(areAllAddresses(networks)).toBe(false);
      }),
    );
  });
});
