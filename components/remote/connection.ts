import type { types } from "@pulumi/command";
import type { HostEndpoint } from "../hosts/endpoint";
import { dialErrorLimit, PER_DIAL_TIMEOUT_SECONDS } from "./dial";

/** The command provider's connection to a host that may take `waitSeconds` to answer. The host key is always pinned. */
export function connectionTo(endpoint: HostEndpoint, waitSeconds: number): types.input.remote.ConnectionArgs {
  const patience = { dialErrorLimit: dialErrorLimit(waitSeconds), perDialTimeout: PER_DIAL_TIMEOUT_SECONDS };
  const { proxy } = endpoint;
  return {
    host: endpoint.address,
    port: endpoint.port,
    user: endpoint.user,
    privateKey: endpoint.privateKey,
    hostKey: endpoint.hostKey,
    ...patience,
    proxy: proxy && {
      host: proxy.address,
      port: proxy.port,
      user: proxy.user,
      privateKey: proxy.privateKey,
      hostKey: proxy.hostKey,
      ...patience,
    },
  };
}
