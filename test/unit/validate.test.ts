import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { argsWith, fields, PENDING, type Rule } from "../../components/plan/validate";
import { address, cidr } from "../../components/plan/validateAddress";
import { bootFields, endpointFields } from "../../components/plan/validateHost";
import { bareHostKey, hostKey, privateKey } from "../../components/plan/validateKey";
import { ownErrorsFit, rolesFit, timeFields, timeSources } from "../../components/plan/validateTime";
import {
  EC_KEY,
  ENCRYPTED_OPENSSH_KEY,
  ENCRYPTED_PEM_KEY,
  ENCRYPTED_RSA_KEY,
  HOST_KEY,
  PEM_KEY,
  PRIVATE_KEY,
  RSA_KEY,
} from "./support/keys";

const endpoint = fields(endpointFields);
const validateTime = argsWith(timeFields, rolesFit, ownErrorsFit);
const reasonOf = (rule: Rule, value: unknown) => rule(value, "it").map(({ reason }) => reason)[0];

describe("the conditions of boot parameters", () => {
  const errorsOf = (args: object) =>
    argsWith(bootFields)(args).map((error) => `${error.propertyPath}: ${error.reason}`);

  test("are true or false, or known later", () => {
    expect(errorsOf({})).toEqual([]);
    expect(errorsOf({ override: true, force: false, required: PENDING, revertReboot: true })).toEqual([]);
    expect(errorsOf({ override: "yes", force: 1, required: "no", revertReboot: "true" })).toEqual([
      "override: must be true or false",
      "force: must be true or false",
      "required: must be true or false",
      "revertReboot: must be true or false",
    ]);
  });

  test("but what decides which resources there are cannot become known later", () => {
    expect(errorsOf({ revertReboot: PENDING })).toEqual([
      "revertReboot: must be plain true or false, because it decides which resources there are",
    ]);
  });
});

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

describe("private keys", () => {
  test.each([PRIVATE_KEY, PEM_KEY, `\n${PRIVATE_KEY}\n\n`, PRIVATE_KEY.replaceAll("\n", "\r\n"), RSA_KEY, EC_KEY])(
    "a key without a passphrase passes",
    (value) => {
      expect(reasonOf(privateKey, value)).toBeUndefined();
    },
  );

  test.each([
    ["a public key", HOST_KEY, "is a public key: give the text of the private key file, the one without .pub"],
    [
      "a path",
      "/root/.ssh/id_ed25519",
      "must be the text of a private key (-----BEGIN ... PRIVATE KEY-----), not the path of its file",
    ],
    [
      "a PuTTY key",
      "PuTTY-User-Key-File-3: ssh-ed25519\n",
      "is a PuTTY key: export it as an OpenSSH key (puttygen <file> -O private-openssh -o <new file>)",
    ],
    [
      "a public key in PEM",
      "-----BEGIN PUBLIC KEY-----\nAAAA\n-----END PUBLIC KEY-----\n",
      "is a public key: give the text of the private key file, the one without .pub",
    ],
    [
      "a key on one line",
      PRIVATE_KEY.replaceAll("\n", "\\n"),
      "has lost its line breaks: give the text of the file as it is",
    ],
    ["half a key", PRIVATE_KEY.slice(0, 200), "is cut off: the line -----END ... PRIVATE KEY----- is missing"],
    ["no text", 12, "must be the text of a private key"],
  ])("%s is refused", (_, value, reason) => {
    expect(reasonOf(privateKey, value)).toBe(reason);
  });

  const damage = {
    "a line left out": (key: string) => key.replace(/\n[^\n-]+\n(?=[^\n]*\n?-----END)/, "\n"),
    "a character that is not base64": (key: string) => key.replace(/\n(.{9})./, "\n$1*"),
    "a character twice": (key: string) => key.replace(/\n(.)/, "\n$1$1"),
    "nothing between its first and last line": (key: string) => key.replace(/\n[\s\S]*\n(?=-----END)/, "\n"),
  } as const;
  const kinds = { OpenSSH: PRIVATE_KEY, PEM: PEM_KEY };
  test.each(
    Object.entries(kinds).flatMap(([kind, key]) =>
      Object.entries(damage).map(([what, by]) => [`${kind} key with ${what}`, by(key)] as const),
    ),
  )("%s is damaged, not protected", (_, value) => {
    expect(reasonOf(privateKey, value)).toBe(
      "is damaged: its base64 part is not a private key; copy the file whole, `ssh-keygen -y -f <file>` must accept it",
    );
  });

  // One bit of a key is a key again, but what says how long its parts are is not.
  test("an OpenSSH key is damaged wherever its base64 is cut", () => {
    const [head = "", ...body] = PRIVATE_KEY.trim().split("\n");
    const text = body.slice(0, -1).join("");
    for (let length = 0; length < text.length; length += 4) {
      const cut = [head, text.slice(0, length), body.at(-1)].join("\n");
      expect(reasonOf(privateKey, cut)).toContain("is damaged");
    }
  });

  test.each([ENCRYPTED_OPENSSH_KEY, ENCRYPTED_PEM_KEY, ENCRYPTED_RSA_KEY])(
    "a key with a passphrase is refused",
    (value) => {
      expect(reasonOf(privateKey, value)).toBe(
        "is protected by a passphrase: load it into the SSH agent and leave privateKey out",
      );
    },
  );

  test("a reason never quotes the value", () => {
    fc.assert(
      fc.property(fc.string({ minLength: 12 }), (secret) => {
        expect(reasonOf(privateKey, secret)).not.toContain(secret);
      }),
    );
  });
});

describe("host keys", () => {
  test.each([HOST_KEY, `${HOST_KEY} comment`, `10.0.0.1 ${HOST_KEY}`, `[10.0.0.1]:2222 ${HOST_KEY}\n`])(
    "%s pins a host",
    (value) => {
      expect(reasonOf(hostKey, value)).toBeUndefined();
      expect(bareHostKey(value)).toBe(HOST_KEY);
    },
  );

  const remedy =
    "run `ssh-keyscan -t ed25519 <address>` over a trusted path, compare its key with the one in " +
    "/etc/ssh/ssh_host_ed25519_key.pub on the host, and paste the line";
  test.each([
    ["", "must be one line of a public host key"],
    ["SHA256:abcdef", "is a fingerprint, and a fingerprint is not the key"],
    ["256 SHA256:abcdef root@host (ED25519)", "is a fingerprint, and a fingerprint is not the key"],
    [`${HOST_KEY}\n${HOST_KEY}`, "has several lines; one key is pinned"],
    [PRIVATE_KEY, "is a private key; the public half of the host's key is wanted"],
    ["node-1", 'must be one line such as "ssh-ed25519 AAAA..."'],
    [HOST_KEY.slice(0, 60), "is damaged: its base64 part is not a key of the stated type"],
    [HOST_KEY.replace(/.{5}$/, "!$&").slice(0, -1), "is damaged: its base64 part is not a key of the stated type"],
    ["ssh-ed25519 AAAA", "is damaged: its base64 part is not a key of the stated type"],
    [HOST_KEY.replace("ssh-ed25519", "ssh-rsa"), "is damaged: its base64 part is not a key of the stated type"],
  ])("%j is refused", (value, reason) => {
    expect(reasonOf(hostKey, value)).toBe(`${reason}: ${remedy}`);
  });
});

describe("endpoints", () => {
  const good = { name: "node-1", address: "10.0.0.1", hostKey: HOST_KEY };

  test("the least that reaches a host", () => {
    expect(endpoint(good, "endpoint")).toEqual([]);
  });

  test("what is not known yet is not refused yet", () => {
    expect(endpoint(PENDING, "endpoint")).toEqual([]);
    expect(endpoint({ ...good, privateKey: PENDING, proxy: PENDING }, "endpoint")).toEqual([]);
  });

  test("a key that is left out is asked for, with how to come by it", () => {
    expect(endpoint({ name: "node-1", address: "10.0.0.1" }, "endpoint")).toEqual([
      {
        propertyPath: "endpoint.hostKey",
        reason:
          "is required: run `ssh-keyscan -t ed25519 <address>` over a trusted path, compare its key with the one in " +
          "/etc/ssh/ssh_host_ed25519_key.pub on the host, and paste the line",
      },
    ]);
  });

  test.each([
    ["10.0.0.1", /^must be an object with name, address,/],
    [{ ...good, __pulumiResource: true }, /^is a whole resource: give its output/],
  ])("%j is none", (value, reason) => {
    expect(endpoint(value, "endpoint")).toEqual([{ propertyPath: "endpoint", reason: expect.stringMatching(reason) }]);
  });

  test("all that is wrong at once, with its path", () => {
    const bad = {
      name: "node 1",
      port: 0,
      user: "a b",
      generation: "a b",
      proxy: { address: "bastion", port: 1.5 },
    };
    expect(endpoint(bad, "endpoint").map(({ propertyPath }) => propertyPath)).toEqual([
      "endpoint.name",
      "endpoint.address",
      "endpoint.port",
      "endpoint.user",
      "endpoint.hostKey",
      "endpoint.generation",
      "endpoint.proxy.port",
      "endpoint.proxy.hostKey",
    ]);
  });
});

describe("time", () => {
  test("a client must have a source", () => {
    expect(validateTime({})).toEqual([
      { propertyPath: "sources", reason: "must have a source: a client has no time of its own" },
    ]);
  });

  test("a client may be asked by who measures it, and measure others", () => {
    const key = { id: 5, type: "SHA256", secret: "ASCII:0123456789" };
    const client = { sources: [{ address: "a" }], allow: ["10.0.0.0/8"] };
    expect(validateTime({ ...client, pairs: [{ name: "node-2", address: "10.0.0.2", key }] })).toEqual([]);
    const pairs = [
      { name: "node 2", address: "10.0.0.256", key: { ...key, id: 0 } },
      { name: "node-3", ky: key },
    ];
    expect(validateTime({ ...client, pairs }).map(({ propertyPath }) => propertyPath)).toEqual([
      ...["pairs[0].name", "pairs[0].address", "pairs[0].key.id", "pairs[1].address", "pairs[1].ky"],
    ]);
    const other = { ...key, secret: "ASCII:9876543210" };
    expect(
      validateTime({ sources: [{ address: "a", key }], pairs: [{ name: "b", address: "b", key: other }] }),
    ).toEqual([
      { propertyPath: "pairs[0].key.id", reason: "is the id of another key, sources[0].key: give it one of its own" },
    ]);
  });

  test("a host serves network PTP to somebody, or follows it, and says what PTP does not", () => {
    const ptp = { kind: "ptp", address: "10.0.0.1" };
    const errors = (args: object) => validateTime(args).map(({ propertyPath, reason }) => `${propertyPath}: ${reason}`);
    expect(errors({ timeRole: "hub", ptpAddress: "10.0.0.1", allow: ["10.0.0.0/8"] })).toEqual([]);
    expect(errors({ timeRole: "hub", ptpAddress: "10.0.0.1", allow: PENDING })).toEqual([]);
    expect(errors({ sources: [ptp], timescale: "hub:node-1" })).toEqual([]);
    expect(errors({ sources: [ptp], timescale: PENDING })).toEqual([]);
    expect(errors({ sources: [{ ...ptp, errorMicros: 20 }] })).toEqual([]);
    expect(errors({ sources: [{ ...ptp, errorMicros: PENDING }] })).toEqual([]);
    expect(errors({ sources: [ptp] })).toEqual([
      "sources[0].errorMicros: is required: PTP does not tell how far its hub is off UTC; give what you can vouch for, or " +
        'timescale: "hub:<name>" if the hub\'s own clock is the time',
    ]);
    expect(errors({ ptpAddress: "fd00::1", sources: [{ ...ptp, errorMicros: 20 }] })).toEqual([
      "ptpAddress: must be an IPv4 address: network PTP is by IPv4 here",
      "ptpAddress: is for hubs: a client serves nobody (timeRole: TimeRole.Hub)",
      "allow: must have the networks of the clients, to which ptpAddress serves PTP",
      "sources[0].kind: cannot be ptp on a hub that serves PTP itself (ptpAddress)",
    ]);
  });

  test("a hub without sources cannot know UTC", () => {
    expect(validateTime({ timeRole: "hub", timescale: "utc" })).toEqual([
      { propertyPath: "timescale", reason: "cannot be utc for a hub without sources: leave it out, or give sources" },
    ]);
  });

  // Naive: that the clock of Google's hosts is designed for 1 ms shows in the proof, after the reboot.
  test.each([
    [
      { maxErrorMicros: 25, sources: [{ kind: "phc", clockName: "a", errorMicros: 100 }] },
      "100 us by itself (phc)",
      25,
    ],
    [{ sources: [{ kind: "gcp-phc" }] }, "1000 us by itself (gcp-phc)", 1000],
  ])("a source that may be off by all of the budget is none: %j", (args, own, budget) => {
    const reason = `may be off by ${own}, and maxErrorMicros allows ${budget} us in all: allow more, or take another source`;
    expect(validateTime(args)).toEqual([{ propertyPath: "sources[0]", reason }]);
  });

  test("a source may be off by less than the budget, and who knows what is not known yet", () => {
    const sources = [{ kind: "gcp-phc" }];
    for (const args of [
      { maxErrorMicros: 1500, sources },
      { maxErrorMicros: PENDING, sources },
      { maxErrorMicros: 25, sources: [{ kind: "auto", errorMicros: 25 }] },
    ])
      expect(validateTime(args)).toEqual([]);
    expect(validateTime({ sources: [{ kind: "gcp-phc", errorMicros: PENDING }] })).toEqual([]);
    expect(validateTime({ sources: [{ kind: "gcp-phc", errorMicros: 100 }] })).toEqual([]);
  });

  test("a hub that follows sources does not define a time of its own", () => {
    const hub = { timeRole: "hub", endpoint: { name: "node-1" }, sources: [{ address: "10.0.0.9" }] };
    const validate = argsWith({ ...timeFields, endpoint: () => [] }, rolesFit);
    expect(validate({ ...hub, timescale: "hub:node-1" })).toEqual([
      {
        propertyPath: "timescale",
        reason: "cannot be hub:node-1 for a hub that follows sources: leave it out, or leave the sources out",
      },
    ]);
    expect(validate({ ...hub, timescale: "hub:node-2" })).toEqual([]);
  });

  test.each([
    [{ maxErrorMicros: -1 }, "maxErrorMicros", "must be 0.001 to 10000000 microseconds, not -1"],
    [{ maxErrorMicros: Number.NaN }, "maxErrorMicros", "must be 0.001 to 10000000 microseconds, not NaN"],
    [{ settleTimeoutSeconds: 1.5 }, "settleTimeoutSeconds", "must be a whole number, 1 to 3600 seconds, not 1.5"],
    [
      { maxErrorMicros: "25" },
      "maxErrorMicros",
      'must be 0.001 to 10000000 microseconds, not "25", which is a text (of a configuration take getNumber)',
    ],
    [{ settleTimeoutSeconds: -5 }, "settleTimeoutSeconds", "must be 1 to 3600 seconds, not -5"],
    [{ trackingLog: "yes" }, "trackingLog", "must be true or false"],
    [{ maxClockErrorPpm: 0.05 }, "maxClockErrorPpm", "must be 0.1 to 1000 ppm, not 0.05"],
    [{ timeRole: "boss" }, "timeRole", 'must be one of client, hub, not "boss"'],
    [{ timescale: "tai" }, "timescale", 'must be "utc" or "hub:<name of the host that defines the time>"'],
    [{ allow: "10.0.0.0/8" }, "allow", 'must be a list, such as ["10.77.0.0/24"]'],
  ])("%j is refused", (args, propertyPath, reason) => {
    expect(validateTime({ timeRole: "hub", ...args })).toContainEqual({ propertyPath, reason });
  });

  test("a poll interval has its order and its range", () => {
    expect(timeSources([{ address: "a", minPollLog2: 4, maxPollLog2: 2 }], "sources")).toEqual([
      { propertyPath: "sources[0].minPollLog2", reason: "must not be above maxPollLog2 (2)" },
    ]);
    expect(timeSources([{ address: "a", minPollLog2: -8 }], "sources")).toEqual([
      {
        propertyPath: "sources[0].minPollLog2",
        reason: "must be -7 to 24 as the logarithm of seconds to base 2, not -8",
      },
    ]);
  });

  test("smeared and exact sources do not mix", () => {
    expect(timeSources([{ address: "169.254.169.123" }, { address: "pool.ntp.org" }], "sources")).toEqual([
      {
        propertyPath: "sources",
        reason: "169.254.169.123 smears leap seconds and pool.ntp.org does not: use one kind only",
      },
    ]);
    expect(timeSources([{ address: "169.254.169.123" }, { address: "time.aws.com" }], "sources")).toEqual([]);
  });
});

describe("fields", () => {
  const rules = { maxErrorMicros: () => [], maxPairwiseMicros: () => [], hub: () => [] };
  const hintOf = (key: string) => fields(rules)({ [key]: 1 }, "it").map(({ reason }) => reason);

  test.each([
    ["maxErorMicros", "did you mean maxErrorMicros?"],
    ["max_error_micros", "did you mean maxErrorMicros?"],
    ["MaxPairwiseMicro", "did you mean maxPairwiseMicros?"],
    ["maxPairMicros", "did you mean maxPairwiseMicros?"],
    ["maxPairwise", "did you mean maxPairwiseMicros?"],
    ["maxErrorUs", "did you mean maxErrorMicros?"],
    ["Hub", "did you mean hub?"],
    ["hup", "did you mean hub?"],
    ["zone", "there are maxErrorMicros, maxPairwiseMicros, hub"],
    ["constructor", "there are maxErrorMicros, maxPairwiseMicros, hub"],
  ])("%s is not one", (key, hint) => {
    expect(hintOf(key)).toEqual([`is not an argument; ${hint}`]);
  });

  test("a field that is left undefined is not there", () => {
    expect(hintOf("hub")).toEqual([]);
    expect(fields(rules)({ zone: undefined }, "it")).toEqual([]);
  });
});
