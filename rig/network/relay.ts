import { setTimeout as later } from "node:timers";

/** What happens to frames between two segments. A path without properties is as good as the machine that relays. */
export interface Path {
  /** How long a frame from the near to the far segment is held back, in milliseconds. */
  thereMillis?: number;
  /** The same of a frame from the far to the near one. */
  backMillis?: number;
  /** The share of frames that get lost, of either direction: 0 to 1. */
  loss?: number;
}

/** One direction of a path, as it is when a frame comes. */
export function relayed(
  direction: "thereMillis" | "backMillis",
  path: () => Path,
  send: (frame: Buffer) => void,
  random: () => number = Math.random,
): (frame: Buffer) => void {
  return (frame) => {
    const { [direction]: millis = 0, loss = 0 } = path();
    if (random() < loss) return;
    if (millis === 0) send(frame);
    else later(send, millis, frame);
  };
}
