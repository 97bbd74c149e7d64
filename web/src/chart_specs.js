// What the four charts draw: for each the series (a column, its colour variable, how it is drawn), the
// axes, and the figures of its heading. Colours of policies are those of the reports.
import { change, count, dollars, figure, milliseconds } from "./format.js";

const last = (column) => column?.at(-1);

export const COLOURS = ["ink2", "ink3", "grid", "rule", "accent", "p0", "p1", "p2", "slo", "queue", "card"];

// Powers of ten between which latencies lie: half a millisecond apart lines say nothing.
const logRange = (_, low, high) => {
  const floor = 10 ** Math.floor(Math.log10(Math.max(1, low ?? 10)));
  return [floor, Math.max(floor * 10, 10 ** Math.ceil(Math.log10(Math.max(10, high ?? 100) * 1.05)))];
};
const fromZero = (_, low, high) => [0, high > 0 ? high * 1.08 : 1];

function latency(model) {
  const slos = [...new Set([...model.models.values()].map((one) => one.slo_ms).filter((slo) => slo > 0))].sort((a, b) => a - b);
  const over = [...model.models.values()].filter((one) => one.slo_ms > 0 && one.p95_ms > one.slo_ms).length;
  const slo = slos.length > 1 ? `${milliseconds(slos[0])} to ${milliseconds(slos.at(-1))}` : milliseconds(slos[0]);
  return {
    id: "latency", title: "Latency", note: slos.length > 1 ? "the slowest model's" : "", empty: model.models.size ? "" : "no models serve requests",
    flag: over ? `${over} of ${model.models.size} over SLO` : "",
    series: [
      { label: "P95", column: (h) => h.p95_ms, colour: "accent", text: milliseconds },
      { label: "P50", column: (h) => h.p50_ms, colour: "ink3", text: milliseconds },
      { label: slos.length > 1 ? "strictest SLO" : "SLO", column: (h) => h.t.map(() => slos[0] ?? null), colour: "slo", dash: [5, 4], text: () => slo },
    ],
    scales: { y: { distr: 3, range: logRange } },
    axes: [{ scale: "y", values: (_, ticks) => ticks.map((v) => (v && Number.isInteger(Math.log10(v) + 1e-9) ? (v < 1000 ? `${v} ms` : `${v / 1000} s`) : "")) }],
  };
}

const stepped = true;

function replicas(model) {
  return {
    id: "replicas", title: "Replicas and queue", empty: model.scaled.size || model.models.size ? "" : "no scaled objects",
    series: [
      { label: "ready", column: (h) => h.replicas_ready, colour: "accent", fill: true, stepped, text: count },
      { label: "wanted", column: (h) => h.replicas_wanted, colour: "ink2", stepped, dash: [4, 3], text: count },
      { label: "queue", column: (h) => h.queue, colour: "queue", scale: "queue", text: count },
    ],
    scales: { y: { range: fromZero }, queue: { range: (_, low, high) => [0, Math.max(10, (high ?? 0) * 1.08)] } },
    axes: [{ scale: "y", whole: true }, { scale: "queue", side: 1, whole: true }],
  };
}

function gpus() {
  return {
    id: "gpus", title: "GPUs", empty: "",
    series: [
      { label: "paid", column: (h) => h.gpus_paid, colour: "ink2", stepped, text: count },
      { label: "busy", column: (h) => h.gpus_paid.map((paid, i) => (paid === null || h.gpu_busy[i] === null ? null : paid * h.gpu_busy[i])),
        colour: "accent", fill: true, text: figure },
    ],
    scales: { y: { range: fromZero } },
    axes: [{ scale: "y", whole: true }],
  };
}

const POLICY_COLOURS = { static: "p0", stock: "p1", windlass: "p2" };
const SPARE = ["p3", "p4", "p5"];

function cost(model, history) {
  const others = model.cost?.policies ?? [];
  const usd = last(history?.columns?.usd) ?? model.cost?.usd;
  const own = { label: model.policy, column: (h) => h.usd, colour: POLICY_COLOURS[model.policy] ?? "p2", text: dollars, width: 2 };
  return {
    id: "cost", title: "Dollars so far", empty: "",
    series: [own, ...others.map(({ name }, i) => ({
      label: name, column: (h, all) => all[name] ?? h.t.map(() => null), colour: POLICY_COLOURS[name] ?? SPARE[i % SPARE.length],
      dash: name === "stock" ? [6, 3] : name === "static" ? [2, 3] : undefined, text: dollars,
      extra: (value, row) => change(row[1] ?? usd, value),
    }))],
    scales: { y: { range: fromZero } },
    axes: [{ scale: "y", values: (_, ticks) => ticks.map((v) => `$${count(v)}`) }],
  };
}

export const specsOf = (model, history) => [latency(model), replicas(model), gpus(), cost(model, history)];
