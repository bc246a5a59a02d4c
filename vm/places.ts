import { homedir } from "node:os";
import { join } from "node:path";

/**
 * Where images and machines are kept, by the XDG base directory specification: an image can be built again (cache), a
 * machine's disk and keys cannot (state).
 */
export interface Places {
  images: string;
  machines: string;
}

export function placesIn(environment: NodeJS.ProcessEnv, home: string): Places {
  return {
    images: join(environment.XDG_CACHE_HOME || join(home, ".cache"), "timebase", "images"),
    machines: join(environment.XDG_STATE_HOME || join(home, ".local", "state"), "timebase", "vms"),
  };
}

export function places(): Places {
  return placesIn(process.env, homedir());
}
