// Scaled objects (signals, replicas wanted and ready, what limits them) and the models they serve.
import { useState } from "preact/hooks";
import { count, figure, milliseconds, shortKey } from "./format.js";

const FEW = 6;

// A list's first few and a button for the rest.
function useMore(list) {
  const [all, setAll] = useState(false);
  const more = list.length > FEW && (
    <button type="button" class="quiet-button more" aria-expanded={all} onClick={() => setAll(!all)}>{all ? "Show fewer" : `Show all ${count(list.length)}`}</button>);
  return [all ? list : list.slice(0, FEW), more];
}

// What needs a look comes first: what lacks replicas, then what is held back.
function byNeed(a, b) {
  const need = (one) => (one.wanted ?? 0) - (one.ready ?? 0);
  return need(b) - need(a) || Number(Boolean(b.limited_by)) - Number(Boolean(a.limited_by)) || (a.key < b.key ? -1 : 1);
}

export function Scaled({ model, askAbout }) {
  const list = [...model.scaled.values()];
  const [some, more] = useMore(list.length > FEW ? list.sort(byNeed) : list);
  return (
    <section class="panel" aria-label="Scaled objects">
      <div class="panel-head"><h2>Scaled objects <span class="n">{count(list.length)}</span></h2></div>
      {list.length === 0 && <p class="empty">No scaled objects.</p>}
      <ul class="scaled">{some.map((one) => <ScaledObject key={one.key} one={one} askAbout={askAbout} />)}</ul>
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
        <button type="button" class="name-button" title={`${one.key}: show its decisions`} onClick={() => askAbout(shortKey(one.key))}>{shortKey(one.target || one.key)}</button>
        <span class="replicas"><b>{count(one.ready)}</b> of <b>{count(one.wanted)}</b> ready{short && <span class="flag"> {count(one.wanted - one.ready)} missing</span>}</span>
        <span class="quiet">{count(one.min)} to {count(one.max)}</span>
      </div>
      <svg class="gauge" viewBox="0 0 100 4" preserveAspectRatio="none" aria-hidden="true">
        <rect class="room" width="100" height="4" /><rect class="wanted" width={(one.wanted ?? 0) / top * 100} height="4" />
        <rect class="ready" width={(one.ready ?? 0) / top * 100} height="4" />
      </svg>
      <ul class="signals">
        {(one.signals ?? []).map((signal) => (
          <li key={signal.name}><span class="signal">{signal.name}</span> <b>{figure(signal.value)}</b>
            <span class="quiet"> of {figure(signal.target)} a replica, asks for </span><b>{count(signal.asks_for)}</b></li>
        ))}
        {!(one.signals ?? []).length && <li class="quiet">no signals</li>}
      </ul>
      {one.limited_by && <p class="limited">limited by {one.limited_by}</p>}
    </li>
  );
}

export function Models({ model }) {
  const over = (one) => one.slo_ms > 0 && one.p95_ms > one.slo_ms;
  const list = [...model.models.values()];
  const [some, more] = useMore(list.length > FEW ? list.sort((a, b) => (b.p95_ms ?? 0) / (b.slo_ms || 1) - (a.p95_ms ?? 0) / (a.slo_ms || 1)) : list);
  return (
    <section class="panel" aria-label="Models">
      <div class="panel-head"><h2>Models <span class="n">{count(list.length)}</span></h2></div>
      {list.length === 0 ? <p class="empty">No models.</p> : (
        <div class="scroll-x" role="region" aria-label="Models, figures" tabindex="0">
          <table class="models">
            <thead><tr><th scope="col">model</th><th scope="col">P50</th><th scope="col">P95</th><th scope="col">SLO</th><th scope="col">queue</th>
              <th scope="col">running</th><th scope="col">req/s</th><th scope="col">tok/s</th></tr></thead>
            <tbody>
              {some.map((one) => (
                <tr key={one.name} data-model={one.name}>
                  <th scope="row" title={one.deployment}>{one.name}</th><td>{milliseconds(one.p50_ms)}</td>
                  <td class={over(one) ? "over" : ""}>{milliseconds(one.p95_ms)}{over(one) && <span class="flag"> over</span>}</td>
                  <td>{milliseconds(one.slo_ms)}</td><td>{count(one.queue)}</td><td>{count(one.running)}</td>
                  <td>{figure(one.requests_per_s)}</td><td>{count(one.tokens_per_s)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
      {more}
    </section>
  );
}
