import fs from "node:fs";
import path from "node:path";

// What real programs were recorded to say (recorded/README.md): a file for each program's version, a part for each situation.

export interface Recording {
  situation: string;
  /** When it was recorded, in seconds. */
  now: number;
  text: string;
}

/** All that was recorded of a version, such as `recordings("chronyc", "4.3")`. */
export const recordings = (asked: string, version: string): Recording[] =>
  fs
    .readFileSync(path.join(__dirname, `recorded/${asked}-${version}.txt`), "utf8")
    .split(/^== /m)
    .slice(1)
    .map((part) => {
      const [heading = "", ...lines] = part.split("\n");
      const [situation = "", now] = heading.split(" ");
      return { situation, now: Number(now), text: lines.join("\n") };
    });

/** What was recorded in one situation. */
export function recording(asked: string, version: string, situation: string): Recording {
  const found = recordings(asked, version).find((one) => one.situation === situation);
  if (found === undefined) throw new Error(`no recording of ${situation}`);
  return found;
}
