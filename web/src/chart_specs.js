// What the four charts draw: for each the series (a column, its colour variable, how it is drawn),
// the axes, and the figures of its heading. Colours of policies are those of the reports.
import { compact, count, dollars, figure, milliseconds } from "./format.js";

export const COLOURS = [
  "ink2",
  "ink3",
  "grid",
  "rule",
  "accent",
  "p0",
  "p1",
  "p2",
  "slo",
  "queue",
  "card",
];

// Latencies are drawn between powers of ten.
const exponents = (low, high) =>
  Array.from({ length: Math.round(Math.log10(high / low)) + 1 }, (_, i) => low * 10 ** i);
// A line a decade; over one or two decades also at 2 and 5.
const logSplits = (_, _axis, low, high) => {
  const tens = exponents(low, high);
  return tens.length > 3
    ? tens
    : tens.flatMap((ten) => [ten, ten * 2, ten * 5]).filter((one) => one <= high);
};
const logRange = (_, low, high) => {
  const floor = 10 ** Math.floor(Math.log10(Math.max(1, low ?? 10)));
  return [
    floor,
    Math.max(floor * 10, 10 ** Math.ceil(Math.log10(Math.max(10, high ?? 100) * 1.05))),
  ];
};
const fromZero = (_, low, high) => [0, high > 0 ? high * 1.08 : 1];

function latency(model) {
  const slos = [
    ...new Set([...model.models.values()].map((one) => one.slo_ms).filter((slo) => slo > 0)),
  ].sort((a, b) => a - b);
  const over = [...model.models.values()].filter(
    (one) => one.slo_ms > 0 && one.p95_ms > one.slo_ms,
  ).length;
  const slo =
    slos.length > 1
      ? `${milliseconds(slos[0])} – ${milliseconds(slos.at(-1))}`
      : milliseconds(slos[0]);
  const line = (value) => ({
    label: "SLO",
    column: (h) => h.t.map(() => value ?? null),
    colour: "slo",
    dash: [5, 4],
    text: () => slo,
  });
  return {
    id: "latency",
    title: "Latency",
    note: slos.length > 1 && !over ? "the slowest model's" : "",
    empty: model.models.size ? "" : "no models serve requests",
    constants: slo,
    flag: over ? `${over} of ${model.models.size} over SLO` : "",
    series: [
      { label: "P95", column: (h) => h.p95_ms, colour: "accent", text: milliseconds },
      { label: "P50", column: (h) => h.p50_ms, colour: "ink3", text: milliseconds },
      line(slos[0]),
      ...(slos.length > 1 ? [{ ...line(slos.at(-1)), silent: true }] : []),
    ],
    scales: { y: { distr: 3, range: logRange } },
    axes: [
      {
        scale: "y",
        splits: logSplits,
        filter: (_, ticks) => ticks,
        values: (_, ticks) => ticks.map((v) => (v < 1000 ? `${v} ms` : `${count(v / 1000)} s`)),
      },
    ],
  };
}

const stepped = true;

function replicas(model) {
  return {
    id: "replicas",
    title: "Replicas and queue",
    empty: model.scaled.size || model.models.size ? "" : "no scaled objects",
    series: [
      {
        label: "ready",
        column: (h) => h.replicas_ready,
        colour: "accent",
        fill: true,
        stepped,
        text: count,
      },
      {
        label: "wanted",
        column: (h) => h.replicas_wanted,
        colour: "ink2",
        stepped,
        dash: [4, 3],
        text: count,
      },
      { label: "queue", column: (h) => h.queue, colour: "queue", scale: "queue", text: count },
    ],
    scales: {
      y: { range: fromZero },
      queue: { range: (_, low, high) => [0, Math.max(10, (high ?? 0) * 1.08)] },
    },
    axes: [
      { scale: "y", whole: true },
      { scale: "queue", side: 1, whole: true },
    ],
  };
}

function gpus() {
  return {
    id: "gpus",
    title: "GPUs",
    empty: "",
    series: [
      { label: "paid", column: (h) => h.gpus_paid, colour: "ink2", stepped, text: count },
      {
        label: "busy",
        column: (h) =>
          h.gpus_paid.map((paid, i) =>
            paid === null || h.gpu_busy[i] === null ? null : paid * h.gpu_busy[i],
          ),
        colour: "accent",
        fill: true,
        text: figure,
      },
    ],
    scales: { y: { range: fromZero } },
    axes: [{ scale: "y", whole: true }],
  };
}

const POLICY_COLOURS = { static: "p0", stock: "p1", windlass: "p2" };
const SPARE = ["p3", "p4", "p5"];

function cost(model) {
  const others = model.cost?.policies ?? [];
  const own = {
    label: model.policy,
    column: (h) => h.usd,
    colour: POLICY_COLOURS[model.policy] ?? "p2",
    text: dollars,
    width: 2,
  };
  return {
    id: "cost",
    title: "Dollars so far",
    empty: "",
    series: [
      own,
      ...others.map(({ name }, i) => ({
        label: name,
        column: (h, all) => all[name] ?? h.t.map(() => null),
        colour: POLICY_COLOURS[name] ?? SPARE[i % SPARE.length],
        dash: name === "stock" ? [6, 3] : name === "static" ? [2, 3] : undefined,
        text: dollars,
      })),
    ],
    scales: { y: { range: fromZero } },
    axes: [{ scale: "y", values: (_, ticks) => ticks.map((v) => `$${compact(v)}`) }],
  };
}

// `key` tells charts apart that must be drawn anew: other series or other constants in them.
export function specsOf(model) {
  const specs = [latency(model), replicas(model), gpus(), cost(model)];
  for (const spec of specs)
    spec.key = `${spec.series.map((one) => one.label)} ${spec.constants ?? ""} ${spec.empty}`;
  return specs;
}
