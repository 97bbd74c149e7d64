// The run so far as a slider: the arrivals drawn behind it, its end is live. Arrow keys step, Page
// Up and Down leap, Home is the start, End is live.
import { useMemo } from "preact/hooks";
import { clock, instant, length, moment } from "./format.js";

// A step that goes through the run in about 120 presses, on a length a person would choose.
function stepOf(total) {
  return [10, 30, 60, 120, 300, 600, 1800, 3600].find((step) => total / step <= 120) ?? 7200;
}

export function Timeline({ session }) {
  const started = instant(session.live.started);
  const total = Math.max(1, (instant(session.live.now) - started) / 1000);
  const value = session.past ? (session.past.time - started) / 1000 : total;
  const step = stepOf(total);
  // What is shown as of this press, which may be later than what was drawn last.
  const current = () => (session.past ? (session.past.time - started) / 1000 : total);
  const show = (seconds) =>
    seconds >= total - 1
      ? session.showLive()
      : session.showAt(started + Math.max(0, seconds) * 1000);
  const keys = (event) => {
    const by = {
      ArrowLeft: -step,
      ArrowDown: -step,
      ArrowRight: step,
      ArrowUp: step,
      PageDown: -step * 10,
      PageUp: step * 10,
    }[event.key];
    if (by === undefined && event.key !== "Home" && event.key !== "End") return;
    event.preventDefault();
    if (event.key === "Home") show(0);
    else if (event.key === "End") session.showLive();
    else show((Math.round(current() / step) + by / step) * step);
  };
  const said = session.past
    ? `${clock(session.past.time)}, ${length(total - value)} before live`
    : `${clock(started + total * 1000)}, live`;
  return (
    <div class="timeline">
      <span class="edge">{clock(started, false)}</span>
      <button
        type="button"
        class="step"
        aria-label={`Back ${length(step)}`}
        title={`back ${length(step)}`}
        onClick={() => show(current() - step)}
      >
        <svg viewBox="0 0 10 10" aria-hidden="true">
          <path d="M7 1L3 5l4 4" />
        </svg>
      </button>
      <div class="track">
        <Arrivals columns={session.full.columns} total={total} />
        <input
          type="range"
          min="0"
          max={total}
          step="any"
          value={value}
          aria-label="Moment shown"
          aria-valuetext={said}
          data-testid="timeline"
          onInput={(event) => show(Number(event.currentTarget.value))}
          onKeyDown={keys}
        />
      </div>
      <button
        type="button"
        class="step"
        disabled={!session.past}
        aria-label={`Forward ${length(step)}`}
        title={`forward ${length(step)}`}
        onClick={() => show(current() + step)}
      >
        <svg viewBox="0 0 10 10" aria-hidden="true">
          <path d="M3 1l4 4-4 4" />
        </svg>
      </button>
      <span class="edge">{moment(started + total * 1000, started)}</span>
    </div>
  );
}

function Arrivals({ columns, total }) {
  const path = useMemo(() => {
    if (!columns?.t.length) return "";
    const top = Math.max(1e-9, ...columns.requests_per_s);
    const points = columns.t.map(
      (t, i) =>
        `${((t / total) * 1000).toFixed(1)} ${(38 - (34 * (columns.requests_per_s[i] ?? 0)) / top).toFixed(1)}`,
    );
    return `M${((columns.t[0] / total) * 1000).toFixed(1)} 40L${points.join("L")}L${((columns.t.at(-1) / total) * 1000).toFixed(1)} 40Z`;
  }, [columns, total]);
  return (
    <svg class="arrivals" viewBox="0 0 1000 40" preserveAspectRatio="none" aria-hidden="true">
      <title>requests a second</title>
      <path d={path} />
    </svg>
  );
}
