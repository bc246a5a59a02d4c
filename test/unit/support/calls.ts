/** What a provider asks its cloud for, in the life of one type of resource. `Call` is what the cloud grants or refuses. */
export interface Calls<Call> {
  create: readonly Call[];
  /** At a refresh, and after each change. */
  read: readonly Call[];
  /** By the property that changes in place. Empty where neither a host nor an example sets it, so that it never changes. */
  update: Readonly<Record<string, readonly Call[]>>;
  delete: readonly Call[];
}

/** Of each type of resource, by its token. */
export type CallTable<Call> = Readonly<Record<string, Calls<Call>>>;

/** All calls, each with the words that name it in a test. */
export function rowsOf<Call>(table: CallTable<Call>): [words: string, call: Call][] {
  return Object.entries(table).flatMap(([type, { create, read, update, delete: end }]) =>
    Object.entries({ create, read, ...update, delete: end }).flatMap(([when, calls]) =>
      calls.map((call): [string, Call] => [`${type.replace(/.*:/, "")}, ${when}`, call]),
    ),
  );
}
