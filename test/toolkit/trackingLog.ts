// Lines as chronyd logs them, of a clock that is well for all that they say, unless told otherwise.

export const start = Date.parse("2026-11-27T09:00:00Z") / 1000;
export const stamp = (t: number) => new Date(t * 1000).toISOString().slice(0, 19);
export const update = (
  t: number,
  { source = "192.168.123.1", stratum = 11, skew = 0.2, offset = "8.000e-06", leap = "N", max = "2.100e-04" } = {},
) =>
  `${stamp(t).replace("T", " ")} ${source.padEnd(15)} ${String(stratum).padStart(2)}     10.294 ${skew.toFixed(3).padStart(10)} ${offset.padStart(10)} ${leap}  1  2.115e-06 -6.190e-07  2.000e-04  9.000e-05  ${max}\n`;
export const updates = (from: number, to: number, how: Parameters<typeof update>[1] = {}) =>
  Array.from({ length: to - from + 1 }, (_, index) =>
    update(from + index, { offset: index % 2 ? "-8.000e-06" : "8.000e-06", ...how }),
  ).join("");
export const started = (t: number) =>
  `${update(t, { source: "0.0.0.0", skew: 1e6, leap: "?", max: "1.500e+00" })}${update(t, { skew: 1e6, max: "1.500e+00" })}`;
