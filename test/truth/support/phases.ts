/** What can be done to the client and to what is around it. */
export interface Scenery {
  /** On the client, just before the next proof. */
  onClient(command: string): void;
  /** The bound that the client has claimed last, in nanoseconds. */
  lastBoundNs(): number;
  killSelectedHub(): Promise<void>;
  changePath(path: { thereMillis?: number; backMillis?: number; loss?: number }): Promise<void>;
  /** The client's oscillator is 100 ppm off; resolves to what makes it right again. */
  turnOscillator(): Promise<() => Promise<void>>;
}

/** What is done at the beginning of a phase; resolves to what ends it, after three quarters of the phase. */
export interface Phase {
  name: string;
  begin(scenery: Scenery): Promise<(() => Promise<void>) | undefined>;
  /** What is done before each further proof. */
  each?(scenery: Scenery, count: number): void;
}

const healing = (scenery: Scenery) => () => scenery.changePath({});

/** The phase in which the clock itself goes wrong by what nobody can see. */
export const fromTheStart = "20 ms there from the start";

/** In this order. What one has done to the client's clock the next one begins with. */
export const phases: readonly Phase[] = [
  {
    name: "start",
    async begin({ onClient }) {
      onClient("systemctl stop chrony; date -s '+0.3 seconds'; systemctl start chrony");
      return undefined;
    },
  },
  { name: "steady", begin: async () => undefined },
  {
    name: "a hub dies",
    async begin({ killSelectedHub }) {
      await killSelectedHub();
      return undefined;
    },
  },
  {
    // No more than its estimate leaves room for, by whoever does it every few seconds, and now and then just before an update.
    name: "stepped by about its bound",
    begin: async () => undefined,
    each({ onClient, lastBoundNs }, count) {
      if (count % 8 !== 0) return;
      const seconds = (lastBoundNs() * 1.2) / 1e9;
      onClient(
        `date -s '${count % 16 === 0 ? "+" : "-"}${seconds.toFixed(9)} seconds'; sleep ${(0.5 + (count % 5) / 2).toFixed(1)}`,
      );
    },
  },
  {
    name: "stepped by 200 ms",
    async begin({ onClient }) {
      onClient("date -s '+0.2 seconds'");
      return undefined;
    },
  },
  {
    name: "stepped by -200 ms",
    async begin({ onClient }) {
      onClient("date -s '-0.2 seconds'");
      return undefined;
    },
  },
  { name: "100 ppm off", begin: ({ turnOscillator }) => turnOscillator() },
  {
    name: "20 ms there",
    async begin(scenery) {
      await scenery.changePath({ thereMillis: 20 });
      return healing(scenery);
    },
  },
  {
    // chronyd takes no measurement of a path that has become longer than the one that it knows; one that starts knows none, and
    // follows: half of the delay is what it is wrong by.
    name: fromTheStart,
    async begin(scenery) {
      await scenery.changePath({ thereMillis: 20 });
      scenery.onClient("systemctl restart chrony; sleep 20");
      return healing(scenery);
    },
  },
  {
    name: "20 ms back, 10 % lost",
    async begin(scenery) {
      await scenery.changePath({ backMillis: 20, loss: 0.1 });
      return healing(scenery);
    },
  },
  {
    name: "no path",
    async begin(scenery) {
      await scenery.changePath({ loss: 1 });
      return healing(scenery);
    },
  },
];
