// Scaled objects (signals, replicas wanted and ready, what limits them) and the models they serve.
import { useState } from "preact/hooks";
import { count, figure, milliseconds, shortKey } from "./format.js";

const FEW = 6;
const known = (value) => value !== null && value !== undefined;

// A list's first few and a button for the rest.
function useMore(list) {
  const [all, setAll] = useState(false);
  const more = list.length > FEW && (
    <button
      type="button"
      class="quiet-button more"
      aria-expanded={all}
      onClick={() => setAll(!all)}
    >
      {all ? "Show fewer" : `Show all ${count(list.length)}`}
    </button>
  );
  return [all ? list : list.slice(0, FEW), more];
}

// What needs a look comes first: what lacks replicas, then what is held back.
function byNeed(a, b) {
  const need = (one) => (one.wanted ?? 0) - (one.ready ?? 0);
  return (
    need(b) - need(a) ||
    Number(Boolean(b.limited_by)) - Number(Boolean(a.limited_by)) ||
    (a.key < b.key ? -1 : 1)
  );
}

export function Scaled({ model, askAbout }) {
  const list = [...model.scaled.values()];
  const [some, more] = useMore(list.length > FEW ? list.sort(byNeed) : list);
  return (
    <section class="panel" aria-label="Scaled objects">
      <div class="panel-head">
        <h2>
          Scaled objects <span class="n">{count(list.length)}</span>
        </h2>
      </div>
      {list.length === 0 && <p class="empty">No scaled objects.</p>}
      <ul class="scaled">
        {some.map((one) => (
          <ScaledObject key={one.key} one={one} askAbout={askAbout} />
        ))}
      </ul>
      {more}
    </section>
  );
}

function ScaledObject({ one, askAbout }) {
  const short = (one.ready ?? 0) < (one.wanted ?? 0);
  const top = Math.max(1, one.max ?? 0, one.wanted ?? 0, one.ready ?? 0);
  return (
    <li data-scaled={one.key}>
      <div class="line">
        <button
          type="button"
          class="name-button"
          title={`${one.key}: show its decisions`}
          onClick={() => askAbout(shortKey(one.key))}
        >
          {shortKey(one.target || one.key)}
        </button>
        <span class="replicas">
          <b>{count(one.ready)}</b> of <b>{count(one.wanted)}</b> ready
          {short && <span class="flag"> {count(one.wanted - one.ready)} missing</span>}
        </span>
      </div>
      <svg class="gauge" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="room" width="100" height="4" />
        <rect class="wanted" width={((one.wanted ?? 0) / top) * 100} height="4" />
        <rect class="ready" width={((one.ready ?? 0) / top) * 100} height="4" />
      </svg>
      <ul class="signals">
        {one.signals.map((signal) => (
          <li key={signal.name}>
            <span class="signal">{signal.name}</span> <b>{figure(signal.value)}</b>
            {known(signal.target) && (
              <span class="quiet"> of {figure(signal.target)} a replica</span>
            )}
            {known(signal.asks_for) && (
              <>
                <span class="quiet">, asks for </span>
                <b>{count(signal.asks_for)}</b>
              </>
            )}
          </li>
        ))}
        {!one.signals.length && <li class="quiet">no signals</li>}
      </ul>
      <p class="bounds">
        <span class="quiet">
          min {count(one.min)}, max {count(one.max)}
        </span>
        {one.limited_by && <span class="limited">limit: {one.limited_by}</span>}
      </p>
    </li>
  );
}

const over = (one) => one.slo_ms > 0 && one.p95_ms > one.slo_ms;

export function Models({ model }) {
  const list = [...model.models.values()];
  const [some, more] = useMore(
    list.length > FEW
      ? list.sort((a, b) => (b.p95_ms ?? 0) / (b.slo_ms || 1) - (a.p95_ms ?? 0) / (a.slo_ms || 1))
      : list,
  );
  return (
    <section class="panel" aria-label="Models">
      <div class="panel-head">
        <h2>
          Models <span class="n">{count(list.length)}</span>
        </h2>
      </div>
      {list.length === 0 && <p class="empty">No models.</p>}
      <ul class="models">
        {some.map((one) => (
          <Model key={one.name} one={one} />
        ))}
      </ul>
      {more}
    </section>
  );
}

function Model({ one }) {
  // The gauge ends at twice the SLO, its mark is the SLO.
  const share =
    one.slo_ms > 0 && one.p95_ms !== null ? Math.min(100, (one.p95_ms / one.slo_ms) * 50) : 0;
  return (
    <li data-model={one.name}>
      <div class="line">
        <b class="who" title={one.deployment}>
          {one.name}
        </b>
        <span class={over(one) ? "p95 over" : "p95"}>
          P95 <b>{milliseconds(one.p95_ms)}</b>
          {over(one) && <span class="flag"> over</span>}
        </span>
        <span class="quiet">SLO {milliseconds(one.slo_ms)}</span>
      </div>
      <svg class="gauge" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="room" width="100" height="4" />
        <rect class={over(one) ? "over" : "ready"} width={share} height="4" />
        {one.slo_ms > 0 && <rect class="slo-mark" x="49.75" width=".5" height="4" />}
      </svg>
      <dl class="small-figures">
        <div>
          <dt>P50</dt>
          <dd>{milliseconds(one.p50_ms)}</dd>
        </div>
        <div>
          <dt>queue</dt>
          <dd>{count(one.queue)}</dd>
        </div>
        <div>
          <dt>running</dt>
          <dd>{count(one.running)}</dd>
        </div>
        <div>
          <dt>req/s</dt>
          <dd>{figure(one.requests_per_s)}</dd>
        </div>
        <div>
          <dt>tok/s</dt>
          <dd>{count(one.tokens_per_s)}</dd>
        </div>
      </dl>
    </li>
  );
}
