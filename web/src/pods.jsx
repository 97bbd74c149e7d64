// Pods: how many in which phase, and those that wait, together where owner and reason are the same.
import { useState } from "preact/hooks";
import { count, instant, length, plural, shortKey } from "./format.js";
import { derived } from "./model.js";
import { POD_PHASES } from "./phases.js";

const FEW = 6;
const MOST_NAMES = 20;

export function Pods({ model }) {
  const { pod_phases, waiting } = derived(model);
  const [all, setAll] = useState(false);
  const total = model.pods.size;
  const present = POD_PHASES.filter((phase) => pod_phases.get(phase));
  let x = 0;
  const parts = present.map((phase) => {
    const width = (pod_phases.get(phase) / total) * 100;
    x += width;
    return <rect key={phase} class={`ph-${phase}`} x={x - width} width={width} height="6" />;
  });
  return (
    <section class="panel" id="pods" aria-label="Pods">
      <div class="panel-head">
        <h2>
          Pods{" "}
          <span class="n" data-testid="pod-count">
            {count(total)}
          </span>
        </h2>
      </div>
      {total === 0 && <p class="empty">No pods.</p>}
      {total > 0 && (
        <svg class="phase-bar" viewBox="0 0 100 6" preserveAspectRatio="none" aria-hidden="true">
          {parts}
        </svg>
      )}
      <ul class="phase-list">
        {present.map((phase) => (
          <li key={phase} class={`ph-${phase}`} data-pod-phase={phase}>
            <i aria-hidden="true" />
            {phase} <b>{count(pod_phases.get(phase))}</b>
          </li>
        ))}
      </ul>
      <h3>Waiting</h3>
      {waiting.length === 0 && <p class="empty">No pod waits.</p>}
      <ul class="waiting">
        {(all ? waiting : waiting.slice(0, FEW)).map((group) => (
          <Group key={group.name} group={group} now={instant(model.now)} />
        ))}
      </ul>
      {waiting.length > FEW && (
        <button
          type="button"
          class="quiet-button more"
          aria-expanded={all}
          onClick={() => setAll(!all)}
        >
          {all ? "Show fewer" : `Show all ${count(waiting.length)} reasons`}
        </button>
      )}
    </section>
  );
}

function Group({ group, now }) {
  const { owner, why, pods, oldest } = group;
  return (
    <li>
      <details>
        <summary>
          <b>{shortKey(owner) || shortKey(pods[0].key)}</b>{" "}
          {pods.length > 1 && <span class="times">×{count(pods.length)}</span>}
          <span class="quiet"> {length((now - oldest) / 1000)}</span>
          <span class="why">{why || "no reason given yet"}</span>
        </summary>
        <ul class="names">
          {pods.slice(0, MOST_NAMES).map((pod) => (
            <li key={pod.key}>
              {pod.key}
              {pod.gpus > 0 && <span class="quiet"> {plural(pod.gpus, "GPU")}</span>}
            </li>
          ))}
          {pods.length > MOST_NAMES && (
            <li class="quiet">and {count(pods.length - MOST_NAMES)} more</li>
          )}
        </ul>
      </details>
    </li>
  );
}
