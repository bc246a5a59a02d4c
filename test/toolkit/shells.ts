/**
 * The shells that interpret the toolkit in tests that are not about one system: dash, which is Debian's and Ubuntu's, and
 * what TIMEBASE_SHELLS names instead. By bash, which is Amazon Linux's, `npm run test:faults` runs all of them again; here
 * it runs the tests of that system.
 */
export const shells = (process.env.TIMEBASE_SHELLS ?? "dash").split(",");
