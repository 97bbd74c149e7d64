// Nodes as cards, grouped by pool. Only rows near the visible part of the page exist as elements;
// the active card's row always does, so that the focus is never lost.
import { useEffect, useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { dollars, percent, plural, shortKey, shortNode } from "./format.js";
import { useWidth } from "./hooks.js";
import { idOf } from "./model.js";
import { nodeSentence } from "./nodes.jsx";

const CARD_MIN = 216,
  GAP = 8,
  POOL_HEIGHT = 34,
  BASE_HEIGHT = 57,
  GPU_HEIGHT = 19,
  MOST_LINES = 8,
  MARGIN = 500;

function layoutOf(groups, width) {
  const columns = Math.max(1, Math.floor((width + GAP) / (CARD_MIN + GAP)));
  const rows = [];
  let top = 0;
  const add = (row, height) => {
    rows.push({ ...row, top, height });
    top += height;
  };
  for (const group of groups) {
    add({ key: `pool ${group.pool}`, group }, POOL_HEIGHT);
    for (let i = 0; i < group.nodes.length; i += columns) {
      const nodes = group.nodes.slice(i, i + columns);
      const lines = Math.max(
        1,
        ...nodes.map((node) => Math.min(MOST_LINES + 1, uses(node).length)),
      );
      add(
        { key: `${group.pool} ${i}`, nodes, number: rows.length },
        BASE_HEIGHT + lines * GPU_HEIGHT + GAP,
      );
    }
  }
  return { rows, columns, height: top };
}

// First and last row that the window shows, with a margin.
function useVisible(box, layout) {
  const [range, setRange] = useState([0, 12]);
  useEffect(() => {
    let frame = 0;
    const look = () => {
      frame = 0;
      const offset = box.current ? -box.current.getBoundingClientRect().top : 0;
      const inside = (row) =>
        row.top + row.height > offset - MARGIN && row.top < offset + innerHeight + MARGIN;
      const first = layout.rows.findIndex(inside);
      let last = first;
      while (last + 1 < layout.rows.length && inside(layout.rows[last + 1])) ++last;
      setRange((old) => (old[0] === first && old[1] === last ? old : [first, last]));
    };
    const soon = () => {
      frame ||= requestAnimationFrame(look);
    };
    look();
    addEventListener("scroll", soon, { passive: true });
    addEventListener("resize", soon);
    return () => {
      cancelAnimationFrame(frame);
      removeEventListener("scroll", soon);
      removeEventListener("resize", soon);
    };
  }, [layout]);
  return range;
}

export function NodeCards({ groups, facts, model, selected, select }) {
  const box = useRef(null);
  const width = useWidth(box);
  const layout = useMemo(() => layoutOf(groups, width || CARD_MIN), [groups, width]);
  const [first, last] = useVisible(box, layout);
  const list = useMemo(() => groups.flatMap((group) => group.nodes), [groups]);
  const [active, setActive] = useState(null);
  const index = Math.max(
    0,
    list.findIndex((node) => idOf(node) === active),
  );
  const moved = useRef(false);
  useLayoutEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    const card = box.current.querySelector('[tabindex="0"]');
    card?.focus();
    card?.scrollIntoView({ block: "nearest" });
  });

  const keys = (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      select(idOf(list[index]));
      return;
    }
    const by = {
      ArrowLeft: -1,
      ArrowRight: 1,
      ArrowUp: -layout.columns,
      ArrowDown: layout.columns,
      PageUp: -4 * layout.columns,
      PageDown: 4 * layout.columns,
      Home: -list.length,
      End: list.length,
    }[event.key];
    if (by === undefined) return;
    event.preventDefault();
    moved.current = true;
    setActive(idOf(list[Math.min(list.length - 1, Math.max(0, index + by))]));
  };
  const wanted = list[index];
  const shown = layout.rows.filter(
    (row, i) => (i >= first && i <= last) || row.nodes?.includes(wanted),
  );
  return (
    <div
      class="cards"
      ref={box}
      role="grid"
      aria-label="Nodes by pool"
      aria-rowcount={layout.rows.length}
      onKeyDown={keys}
      style={{ height: `${layout.height}px` }}
    >
      {shown.map((row) =>
        row.group ? (
          <div
            key={row.key}
            class="pool-row"
            role="row"
            style={{ transform: `translateY(${row.top}px)` }}
          >
            <PoolHead group={row.group} />
          </div>
        ) : (
          <div
            key={row.key}
            class="card-row"
            role="row"
            aria-rowindex={row.number + 1}
            style={{
              transform: `translateY(${row.top}px)`,
              height: `${row.height - GAP}px`,
              gridTemplateColumns: `repeat(${layout.columns}, minmax(0, 1fr))`,
            }}
          >
            {row.nodes.map((node) => (
              <Card
                key={idOf(node)}
                node={node}
                phase={facts.phases.get(idOf(node))}
                pods={model.pods}
                chosen={selected === idOf(node)}
                stop={node === wanted}
                open={() => {
                  setActive(idOf(node));
                  select(idOf(node));
                }}
              />
            ))}
          </div>
        ),
      )}
    </div>
  );
}

function PoolHead({ group }) {
  return (
    <div class="pool" role="gridcell">
      <b>{group.pool}</b>{" "}
      <span>
        {plural(group.nodes.length, "node")}
        {group.gpus > 0 && (
          <>
            {" "}
            · {plural(group.gpus, "GPU")}
            <span class="wide">, {percent(group.busy / group.gpus)} busy</span>
          </>
        )}{" "}
        · {dollars(group.usd_per_hour)}/h
      </span>
    </div>
  );
}

function Card({ node, phase, pods, chosen, stop, open }) {
  const lines = uses(node);
  return (
    <div
      role="gridcell"
      class={`card ph-${phase}`}
      tabindex={stop ? 0 : -1}
      aria-label={nodeSentence(node, phase)}
      aria-selected={chosen}
      data-node={node.name}
      onClick={open}
    >
      <div class="line">
        <b class="who">{shortNode(node.name)}</b>
        <span class="phase">{phase}</span>
      </div>
      <div class="line facts">
        <span class="type">{node.instance_type}</span>
        <span class={node.capacity_type}>{node.capacity_type}</span>
        <span class="price">{dollars(node.usd_per_hour)}/h</span>
      </div>
      {node.gpus.length === 0 && (
        <div class="gpu none">{phase === "launching" ? "no instance yet" : "no GPUs"}</div>
      )}
      {lines.slice(0, MOST_LINES).map((use) => (
        <Use key={use.pod ?? ""} use={use} name={node.gpu_name} pod={pods.get(use.pod)} />
      ))}
      {lines.length > MOST_LINES && (
        <div class="gpu none">and {plural(lines.length - MOST_LINES, "more pod")}</div>
      )}
    </div>
  );
}

// A node's GPUs by what runs on them, in order; the free ones are one line at the end.
function uses(node) {
  const lines = new Map();
  for (const gpu of node.gpus) {
    if (!lines.has(gpu.pod)) lines.set(gpu.pod, { pod: gpu.pod, busy: [] });
    lines.get(gpu.pod).busy.push(gpu.busy ?? 0);
  }
  return [...lines.values()].sort((a, b) => Number(!a.pod) - Number(!b.pod));
}

// A line of a card: one pod and the GPUs it has, a bar each, and their mean.
function Use({ use, name, pod }) {
  const n = use.busy.length;
  if (n === 1) return <Gpu gpu={{ pod: use.pod, busy: use.busy[0] }} name={name} pod={pod} />;
  const warming = pod && pod.phase !== "ready" ? pod.phase : "";
  return (
    <div class="gpu">
      <span class="gpu-name">
        {n}×{name}
      </span>
      <span class="pod-name" title={use.pod ?? ""}>
        {use.pod ? shortKey(use.pod) : <span class="free">free</span>}
      </span>
      {warming && <span class={`word ph-${warming}`}>{warming}</span>}
      {!warming && use.pod && (
        <>
          <span class="bars">
            {use.busy.map((busy, i) => (
              <i key={i}>
                <i style={{ transform: `scaleY(${busy})` }} />
              </i>
            ))}
          </span>
          <span class="pct">{percent(use.busy.reduce((a, b) => a + b, 0) / n)}</span>
        </>
      )}
    </div>
  );
}

// One GPU: its card's name, what runs on it, and how busy it is or what that pod is doing
// meanwhile.
export function Gpu({ gpu, name, pod }) {
  const warming = pod && pod.phase !== "ready" ? pod.phase : "";
  return (
    <div class="gpu">
      <span class="gpu-name">{name}</span>
      <span class="pod-name" title={gpu.pod ?? ""}>
        {gpu.pod ? shortKey(gpu.pod) : <span class="free">free</span>}
      </span>
      {warming ? (
        <span class={`word ph-${warming}`}>{warming}</span>
      ) : (
        gpu.pod && (
          <>
            <span class="bar">
              <i style={{ transform: `scaleX(${gpu.busy ?? 0})` }} />
            </span>
            <span class="pct">{percent(gpu.busy ?? 0)}</span>
          </>
        )
      )}
    </div>
  );
}
