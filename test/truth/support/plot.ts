import { parse, View } from "vega";
import { compile, type TopLevelSpec } from "vega-lite";
import { offBy, type Sample } from "./samples";

/** What a log axis cannot show is shown here. */
const floorMicros = 1;

const series = ["true offset", "claimed bound", "naive: last offset"] as const;
const refused = "no bound: refused";
const colours: readonly string[] = ["#1b9e77", "#d95f02", "#bbbbbb", "#7570b3"];

interface Point {
  at: number;
  micros: number;
  what: (typeof series)[number];
  /** Points of one line: it breaks where there is no bound. */
  line: number;
}

interface Span {
  from: number;
  to: number;
}

/** True offset and bound over time, on a log axis, with the phases marked: an SVG. */
export async function plot(samples: readonly Sample[], phases: readonly string[]): Promise<string> {
  const view = new View(parse(compile(specification(samples, phases)).spec), { renderer: "none" });
  const svg = await view.toSVG();
  view.finalize();
  return `${svg}\n`;
}

function specification(samples: readonly Sample[], phases: readonly string[]): TopLevelSpec {
  const bands = phases
    .map((phase, index) => ({ phase, odd: index % 2 === 1, ...spanOf(samples.filter((each) => each.phase === phase)) }))
    .filter(({ from }) => Number.isFinite(from));
  const x = { field: "at", type: "quantitative", title: "seconds", axis: { grid: false } } as const;
  const log = { type: "log" as const, domain: [floorMicros, 1_000_000], clamp: true };
  const colour = {
    type: "nominal",
    title: null,
    scale: { domain: [...series, refused], range: [...colours] },
  } as const;
  return {
    $schema: "https://vega.github.io/schema/vega-lite/v6.json",
    width: 1200,
    height: 420,
    background: "white",
    config: { font: "sans-serif", legend: { orient: "bottom", symbolStrokeWidth: 3, labelLimit: 0 } },
    layer: [
      {
        data: { values: bands },
        mark: { type: "rect", opacity: 0.5 },
        encoding: {
          x: { ...x, field: "from" },
          x2: { field: "to" },
          color: { condition: { test: "datum.odd", value: "#eeeeee" }, value: "#f8f8f8" },
        },
      },
      {
        data: { values: bands },
        mark: { type: "text", align: "left", baseline: "bottom", fontSize: 10, y: -4, dx: 2 },
        encoding: { x: { ...x, field: "from" }, text: { field: "phase" } },
      },
      {
        data: { values: refusalsOf(samples) },
        mark: { type: "rule", strokeWidth: 6, y: 417 },
        encoding: { x: { ...x, field: "from" }, x2: { field: "to" }, color: { ...colour, datum: refused } },
      },
      {
        data: { values: pointsOf(samples) },
        mark: { type: "line", strokeWidth: 1.2 },
        encoding: {
          x,
          y: { field: "micros", type: "quantitative", title: "microseconds", scale: log },
          color: { ...colour, field: "what" },
          detail: { field: "line" },
        },
      },
    ],
  };
}

/** The naive bound first, so that the others are drawn over it. */
export function pointsOf(samples: readonly Sample[]): Point[] {
  let line = 0;
  const points = samples.flatMap((sample): Point[] => {
    if (sample.boundNs === undefined) line++;
    const point = (what: Point["what"], ns: number) => {
      return { at: round(sample.atSeconds), micros: round(Math.max(ns / 1000, floorMicros)), what, line };
    };
    return [
      { ...point("naive: last offset", sample.naive.lastOffsetNs), line: 0 },
      ...(sample.boundNs === undefined ? [] : [point("claimed bound", sample.boundNs)]),
      { ...point("true offset", offBy(sample)), line: 0 },
    ];
  });
  return points.sort((a, b) => series.indexOf(b.what) - series.indexOf(a.what) || a.at - b.at);
}

/** From the first of each run of samples without a bound to the last. */
export function refusalsOf(samples: readonly Sample[]): Span[] {
  const spans: Span[] = [];
  let before: Sample | undefined;
  for (const sample of samples) {
    const at = round(sample.atSeconds);
    const last = spans[spans.length - 1];
    if (sample.boundNs === undefined) {
      if (before !== undefined && before.boundNs === undefined && last !== undefined) last.to = at;
      else spans.push({ from: at, to: at });
    }
    before = sample;
  }
  return spans;
}

function spanOf(samples: readonly Sample[]): Span {
  const times = samples.map(({ atSeconds }) => round(atSeconds));
  return { from: Math.min(...times), to: Math.max(...times) };
}

const round = (value: number): number => Number(value.toPrecision(5));
