// The decision feed: a plain sentence each, newest first; opened, what went in, the reasons, and
// what came of it.
import { useMemo, useState } from "preact/hooks";
import { count, instant, moment } from "./format.js";
import { useMedia } from "./hooks.js";

function matches(one, words) {
  const text =
    `${one.sentence} ${one.object} ${one.controller} ${one.what} ${one.result}`.toLowerCase();
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.includes(word));
}

export function Decisions({ model, about, setAbout }) {
  const [all, setAll] = useState(false);
  const [open, setOpen] = useState(() => new Set());
  const list = useMemo(
    () => (about ? model.decisions.filter((one) => matches(one, about)) : model.decisions),
    [model.decisions, about],
  );
  const now = instant(model.now);
  const today = Math.floor(now / 86400000);
  const toggle = (id) =>
    setOpen((old) => {
      const next = new Set(old);
      if (!next.delete(id)) next.add(id);
      return next;
    });
  const few = useMedia("(max-width: 760px)") ? 12 : 60;
  const some = useMemo(() => (all ? list : list.slice(0, few)), [list, all, few]);
  const items = useMemo(
    () =>
      some.map((one) => (
        <Decision key={one.id} one={one} now={now} open={open.has(one.id)} toggle={toggle} />
      )),
    [some, open, today],
  );
  return (
    <section class="panel feed" id="decisions" aria-label="Decisions">
      <div class="panel-head">
        <h2>
          Decisions <span class="n">{count(list.length)}</span>
        </h2>
        <input
          type="search"
          class="filter"
          placeholder="Filter"
          aria-label="Filter the decisions"
          value={about}
          onInput={(e) => setAbout(e.currentTarget.value)}
        />
      </div>
      {list.length === 0 && (
        <p class="empty">
          {model.decisions.length ? "No decision matches the filter." : "No decisions yet."}
        </p>
      )}
      {/* A region that scrolls by itself takes the focus, so that the keyboard can scroll it. */}
      <div class="decisions" tabindex="0" role="region" aria-label="Decisions, newest first">
        <ol>
          <FeedItems items={items} />
        </ol>
        {list.length > few && (
          <button
            type="button"
            class="quiet-button more"
            aria-expanded={all}
            onClick={() => setAll(!all)}
          >
            {all ? "Show fewer" : `Show all ${count(list.length)}`}
          </button>
        )}
      </div>
    </section>
  );
}

const FeedItems = ({ items }) => items;

function Decision({ one, now, open, toggle }) {
  const id = `decision-${one.id}`;
  return (
    <li data-decision={one.id}>
      <button
        type="button"
        class="sentence"
        aria-expanded={open}
        aria-controls={id}
        onClick={() => toggle(one.id)}
      >
        <span class="meta">
          <time>{moment(instant(one.time), now)}</time>{" "}
          <span class="controller">{one.controller}</span>
        </span>
        <span>{one.sentence || `${one.what} ${one.object}: ${one.result}`}</span>
      </button>
      {open && (
        <div class="reasons" id={id}>
          <p>
            <b>{one.what}</b> {one.object}
            {one.result && (
              <>
                {" "}
                <span class="arrow" aria-hidden="true">
                  ·
                </span>{" "}
                {one.result}
              </>
            )}
          </p>
          {one.inputs?.length > 0 && (
            <>
              <h4>Inputs</h4>
              <dl>
                {one.inputs.map(([name, value], i) => (
                  <div key={i}>
                    <dt>{name}</dt>
                    <dd>{value}</dd>
                  </div>
                ))}
              </dl>
            </>
          )}
          {one.reasons?.length > 0 && (
            <>
              <h4>Reasons</h4>
              <ul>
                {one.reasons.map((reason, i) => (
                  <li key={i}>{reason}</li>
                ))}
              </ul>
            </>
          )}
        </div>
      )}
    </li>
  );
}
