// Series for the charts: fetched once, then grown by a row from every update; fetched again when
// many rows have been added (so that it stays thin) or another range is asked for.

export const COLUMNS = [
  "t",
  "usd",
  "usd_per_hour",
  "requests_per_s",
  "tokens_per_s",
  "p50_ms",
  "p95_ms",
  "queue",
  "replicas_wanted",
  "replicas_ready",
  "gpus_paid",
  "gpu_busy",
  "pods_pending",
];
const POINTS = 480;
const GROWN = 240;
const MOST_SEEN = 2000;

export class History {
  constructor() {
    this.columns = null;
    this.others = {}; // policy -> dollars, a column each
    this.seen = {}; // policy -> rows [t, dollars] that updates told
    this.grown = 0;
    this.range = 0; // seconds back from now; 0: all
    this.error = "";
    this.loading = false;
  }

  get stale() {
    return !this.columns || this.grown >= GROWN;
  }

  async load(now_ms, get) {
    if (this.loading) return;
    this.loading = true;
    const range = this.range;
    const from = range
      ? `from=${encodeURIComponent(new Date(now_ms - range * 1000).toISOString())}&`
      : "";
    try {
      this.take(await get(`/dashboard/history?${from}points=${POINTS}`));
      this.error = "";
    } catch (error) {
      this.error = error.message;
      this.grown = 0;
      this.columns ??= Object.fromEntries(COLUMNS.map((name) => [name, []]));
    }
    this.loading = false;
    if (range !== this.range) await this.load(now_ms, get);
  }

  take(answer) {
    const times = answer.t ?? [];
    this.columns = Object.fromEntries(
      COLUMNS.map((name) => [name, answer[name] ?? times.map(() => null)]),
    );
    this.grown = 0;
    this.others = answer.policies_usd ?? {};
    for (const [name, rows] of Object.entries(this.seen))
      this.others[name] ??= alignedTo(times, rows);
  }

  add(row, policies) {
    for (const { name, usd } of policies) {
      (this.seen[name] ??= []).push([row.t, usd]);
      if (this.seen[name].length > MOST_SEEN)
        this.seen[name] = this.seen[name].filter((_, i) => i % 2);
    }
    if (!this.columns || row.t <= (this.columns.t.at(-1) ?? -1)) return;
    // New arrays: a chart sees by identity that there is something to draw.
    const from = this.range ? this.columns.t.findIndex((t) => t >= row.t - this.range) : 0;
    const grow = (column, value) => [...(from > 0 ? column.slice(from) : column), value ?? null];
    const rows = this.columns.t.length;
    this.columns = Object.fromEntries(
      COLUMNS.map((name) => [name, grow(this.columns[name], row[name])]),
    );
    this.others = Object.fromEntries(
      policies.map(({ name, usd }) => [
        name,
        grow(this.others[name] ?? Array(rows).fill(null), usd),
      ]),
    );
    ++this.grown;
  }
}

// The last value at or before each time, null before the first.
function alignedTo(times, rows) {
  let at = -1;
  return times.map((t) => {
    while (at + 1 < rows.length && rows[at + 1][0] <= t) ++at;
    return at < 0 ? null : rows[at][1];
  });
}
