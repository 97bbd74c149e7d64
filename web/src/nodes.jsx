// The nodes, as cards or, where there are many, as a map with a cell for each. Both are one grid
// for the keyboard: one stop in the tab order, arrows move, Enter opens the details.
import { useMemo, useState } from "preact/hooks";
import { count, dollars, percent, plural } from "./format.js";
import { derived, idOf } from "./model.js";
import { NodeCards } from "./node_cards.jsx";
import { NodeMap } from "./node_map.jsx";
import { CODES, MEANINGS, NODE_PHASES } from "./phases.js";

const MAP_FROM = 80; // nodes

function matches(node, phase, wanted, words) {
  if (wanted && phase !== wanted) return false;
  if (!words) return true;
  const text = `${node.name} ${node.instance_type} ${node.gpu_name} ${node.capacity_type} ${node.zone} ${node.pool} ${node.gpus.map((g) => g.pod ?? "").join(" ")}`;
  return words
    .toLowerCase()
    .split(/\s+/)
    .every((word) => text.toLowerCase().includes(word));
}

export function Nodes({ model, scheme, selected, select }) {
  const [form, setForm] = useState("auto");
  const [phase, setPhase] = useState(null);
  const [words, setWords] = useState("");
  const facts = derived(model);
  const as_map = form === "auto" ? facts.nodes.length > MAP_FROM : form === "map";
  const groups = useMemo(() => {
    if (!phase && !words) return facts.groups;
    return facts.groups
      .map((group) => ({
        ...group,
        nodes: group.nodes.filter((node) =>
          matches(node, facts.phases.get(idOf(node)), phase, words),
        ),
      }))
      .filter((group) => group.nodes.length);
  }, [facts, phase, words]);
  const found = groups.reduce((sum, group) => sum + group.nodes.length, 0);
  const View = as_map ? NodeMap : NodeCards;
  return (
    <section class="panel nodes" id="nodes" aria-label="Nodes" tabindex="-1">
      <div class="panel-head">
        <h2>
          Nodes{" "}
          <span class="n" data-testid="node-count">
            {count(facts.nodes.length)}
          </span>
        </h2>
        <p class="sum">
          {plural(facts.gpus, "GPU")}
          {facts.gpus > 0 && `, ${percent(facts.busy / facts.gpus)} busy`} ·{" "}
          {dollars(facts.usd_per_hour)}/h
        </p>
        <input
          type="search"
          class="filter"
          placeholder="Name, type or pod"
          aria-label="Filter the nodes"
          value={words}
          onInput={(e) => setWords(e.currentTarget.value)}
        />
        <div class="segments" role="group" aria-label="How nodes are shown">
          <button type="button" aria-pressed={!as_map} onClick={() => setForm("cards")}>
            Cards
          </button>
          <button type="button" aria-pressed={as_map} onClick={() => setForm("map")}>
            Map
          </button>
        </div>
      </div>
      <PhaseKey counts={facts.node_phases} phase={phase} setPhase={setPhase} as_map={as_map} />
      {found ? (
        <View
          groups={groups}
          facts={facts}
          model={model}
          scheme={scheme}
          selected={selected}
          select={select}
        />
      ) : (
        <p class="empty">{facts.nodes.length ? "No node matches the filter." : "No nodes."}</p>
      )}
    </section>
  );
}

// The legend is the filter: a press shows the nodes of that phase only.
function PhaseKey({ counts, phase, setPhase, as_map }) {
  const present = NODE_PHASES.filter((one) => counts.get(one) || one === phase);
  if (!present.length) return null;
  return (
    <div class="phase-key" role="group" aria-label="Nodes by phase; press to show only these">
      {present.map((one) => (
        <button
          type="button"
          key={one}
          class={`ph-${one}`}
          aria-pressed={phase === one}
          title={MEANINGS[one]}
          data-phase={one}
          onClick={() => setPhase(phase === one ? null : one)}
        >
          <i aria-hidden="true" class={as_map && one === "ready" ? "cell-mark" : ""}>
            {as_map ? CODES[one] : ""}
          </i>
          {one} <b>{count(counts.get(one) ?? 0)}</b>
        </button>
      ))}
      {as_map && (
        <span class="hint">
          <i class="spot-mark" aria-hidden="true" /> spot · bars: a GPU each, filled as busy
        </span>
      )}
    </div>
  );
}

// A node in one sentence, for screen readers and the map's tip.
export function nodeSentence(node, phase) {
  const used = node.gpus.filter((gpu) => gpu.pod).length;
  const busy = node.gpus.length
    ? node.gpus.reduce((sum, gpu) => sum + (gpu.busy ?? 0), 0) / node.gpus.length
    : 0;
  const gpus = node.gpus.length
    ? `${used} of ${plural(node.gpus.length, `${(node.gpu_name || "").toUpperCase()} GPU`)} in use, ${percent(busy)} busy`
    : "no GPUs";
  return `${node.name}, ${phase}, ${node.instance_type} ${node.capacity_type}, ${dollars(node.usd_per_hour)} an hour, ${gpus}`;
}
