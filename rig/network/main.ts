import { type Path, relayed } from "./relay";
import { joinSegment, type Segment } from "./segment";
import { timeServerAnswer } from "./time-server";

// A process of its own, so that nothing else that is done holds a frame back. It ends with who has started it.

/** What this is started with: one argument, as JSON. */
export interface NetworkArguments {
  near: string;
  far: string;
  /** IPv4 address of the time server, on the far segment. */
  timeServer: string;
  /** What, added to the monotonic clock, gives the time: nanoseconds, as text. */
  epochNs: string;
}

async function main({ near, far, timeServer, epochNs }: NetworkArguments): Promise<void> {
  let path: Path = {};
  const epoch = BigInt(epochNs);
  const now = () => process.hrtime.bigint() + epoch;
  const current = () => path;
  const segments: { near?: Segment; far?: Segment } = {};
  const back = relayed("backMillis", current, (frame) => segments.near?.send(frame));
  // The server is a part of this, and hears nothing that this sends.
  const serve = (frame: Buffer) => {
    const answer = timeServerAnswer(frame, timeServer, now);
    if (answer === undefined) return;
    segments.far?.send(answer);
    back(answer);
  };
  const there = relayed("thereMillis", current, (frame) => {
    segments.far?.send(frame);
    serve(frame);
  });
  segments.far = await joinSegment(far, (frame) => {
    serve(frame);
    back(frame);
  });
  segments.near = await joinSegment(near, there);
  process.on("disconnect", () => process.exit());
  process.on("message", (message) => {
    path = message as Path;
    process.send?.("changed");
  });
  process.send?.("ready");
}

void main(JSON.parse(process.argv[2] ?? "") as NetworkArguments);
