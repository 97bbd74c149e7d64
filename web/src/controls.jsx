// What a person can do to the world: traffic, a burst, missing capacity, an outage of Prometheus.
// What is in force is said below as removable marks. (A spot interruption is in a node's details.)
import { useState } from "preact/hooks";
import { clock, figure, instant } from "./format.js";
import { ControlError, NumberForm, useControl } from "./number_form.jsx";
import { Popover } from "./popover.jsx";

const FACTORS = [0, 0.5, 1, 2, 5, 10];

export function Controls({ session }) {
  const { live } = session;
  const controls = live.controls ?? {};
  const factor = controls.traffic_factor ?? 1;
  return (
    <div class="controls" role="group" aria-label="Controls of the simulated world">
      <Popover label={`Traffic ×${figure(factor)}`} name="Traffic" kind={factor === 1 ? "" : "on"}>
        {(close) => (
          <NumberForm
            session={session}
            close={close}
            legend="Traffic, times the scenario's"
            name="traffic"
            choices={FACTORS}
            value={factor}
            min={0}
            max={1000}
            unit="×"
            body={(traffic_factor) => ({ traffic_factor })}
          />
        )}
      </Popover>
      <Popover label="Burst" name="Burst of traffic" kind={controls.burst_until ? "on" : ""}>
        {(close) => <Burst session={session} close={close} />}
      </Popover>
      <Popover
        label="No capacity"
        name="No capacity for a type"
        kind={controls.blocked?.length ? "on" : ""}
      >
        {(close) => <Capacity session={session} close={close} />}
      </Popover>
      <Popover
        label="Prometheus outage"
        name="Prometheus outage"
        kind={controls.prometheus_down_until ? "on" : ""}
      >
        {(close) => <Outage session={session} close={close} />}
      </Popover>
      <InForce session={session} controls={controls} />
    </div>
  );
}

function InForce({ session, controls }) {
  const { error, send } = useControl(session);
  const until = (time) => (time ? `until ${clock(instant(time))}` : "until unblocked");
  const marks = [];
  if (controls.burst_until) marks.push(<li key="burst">burst {until(controls.burst_until)}</li>);
  if (controls.prometheus_down_until)
    marks.push(<li key="prometheus">Prometheus down {until(controls.prometheus_down_until)}</li>);
  for (const { instance_type, until: end } of controls.blocked ?? []) {
    marks.push(
      <li key={instance_type}>
        no {instance_type} {until(end)}
        <button
          type="button"
          onClick={() => send({ unblock_capacity: instance_type })}
          aria-label={`Unblock ${instance_type}`}
        >
          Unblock
        </button>
      </li>,
    );
  }
  if (!marks.length && !error) return null;
  return (
    <div class="in-force">
      <ul aria-label="In force">{marks}</ul>
      <ControlError text={error} />
    </div>
  );
}

// "5 min" and the like as a select of seconds.
function Seconds({ value, set, lengths, label = "For" }) {
  return (
    <label>
      {label}{" "}
      <select value={value} onChange={(event) => set(event.currentTarget.value)}>
        {lengths.map(([seconds, name]) => (
          <option key={seconds} value={seconds}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

const LENGTHS = [
  ["60", "1 min"],
  ["300", "5 min"],
  ["600", "10 min"],
  ["1800", "30 min"],
  ["3600", "1 h"],
];

function Burst({ session, close }) {
  const control = useControl(session, close);
  const [factor, setFactor] = useState("3");
  const [seconds, setSeconds] = useState("300");
  const submit = (event) => {
    event.preventDefault();
    control.send({ burst: { factor: Number(factor), seconds: Number(seconds) } });
  };
  return (
    <form class="form" onSubmit={submit}>
      <fieldset>
        <legend>Multiply arrivals for a while</legend>
        <div class="row">
          <label>
            Times{" "}
            <input
              type="number"
              name="factor"
              min="0"
              max="1000"
              step="any"
              required
              value={factor}
              onInput={(e) => setFactor(e.currentTarget.value)}
            />
          </label>
          <Seconds value={seconds} set={setSeconds} lengths={LENGTHS} />
          <button type="submit" class="primary" aria-disabled={control.busy}>
            Start
          </button>
        </div>
      </fieldset>
      <ControlError text={control.error} />
    </form>
  );
}

function Capacity({ session, close }) {
  const control = useControl(session, close);
  const types = [...new Set([...session.live.nodes.values()].map((node) => node.instance_type))]
    .filter(Boolean)
    .sort();
  const [type, setType] = useState(types.find((one) => /^[gp]/.test(one)) ?? types[0] ?? "");
  const [seconds, setSeconds] = useState("600");
  const submit = (event) => {
    event.preventDefault();
    const block = { instance_type: type.trim() };
    if (seconds) block.seconds = Number(seconds);
    control.send({ block_capacity: block });
  };
  return (
    <form class="form" onSubmit={submit}>
      <fieldset>
        <legend>The cloud has no more of an instance type</legend>
        <div class="row">
          <label>
            Type{" "}
            <input
              name="type"
              list="known-types"
              required
              value={type}
              autocomplete="off"
              onInput={(e) => setType(e.currentTarget.value)}
            />
          </label>
          <datalist id="known-types">
            {types.map((one) => (
              <option key={one} value={one} />
            ))}
          </datalist>
          <Seconds
            value={seconds}
            set={setSeconds}
            lengths={[...LENGTHS.slice(1), ["", "until unblocked"]]}
          />
          <button type="submit" class="primary" aria-disabled={control.busy}>
            Block
          </button>
        </div>
      </fieldset>
      <ControlError text={control.error} />
    </form>
  );
}

function Outage({ session, close }) {
  const control = useControl(session, close);
  const [seconds, setSeconds] = useState("300");
  const submit = (event) => {
    event.preventDefault();
    control.send({ prometheus_outage: { seconds: Number(seconds) } });
  };
  return (
    <form class="form" onSubmit={submit}>
      <fieldset>
        <legend>Prometheus answers nothing</legend>
        <div class="row">
          <Seconds value={seconds} set={setSeconds} lengths={LENGTHS} />
          <button type="submit" class="primary" aria-disabled={control.busy}>
            Start
          </button>
        </div>
      </fieldset>
      <ControlError text={control.error} />
    </form>
  );
}
