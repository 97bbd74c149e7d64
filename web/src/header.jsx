// Scenario and policy, the simulated clock with pause and speed, money, connection, theme.
import { useState } from "preact/hooks";
import { change, clock, day, dollars, figure, instant } from "./format.js";
import { NumberForm } from "./number_form.jsx";
import { Popover } from "./popover.jsx";
import { THEMES } from "./theme.js";

const SPEEDS = [1, 10, 60, 300, 1200, 3600];

export function Header({ session, theme, setTheme }) {
  const model = session.shown;
  const { live } = session;
  const now = session.past ? session.past.time : instant(live.now);
  return (
    <header>
      <div class="brand">
        <Mark />
        <h1>
          <span class="name">Windlass</span>{" "}
          <span class="scenario" title="scenario">
            {live.scenario}
          </span>
        </h1>
        <span class="policy" title="the policy that decides">
          policy <b>{live.policy}</b>
        </span>
      </div>
      <div class="time" role="group" aria-label="Simulated time">
        <span class="clock" data-testid="clock">
          {clock(now)}
        </span>
        <span class="day">{day(now)}</span>
        <Pause session={session} />
        <Popover label={<>{figure(live.speed)}×</>} name="Speed" title="simulated seconds a second">
          {(close) => (
            <NumberForm
              session={session}
              close={close}
              legend="Speed, simulated seconds a second"
              name="speed"
              choices={SPEEDS}
              value={live.speed}
              min={0.1}
              max={100000}
              unit="×"
              body={(speed) => ({ speed })}
            />
          )}
        </Popover>
      </div>
      <Money cost={model.cost} />
      <div class="ends">
        <Connection session={session} />
        <button
          type="button"
          class="icon"
          onClick={() => setTheme(THEMES[(THEMES.indexOf(theme) + 1) % THEMES.length])}
          aria-label={`Theme: ${theme}. Change`}
          title={`theme: ${theme}`}
          data-testid="theme"
        >
          <ThemeIcon theme={theme} />
        </button>
      </div>
    </header>
  );
}

function Pause({ session }) {
  const [state, setState] = useState({ busy: false, error: "" });
  const { paused } = session.live;
  const toggle = async () => {
    setState({ busy: true, error: "" });
    setState({ busy: false, error: await session.control({ pause: !paused }) });
  };
  return (
    <span class="with-error">
      <button
        type="button"
        class="icon"
        onClick={toggle}
        aria-disabled={state.busy}
        aria-pressed={paused}
        data-testid="pause"
        aria-label={paused ? "Resume" : "Pause"}
        title={paused ? "resume" : "pause"}
      >
        <svg viewBox="0 0 16 16" aria-hidden="true">
          {paused ? <path d="M4 2.5v11l9-5.5z" /> : <path d="M3.5 2.5h3v11h-3zM9.5 2.5h3v11h-3z" />}
        </svg>
      </button>
      {paused && <span class="paused-word">paused</span>}
      {state.error && (
        <span class="error" role="alert">
          {state.error}
        </span>
      )}
    </span>
  );
}

function Money({ cost }) {
  return (
    <dl class="money">
      <div>
        <dt>an hour</dt>
        <dd data-testid="usd-per-hour">{dollars(cost?.usd_per_hour)}</dd>
      </div>
      <div>
        <dt>so far</dt>
        <dd data-testid="usd">{dollars(cost?.usd)}</dd>
      </div>
      {(cost?.policies ?? []).map((policy) => (
        <div
          key={policy.name}
          class="other"
          title={`what the ${policy.name} policy would have cost so far; now ${dollars(policy.usd_per_hour)} an hour`}
        >
          <dt>{policy.name}</dt>
          <dd>
            {dollars(policy.usd)} <span class="quiet">{change(cost.usd, policy.usd)}</span>
          </dd>
        </div>
      ))}
    </dl>
  );
}

function Connection({ session }) {
  const state = session.past
    ? "past"
    : session.connection.state !== "open"
      ? "lost"
      : session.stale
        ? "stale"
        : "live";
  const words = { past: "History", lost: "Offline", stale: "Stale", live: "Live" };
  return (
    <span class={`connection ${state}`} role="status" data-testid="connection">
      <i aria-hidden="true" />
      {words[state]}
    </span>
  );
}

function Mark() {
  return (
    <svg class="mark" viewBox="0 0 24 24" aria-hidden="true">
      <circle cx="12" cy="12" r="8" />
      <circle cx="12" cy="12" r="2.6" />
      <path d="M12 1.5v7M12 15.5v7M1.5 12h7M15.5 12h7" />
    </svg>
  );
}

function ThemeIcon({ theme }) {
  if (theme === "light") {
    return (
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <circle cx="8" cy="8" r="3" />
        <path
          class="line"
          d="M8 .8v2M8 13.2v2M.8 8h2M13.2 8h2M2.9 2.9l1.4 1.4M11.7 11.7l1.4 1.4M2.9 13.1l1.4-1.4M11.7 4.3l1.4-1.4"
        />
      </svg>
    );
  }
  if (theme === "dark")
    return (
      <svg viewBox="0 0 16 16" aria-hidden="true">
        <path d="M13.5 10.2A6 6 0 0 1 5.8 2.5a6 6 0 1 0 7.7 7.7z" />
      </svg>
    );
  return (
    <svg viewBox="0 0 16 16" aria-hidden="true">
      <circle class="line" cx="8" cy="8" r="6" />
      <path d="M8 2a6 6 0 0 1 0 12z" />
    </svg>
  );
}
