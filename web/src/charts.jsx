// The charts, drawn by uPlot on one time axis; their cursors move together, a press shows that
// moment. The heading of each tells the figures at the cursor, at the moment shown, or now, as
// text.
import { useEffect, useMemo, useRef, useState } from "preact/hooks";
import uPlot from "uplot";
import { COLOURS, specsOf } from "./chart_specs.js";
import { clock, compact, count, date, figure, instant, moment } from "./format.js";
import { useWidth } from "./hooks.js";
import { derived } from "./model.js";
import { colours } from "./theme.js";

const RANGES = [
  [0, "All"],
  [21600, "6 h"],
  [3600, "1 h"],
  [900, "15 min"],
];
const HEIGHT = 128;
const FONT =
  '11px system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", Arial, sans-serif';

export function Charts({ session, scheme }) {
  const history = session.series;
  const model = session.shown;
  const range = session.zoom?.range ?? 0;
  const started = instant(session.live.started) / 1000;
  const columns = history.columns;
  const specs = specsOf(model);
  const t = columns ? columns.t : [];
  const shown = session.past ? session.past.time / 1000 : null;
  const waiting = derived(model).pod_phases.get("pending") ?? 0;
  const models = [...model.models.values()];
  const sum = (field) => models.reduce((total, one) => total + (one[field] ?? 0), 0);
  return (
    <section id="charts" aria-label="Charts">
      <div class="strip">
        <dl class="figures">
          <div>
            <dt>requests/s</dt>
            <dd data-testid="requests">{models.length ? figure(sum("requests_per_s")) : "–"}</dd>
          </div>
          <div>
            <dt>tokens/s</dt>
            <dd data-testid="tokens">{models.length ? count(sum("tokens_per_s")) : "–"}</dd>
          </div>
          <div>
            <dt>queue</dt>
            <dd data-testid="queue">{models.length ? count(sum("queue")) : "–"}</dd>
          </div>
          <div>
            <dt>{waiting === 1 ? "pod waiting" : "pods waiting"}</dt>
            <dd data-testid="waiting">{count(waiting)}</dd>
          </div>
        </dl>
        {history.error && <span class="error">no history: {history.error}</span>}
        <div class="segments" role="group" aria-label="Range of the charts">
          {RANGES.map(([seconds, name]) => (
            <button
              type="button"
              key={name}
              aria-pressed={range === seconds}
              onClick={() => session.setRange(seconds)}
            >
              {name}
            </button>
          ))}
        </div>
      </div>
      <div class="charts">
        {specs.map((spec) => (
          <Chart
            key={`${spec.id} ${scheme} ${spec.key}`}
            spec={spec}
            t={t}
            columns={columns}
            others={history.others}
            started={started}
            now={instant(session.live.now)}
            shown={shown}
            seek={(seconds) => session.showAt(seconds * 1000)}
          />
        ))}
      </div>
    </section>
  );
}

function Chart({ spec, t, columns, others, started, now, shown, seek }) {
  const box = useRef(null);
  const plot = useRef(null);
  const live = useRef({});
  live.current = { shown, seek };
  const width = useWidth(box);
  const [cursor, setCursor] = useState(null);
  const data = useMemo(
    () =>
      columns
        ? [
            columns.t.map((x) => x + started),
            ...spec.series.map((one) => one.column(columns, others)),
          ]
        : null,
    [columns, others, started, spec.key],
  );

  useEffect(() => {
    if (!width || !data || spec.empty) return undefined;
    if (!plot.current)
      plot.current = new uPlot(optionsOf(spec, width, live, setCursor), data, box.current);
    return undefined;
  }, [width > 0, data !== null, spec.empty]);
  useEffect(
    () => () => {
      plot.current?.destroy();
      plot.current = null;
    },
    [],
  );
  useEffect(() => {
    if (width) plot.current?.setSize({ width, height: HEIGHT });
  }, [width]);
  useEffect(() => {
    if (data) plot.current?.setData(data);
  }, [data]);
  useEffect(() => {
    plot.current?.redraw(false);
  }, [shown]);

  const at = data ? (cursor ?? (shown === null ? t.length - 1 : nearest(data[0], shown))) : -1; // -1: not known
  const row = data ? data.map((column) => column[at]) : [];
  const told = spec.series
    .map((one, i) => ({ ...one, value: one.text(row[i + 1]) }))
    .filter((one) => !one.silent);
  return (
    <figure class="chart" data-chart={spec.id}>
      <figcaption>
        <h2>
          {spec.title} {spec.note && <small class="aside">{spec.note}</small>}
          {cursor !== null && <small class="at">{moment(row[0] * 1000, now)}</small>}
          {spec.flag && <small class="flag">{spec.flag}</small>}
        </h2>
        <ul class="legend">
          {told.map((one) => (
            <li key={one.label}>
              <Swatch series={one} />
              {one.label} <b>{one.value}</b>
            </li>
          ))}
        </ul>
      </figcaption>
      <div
        class="plot"
        ref={box}
        role="img"
        aria-label={`${spec.title}: ${told.map((one) => `${one.label} ${one.value}`).join(", ")}`}
      >
        {spec.empty ? (
          <p class="empty">{spec.empty}</p>
        ) : (
          t.length < 2 && <p class="empty">{columns ? "not enough history yet" : "loading..."}</p>
        )}
      </div>
    </figure>
  );
}

function Swatch({ series }) {
  return (
    <svg class={`swatch c-${series.colour}`} viewBox="0 0 16 8" aria-hidden="true">
      {series.fill && <rect x="0" y="2" width="16" height="6" opacity=".25" />}
      <path d={series.fill ? "M0 2h16" : "M0 4h16"} stroke-dasharray={series.dash?.join(" ")} />
    </svg>
  );
}

// Index of the time nearest to `time`; -1 where the series begins later.
function nearest(times, time) {
  if (!times.length || time < times[0] - 1) return -1;
  let low = 0,
    high = times.length - 1;
  while (low < high) {
    const middle = (low + high) >> 1;
    if (times[middle] < time) low = middle + 1;
    else high = middle;
  }
  return low > 0 && time - times[low - 1] < times[low] - time ? low - 1 : low;
}

function optionsOf(spec, width, live, setCursor) {
  const palette = colours([...COLOURS, "p3", "p4", "p5"]);
  const ratio = devicePixelRatio || 1;
  const axis = {
    stroke: palette.ink3,
    font: FONT,
    ticks: { show: false },
    grid: { stroke: palette.grid, width: 1 },
  };
  const mark = (plot) => {
    if (live.current.shown === null) return;
    const x = plot.valToPos(live.current.shown, "x", true);
    if (x < plot.bbox.left || x > plot.bbox.left + plot.bbox.width) return;
    plot.ctx.fillStyle = palette.accent;
    plot.ctx.fillRect(
      Math.round(x) - ratio / 2,
      plot.bbox.top,
      Math.max(1, ratio * 1.5),
      plot.bbox.height,
    );
  };
  const seek = (plot) => {
    const x = plot.cursor.left;
    if (x >= 0) live.current.seek(plot.posToVal(x, "x"));
  };
  return {
    width,
    height: HEIGHT,
    padding: [6, spec.axes.length > 1 ? 0 : 8, 0, 0],
    legend: { show: false },
    tzDate: (seconds) => uPlot.tzDate(new Date(seconds * 1000), "Etc/UTC"),
    cursor: {
      y: false,
      drag: { x: false, y: false },
      points: { size: 6 },
      sync: { key: "windlass", scales: ["x", null] },
    },
    scales: { x: { time: true }, ...spec.scales },
    axes: [
      {
        ...axis,
        size: 22,
        gap: 2,
        grid: { show: false },
        space: 60,
        values: (_, ticks) =>
          ticks.map((s) =>
            s % 86400 === 0
              ? date(s * 1000)
              : clock(s * 1000, ticks.length > 1 && ticks[1] - ticks[0] < 60),
          ),
      },
      ...spec.axes.map((own) => ({
        ...axis,
        size: 44,
        gap: 4,
        space: 26,
        ...(own.side ? { grid: { show: false } } : {}),
        ...(own.whole
          ? {
              incrs: [
                1, 2, 5, 10, 20, 50, 100, 200, 500, 1000, 2000, 5000, 1e4, 2e4, 5e4, 1e5, 1e6,
              ],
              values: (_, v) => v.map(compact),
            }
          : {}),
        ...own,
      })),
    ],
    series: [
      {},
      ...spec.series.map((one) => ({
        scale: one.scale ?? "y",
        stroke: palette[one.colour],
        width: one.width ?? 1.5,
        dash: one.dash,
        spanGaps: false,
        fill: one.fill ? `${palette[one.colour]}26` : undefined,
        points: { show: false },
        paths: one.stepped ? uPlot.paths.stepped({ align: 1 }) : undefined,
      })),
    ],
    hooks: {
      draw: [mark],
      setCursor: [(plot) => setCursor(plot.cursor.idx ?? null)],
      ready: [(plot) => plot.over.addEventListener("click", () => seek(plot))],
    },
  };
}
