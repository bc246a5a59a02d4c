/** What can be done to the client and to what is around it. */
export interface Scenery {
  /** On the client, just before the next proof. */
  onClient(command: string): void;
  killSelectedHub(): Promise<void>;
  changePath(path: { thereMillis?: number; backMillis?: number; loss?: number }): Promise<void>;
  /** The client's oscillator is 100 ppm off; resolves to what makes it right again. */
  turnOscillator(): Promise<() => Promise<void>>;
}

/** What is done at the beginning of a phase; resolves to what ends it, after three quarters of the phase. */
export interface Phase {
  name: string;
  begin(scenery: Scenery): Promise<(() => Promise<void>) | undefined>;
}

const healing = (scenery: Scenery) => () => scenery.changePath({});

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
