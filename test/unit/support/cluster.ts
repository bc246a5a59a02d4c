import { HOST_KEY, PRIVATE_KEY } from "./keys";

// The hosts of a cluster, as arguments.

export const host = (name: string, address: string, privateAddress: string) => ({
  name,
  endpoint: { name: `${name}-by-its-endpoint`, address, privateAddress, hostKey: HOST_KEY, privateKey: PRIVATE_KEY },
});
export const hosts = [
  host("node-1", "203.0.113.1", "10.77.0.11"),
  host("node-2", "203.0.113.2", "10.77.0.12"),
  host("node-3", "203.0.113.3", "10.77.0.13"),
];
