/** What the engine configures a provider with. */
import type { Inputs } from "../cloud/resources";
import { reveal } from "../plugin/property-values";

interface Configuring {
  getArgs(): { toJavaScript(): unknown } | undefined;
}

/**
 * What the last configuration was. The SDK's server answers it without telling its provider (@pulumi/pulumi 3.270,
 * provider/server.js, configure), so it is heard where requests are read.
 */
export function heardConfiguration(): () => Inputs {
  const { configure } = require("@pulumi/pulumi/proto/provider_grpc_pb").ResourceProviderService;
  const read: (bytes: Buffer) => Configuring = configure.requestDeserialize;
  let last: Inputs = {};
  configure.requestDeserialize = (bytes: Buffer) => {
    const request = read(bytes);
    last = (reveal(request.getArgs()?.toJavaScript()) ?? {}) as Inputs;
    return request;
  };
  return () => last;
}
