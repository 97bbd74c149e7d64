// A node's details: its facts, each GPU with what runs on it, all its pods, why it is there; and
// the one control that acts on it, asked for twice.
import { useEffect, useLayoutEffect, useRef, useState } from "preact/hooks";
import { clock, dollars, instant, length, moment, plural, shortKey, shortNode } from "./format.js";
import { useDismiss } from "./hooks.js";
import { idOf } from "./model.js";
import { Gpu } from "./node_cards.jsx";
import { ControlError, useControl } from "./number_form.jsx";
import { MEANINGS, shownPhase } from "./phases.js";

const MOST_PODS = 60;

export function NodeDetails({ session, model, id, node, close, askAbout }) {
  const panel = useRef(null);
  const [kept, keep] = useState(node);
  useLayoutEffect(() => {
    const before = document.activeElement;
    panel.current.querySelector("h2").focus();
    return () => {
      // Back to the box it came from; that may have been drawn anew meanwhile.
      const stop = document.querySelector('.nodes [role="gridcell"][tabindex="0"]');
      (before?.isConnected && before !== document.body ? before : stop)?.focus({
        preventScroll: true,
      });
    };
  }, [id]);
  useEffect(() => {
    if (node) keep(node);
  }, [node]);
  useDismiss(panel, close, { stay: true });
  const shown = node ?? (kept && idOf(kept) === id ? kept : null);
  return (
    <aside
      class="details"
      ref={panel}
      role="dialog"
      aria-labelledby="details-title"
      data-testid="details"
    >
      <div class="details-head">
        <h2 id="details-title" tabindex="-1">
          {shown ? shortNode(shown.name) : id}
        </h2>
        <button type="button" class="icon" onClick={close} aria-label="Close the details">
          <svg viewBox="0 0 16 16" aria-hidden="true">
            <path class="line" d="M3.5 3.5l9 9M12.5 3.5l-9 9" />
          </svg>
        </button>
      </div>
      {!node && (
        <p class="note" role="status">
          {session.past ? "This node is not there at the moment shown." : "This node is gone."}
        </p>
      )}
      {shown && <Facts node={shown} model={model} />}
      {node && <Interrupt session={session} node={node} />}
      {shown && <Gpus node={shown} model={model} />}
      {node && <PodsOn node={node} model={model} />}
      {shown && (
        <p class="links">
          <button
            type="button"
            class="quiet-button"
            onClick={() => {
              if (matchMedia("(max-width: 760px)").matches) close();
              askAbout(shown.claim || shown.name);
            }}
          >
            Decisions about it
          </button>
        </p>
      )}
    </aside>
  );
}

function Facts({ node, model }) {
  const phase = shownPhase(node, model.pods);
  const now = instant(model.now);
  const rows = [
    [
      "phase",
      <>
        <span class={`badge ph-${phase}`}>{phase}</span>{" "}
        <span class="quiet">{MEANINGS[phase]}</span>
      </>,
    ],
    [
      "since",
      <>
        {moment(instant(node.since), now)}{" "}
        <span class="quiet">{length((now - instant(node.since)) / 1000)}</span>
      </>,
    ],
    ["why", node.why],
    ["name", node.name],
    ["claim", node.claim],
    ["type", node.instance_type],
    ["capacity", node.capacity_type],
    ["zone", node.zone],
    ["pool", node.pool],
    ["price", `${dollars(node.usd_per_hour)} an hour`],
    ["cost so far", dollars(node.usd)],
    ["scheduling", node.unschedulable ? "takes no new pods" : "takes pods"],
  ];
  return (
    <dl class="facts-list">
      {rows
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>{value}</dd>
          </div>
        ))}
    </dl>
  );
}

function Gpus({ node, model }) {
  if (!node.gpus.length) return <p class="note">This node has no GPUs.</p>;
  return (
    <>
      <h3>{plural(node.gpus.length, "GPU")}</h3>
      <ol class="gpu-list">
        {node.gpus.map((gpu, i) => (
          <li key={i}>
            <Gpu gpu={gpu} name={node.gpu_name} pod={model.pods.get(gpu.pod)} />
          </li>
        ))}
      </ol>
    </>
  );
}

function PodsOn({ node, model }) {
  const pods = [...model.pods.values()].filter((pod) => pod.node === node.name);
  return (
    <>
      <h3>{plural(pods.length, "pod")}</h3>
      {pods.length === 0 && <p class="note">No pods on it.</p>}
      <ul class="pod-list">
        {pods.slice(0, MOST_PODS).map((pod) => (
          <li key={pod.key} title={pod.key}>
            <span class="pod-name">{shortKey(pod.key)}</span>{" "}
            <span class={`word ph-${pod.phase}`}>{pod.phase}</span>
            <span class="quiet since">{clock(instant(pod.since))}</span>
          </li>
        ))}
      </ul>
      {pods.length > MOST_PODS && (
        <p class="note">and {plural(pods.length - MOST_PODS, "more pod", "more pods")}</p>
      )}
    </>
  );
}

function Interrupt({ session, node }) {
  const [asked, setAsked] = useState(false);
  const sure = useRef(null);
  const control = useControl(session, () => setAsked(false));
  useLayoutEffect(() => {
    if (asked) sure.current?.focus();
  }, [asked]);
  const why_not = session.past
    ? "Controls act on now: go back to live first."
    : node.capacity_type !== "spot"
      ? "Only spot capacity is interrupted; this node is on-demand."
      : node.phase === "draining" || node.phase === "terminating"
        ? "It is leaving already."
        : "";
  if (why_not)
    return (
      <div class="danger">
        <button type="button" disabled>
          Interrupt spot instance
        </button>
        <p class="note">{why_not}</p>
      </div>
    );
  return (
    <div class="danger">
      {!asked && (
        <button type="button" onClick={() => setAsked(true)} data-testid="interrupt">
          Interrupt spot instance
        </button>
      )}
      {asked && (
        <div role="group" aria-label="Confirm the interruption">
          <p>
            The cloud takes {shortNode(node.name)} back after two minutes' notice. Its pods must
            move.
          </p>
          <button
            type="button"
            class="primary bad"
            ref={sure}
            aria-disabled={control.busy}
            onClick={() => control.send({ interrupt_node: node.name })}
            data-testid="interrupt-sure"
          >
            Interrupt
          </button>
          <button type="button" onClick={() => setAsked(false)}>
            Cancel
          </button>
        </div>
      )}
      <ControlError text={control.error} />
    </div>
  );
}
