// The cluster as the page knows it: a snapshot's lists as maps, kept current by updates. Pure but
// for the maps, which an update changes in place; the object around them is new each time, so what
// was derived from a model can be kept with it.
import { shownPhase } from "./phases.js";

const LISTS = { nodes: "name", pods: "key", scaled: "key", models: "name" };
const KEPT_DECISIONS = 200;

// What a panel may rely on, whatever a server left out.
const DEFAULTS = {
  nodes: { gpus: [], instance_type: "", capacity_type: "" },
  pods: { why: "", owner: "" },
  scaled: { signals: [] },
  models: {},
};

export function fromSnapshot(snapshot) {
  const model = { ...snapshot, decisions: snapshot.decisions ?? [] };
  for (const [list, id] of Object.entries(LISTS))
    model[list] = new Map(
      (snapshot[list] ?? []).map((one) => [one[id], { ...DEFAULTS[list], ...one }]),
    );
  return model;
}

export function applyUpdate(old, update) {
  const model = { ...old, ...update };
  delete model.gone;
  for (const [list, id] of Object.entries(LISTS)) {
    const map = old[list];
    model[list] = map;
    for (const name of update.gone?.[list] ?? []) map.delete(name);
    for (const one of update[list] ?? []) {
      map.set(one[id], { ...(map.get(one[id]) ?? DEFAULTS[list]), ...one });
      // A claim's entry ends when its node has a name of its own.
      if (list === "nodes" && one.claim && one.claim !== one.name) map.delete(one.claim);
    }
  }
  const known = new Set(old.decisions.map((one) => one.id));
  const fresh = (update.decisions ?? []).filter((one) => !known.has(one.id));
  model.decisions = fresh.length
    ? [...fresh, ...old.decisions].slice(0, KEPT_DECISIONS)
    : old.decisions;
  return model;
}

// A node keeps its identity when the claim becomes a node.
export const idOf = (node) => node.claim || node.name;

const before = (a, b) => (a < b ? -1 : a > b ? 1 : 0);

function grouped(model) {
  const pools = new Map();
  for (const node of model.nodes.values()) {
    const pool = node.pool || "no pool";
    if (!pools.has(pool)) pools.set(pool, []);
    pools.get(pool).push(node);
  }
  const gpusFirst = (nodes) => (nodes.some((node) => node.gpus.length) ? 0 : 1);
  return [...pools]
    .sort(([a, x], [b, y]) => gpusFirst(x) - gpusFirst(y) || before(a, b))
    .map(([pool, nodes]) => {
      nodes.sort(
        (a, b) =>
          b.gpus.length - a.gpus.length ||
          before(a.instance_type, b.instance_type) ||
          before(idOf(a), idOf(b)),
      );
      return { pool, nodes, ...paid(nodes) };
    });
}

function paid(nodes) {
  let gpus = 0,
    busy = 0,
    usd_per_hour = 0;
  for (const node of nodes) {
    if (node.phase === "launching") continue;
    gpus += node.gpus.length;
    usd_per_hour += node.usd_per_hour ?? 0;
    for (const gpu of node.gpus) busy += gpu.busy ?? 0;
  }
  return { gpus, busy, usd_per_hour };
}

// Pending pods by owner and reason, the longest wait first.
function waiting(model) {
  const groups = new Map();
  for (const pod of model.pods.values()) {
    if (pod.phase !== "pending") continue;
    const name = `${pod.owner}\n${pod.why}`;
    if (!groups.has(name))
      groups.set(name, { name, owner: pod.owner, why: pod.why, pods: [], oldest: Infinity });
    const group = groups.get(name);
    group.pods.push(pod);
    group.oldest = Math.min(group.oldest, Date.parse(pod.since));
  }
  return [...groups.values()].sort((a, b) => a.oldest - b.oldest || before(a.name, b.name));
}

function tally(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return counts;
}

const cache = new WeakMap();

// What the panels show of a model; computed once for each.
export function derived(model) {
  if (cache.has(model)) return cache.get(model);
  const groups = grouped(model);
  const nodes = groups.flatMap((group) => group.nodes);
  const phases = new Map(nodes.map((node) => [idOf(node), shownPhase(node, model.pods)]));
  const result = {
    groups,
    nodes,
    phases,
    ...paid(nodes),
    node_phases: tally(phases.values()),
    pod_phases: tally([...model.pods.values()].map((pod) => pod.phase)),
    waiting: waiting(model),
  };
  cache.set(model, result);
  return result;
}

// One row of the charts' history from a model: the columns of /dashboard/history.
export function historyRow(model) {
  const { gpus, busy, pod_phases } = derived(model);
  const models = [...model.models.values()];
  const scaled = [...model.scaled.values()];
  const sum = (list, field) => list.reduce((total, one) => total + (one[field] ?? 0), 0);
  const most = (field) =>
    models.reduce((top, one) => (one[field] === null ? top : Math.max(top ?? 0, one[field])), null);
  return {
    t: (Date.parse(model.now) - Date.parse(model.started)) / 1000,
    usd: model.cost?.usd ?? null,
    usd_per_hour: model.cost?.usd_per_hour ?? null,
    requests_per_s: sum(models, "requests_per_s"),
    tokens_per_s: sum(models, "tokens_per_s"),
    p50_ms: most("p50_ms"),
    p95_ms: most("p95_ms"),
    queue: sum(models, "queue"),
    replicas_wanted: sum(scaled, "wanted"),
    replicas_ready: sum(scaled, "ready"),
    gpus_paid: gpus,
    gpu_busy: gpus ? busy / gpus : 0,
    pods_pending: pod_phases.get("pending") ?? 0,
  };
}
