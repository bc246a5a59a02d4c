// Amazon's policies, read as IAM reads them where nothing is denied.

export type Context = Readonly<Record<string, string>>;

export interface Statement {
  Sid: string;
  Action: string | string[];
  Resource?: string | string[];
  NotResource?: string | string[];
  Condition?: Record<string, Record<string, string | string[]>>;
}

export interface Request {
  action: string;
  resource: string;
  context: Context;
}

export const listOf = (value: string | string[] = []) => [value].flat();

/** Of patterns with nothing special but asterisks. */
const fits = (pattern: string, text: string) => new RegExp(`^${pattern.replaceAll("*", ".*")}$`).test(text);

const isOneOf = (found: string | undefined, wanted: string[]) => found !== undefined && wanted.includes(found);
const OPERATORS: Readonly<Record<string, (found: string | undefined, wanted: string[]) => boolean>> = {
  StringEquals: isOneOf,
  ArnEquals: isOneOf,
  Null: (found, [wanted]) => String(found === undefined) === wanted,
};

/** Whether a policy lets something be done. */
export function allows(statements: readonly Statement[], { action, resource, context }: Request): boolean {
  return statements.some(({ Action, Resource, NotResource, Condition = {} }) => {
    const isAbout =
      Resource === undefined
        ? !listOf(NotResource).some((it) => fits(it, resource))
        : listOf(Resource).some((it) => fits(it, resource));
    const holds = Object.entries(Condition).every(([operator, keys]) =>
      Object.entries(keys).every(([key, wanted]) => OPERATORS[operator]?.(context[key], listOf(wanted))),
    );
    return listOf(Action).includes(action) && isAbout && holds;
  });
}

/** The same policy with something else in the place of a statement. */
const withIn = (statements: readonly Statement[], index: number, changes: Partial<Statement>) =>
  statements.map((statement, at) => (at === index ? { ...statement, ...changes } : statement));

const without = (values: string[], value: string) => values.filter((other) => other !== value);

type Changed = [words: string, statements: Statement[]];

/** A policy less each thing that it grants: an action of a statement, one of several resources, one of several values. */
export function narrowed(statements: readonly Statement[]): Changed[] {
  return statements.flatMap(({ Sid, Action, Resource, Condition = {} }, index) => [
    ...listOf(Action).map(
      (action): Changed => [
        `${Sid}: ${action}`,
        withIn(statements, index, { Action: without(listOf(Action), action) }),
      ],
    ),
    ...listOf(Resource).flatMap((resource): Changed[] =>
      listOf(Resource).length === 1
        ? []
        : [[`${Sid}: ${resource}`, withIn(statements, index, { Resource: without(listOf(Resource), resource) })]],
    ),
    ...Object.entries(Condition).flatMap(([operator, keys]) =>
      Object.entries(keys).flatMap(([key, wanted]) =>
        (Array.isArray(wanted) ? wanted : []).map(
          (value): Changed => [
            `${Sid}: ${key} ${value}`,
            withIn(statements, index, {
              Condition: { ...Condition, [operator]: { ...keys, [key]: without(listOf(wanted), value) } },
            }),
          ],
        ),
      ),
    ),
  ]);
}

/** A policy without each thing that it limits itself by: a condition, or the resources where it has no condition. */
export function widened(statements: readonly Statement[]): Changed[] {
  return statements.flatMap(({ Sid, Resource, NotResource, Condition }, index) => {
    if (Condition === undefined) {
      const limits = listOf(Resource ?? NotResource);
      const everywhere = withIn(statements, index, { Resource: "*", NotResource: undefined });
      return limits.includes("*") ? [] : [[`${Sid}: ${limits}`, everywhere] satisfies Changed];
    }
    return Object.entries(Condition).map(([operator, keys]): Changed => {
      const { [operator]: _, ...others } = Condition;
      return [`${Sid}: ${operator} ${Object.keys(keys)}`, withIn(statements, index, { Condition: others })];
    });
  });
}
