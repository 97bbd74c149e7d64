// Nodes as a map: a cell each, drawn on one canvas, so that thousands cost what tens do. One
// element lies over the active cell and has the focus and the words for screen readers.
import { useLayoutEffect, useMemo, useRef, useState } from "preact/hooks";
import { dollars, percent, plural } from "./format.js";
import { useWidth } from "./hooks.js";
import { idOf } from "./model.js";
import { nodeSentence } from "./nodes.jsx";
import { CODES, NODE_PHASES } from "./phases.js";
import { colours } from "./theme.js";

const CELL = 21,
  GAP = 3,
  HEAD = 26,
  BAR = 4.5;
const widthOf = (node) => Math.max(19, Math.min(16, node.gpus.length) * BAR + 7);

// Cells left to right in rows, each pool beginning a new one: {node, x, y, w, row}.
function layoutOf(groups, width) {
  const cells = [],
    heads = [];
  let y = 0,
    row = 0;
  for (const group of groups) {
    heads.push({ group, y });
    y += HEAD;
    let x = 0;
    for (const node of group.nodes) {
      const w = widthOf(node);
      if (x > 0 && x + w > width) {
        x = 0;
        y += CELL + GAP;
        ++row;
      }
      cells.push({ node, x, y, w, row });
      x += w + GAP;
    }
    y += CELL + GAP + 4;
    ++row;
  }
  return { cells, heads, height: y };
}

function draw(canvas, layout, facts, palette, width) {
  const ratio = Math.min(3, devicePixelRatio || 1);
  const [w, h] = [Math.round(width * ratio), Math.round(layout.height * ratio)];
  if (canvas.width !== w || canvas.height !== h) {
    canvas.width = w;
    canvas.height = h;
  }
  const ink = canvas.getContext("2d");
  ink.setTransform(ratio, 0, 0, ratio, 0, 0);
  ink.clearRect(0, 0, width, layout.height);
  ink.font = "600 9.5px system-ui, Arial, sans-serif";
  ink.textAlign = "center";
  ink.textBaseline = "middle";
  for (const cell of layout.cells) drawCell(ink, cell, facts.phases.get(idOf(cell.node)), palette);
}

function drawCell(ink, { node, x, y, w }, phase, palette) {
  const colour = palette[`ph-${phase}`];
  ink.fillStyle = palette.cell;
  ink.fillRect(x, y, w, CELL);
  if (phase !== "ready") {
    ink.globalAlpha = 0.22;
    ink.fillStyle = colour;
    ink.fillRect(x, y, w, CELL);
    ink.globalAlpha = 1;
  }
  ink.strokeStyle = phase === "ready" ? palette.base : colour;
  ink.lineWidth = 1;
  ink.strokeRect(x + 0.5, y + 0.5, w - 1, CELL - 1);
  if (CODES[phase]) {
    ink.fillStyle = colour;
    ink.fillText(CODES[phase], x + w / 2, y + CELL / 2 + 0.5);
  } else {
    drawGpus(ink, node, x, y, w, palette);
  }
  if (node.capacity_type === "spot") {
    ink.fillStyle = palette.ink3;
    ink.beginPath();
    ink.moveTo(x + w - 6, y);
    ink.lineTo(x + w, y);
    ink.lineTo(x + w, y + 6);
    ink.fill();
  }
}

function drawGpus(ink, node, x, y, w, palette) {
  const n = Math.min(16, node.gpus.length);
  if (!n) return;
  const room = w - 6,
    pitch = room / n,
    bar = Math.max(2, Math.min(7, pitch - 1.2));
  for (let i = 0; i < n; ++i) {
    const gpu = node.gpus[i];
    const left = x + 3 + pitch * i + (pitch - bar) / 2;
    ink.fillStyle = palette.grid;
    ink.fillRect(left, y + 3, bar, CELL - 6);
    if (!gpu.pod) continue;
    // A GPU in use shows at its foot even when it is idle.
    const tall = Math.max(1.5, (CELL - 6) * Math.min(1, gpu.busy ?? 0));
    ink.fillStyle = palette.accent;
    ink.fillRect(left, y + CELL - 3 - tall, bar, tall);
  }
}

// The cell an arrow key leads to: beside, or the nearest of the row above or below.
function step(cells, index, key) {
  if (key === "ArrowLeft") return Math.max(0, index - 1);
  if (key === "ArrowRight") return Math.min(cells.length - 1, index + 1);
  if (key === "Home") return 0;
  if (key === "End") return cells.length - 1;
  const by = { ArrowUp: -1, ArrowDown: 1, PageUp: -8, PageDown: 8 }[key];
  if (!by) return -1;
  const here = cells[index];
  const row = Math.min(cells.at(-1).row, Math.max(0, here.row + by));
  let best = index;
  cells.forEach((cell, i) => {
    if (
      cell.row === row &&
      (cells[best].row !== row || Math.abs(cell.x - here.x) < Math.abs(cells[best].x - here.x))
    )
      best = i;
  });
  return best;
}

export function NodeMap({ groups, facts, scheme, selected, select }) {
  const box = useRef(null);
  const canvas = useRef(null);
  const stop = useRef(null);
  const width = useWidth(box);
  const layout = useMemo(() => layoutOf(groups, width || 300), [groups, width]);
  const palette = useMemo(
    () =>
      colours([
        "accent",
        "grid",
        "base",
        "ink3",
        "cell",
        ...NODE_PHASES.map((phase) => `ph-${phase}`),
      ]),
    [scheme],
  );
  const [active, setActive] = useState(null);
  const [hover, setHover] = useState(null);
  const [focused, setFocused] = useState(false);
  const moved = useRef(false);
  const { cells } = layout;
  const index = Math.max(
    0,
    cells.findIndex((cell) => idOf(cell.node) === active),
  );
  const here = cells[index];

  useLayoutEffect(() => {
    if (width) draw(canvas.current, layout, facts, palette, width);
  }, [layout, facts, palette, width]);
  useLayoutEffect(() => {
    if (!moved.current) return;
    moved.current = false;
    stop.current.scrollIntoView({ block: "nearest" });
  });

  const under = (event) => {
    const { left, top } = canvas.current.getBoundingClientRect();
    const [x, y] = [event.clientX - left, event.clientY - top];
    return (
      cells.find(
        (cell) =>
          x >= cell.x && x < cell.x + cell.w + GAP && y >= cell.y && y < cell.y + CELL + GAP,
      ) ?? null
    );
  };
  const open = (cell) => {
    if (!cell) return;
    setActive(idOf(cell.node));
    select(idOf(cell.node));
    stop.current?.focus({ preventScroll: true });
  };
  const keys = (event) => {
    if (event.key === "Enter" || event.key === " ") {
      event.preventDefault();
      open(here);
      return;
    }
    const next = step(cells, index, event.key);
    if (next < 0) return;
    event.preventDefault();
    moved.current = true;
    setActive(idOf(cells[next].node));
  };
  const hovered = hover && cells.find((cell) => idOf(cell.node) === hover);
  const told = hovered ?? (focused ? here : null);
  const chosen = selected && cells.find((cell) => idOf(cell.node) === selected);
  const place = (cell) => ({
    transform: `translate(${cell.x}px, ${cell.y}px)`,
    width: `${cell.w}px`,
    height: `${CELL}px`,
  });
  return (
    <div
      class="map"
      ref={box}
      role="grid"
      aria-label="Nodes by pool, as a map"
      aria-rowcount={cells.at(-1).row + 1}
      onKeyDown={keys}
      style={{ height: `${layout.height}px` }}
    >
      <canvas
        ref={canvas}
        aria-hidden="true"
        style={{ width: `${width}px`, height: `${layout.height}px` }}
        onPointerMove={(event) => setHover(under(event) && idOf(under(event).node))}
        onPointerLeave={() => setHover(null)}
        onClick={(event) => open(under(event))}
      />
      {layout.heads.map(({ group, y }) => (
        <div
          key={group.pool}
          class="map-head"
          role="presentation"
          style={{ transform: `translateY(${y}px)` }}
        >
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
      ))}
      {chosen && <div class="ring" aria-hidden="true" style={place(chosen)} />}
      {hovered && <div class="ring light" aria-hidden="true" style={place(hovered)} />}
      <div role="row" class="stop-row" aria-rowindex={here.row + 1}>
        <div
          role="gridcell"
          class="stop"
          tabindex="0"
          ref={stop}
          style={place(here)}
          aria-label={nodeSentence(here.node, facts.phases.get(idOf(here.node)))}
          data-node={here.node.name}
          onClick={() => open(here)}
          onFocus={() => setFocused(true)}
          onBlur={() => setFocused(false)}
        />
      </div>
      {told && <Tip cell={told} phase={facts.phases.get(idOf(told.node))} width={width} />}
    </div>
  );
}

function Tip({ cell, phase, width }) {
  const wide = Math.min(320, width);
  const x = Math.max(0, Math.min(width - wide, cell.x - 20));
  return (
    <div
      class="tip"
      aria-hidden="true"
      style={{ transform: `translate(${x}px, ${cell.y + CELL + 6}px)`, width: `${wide}px` }}
    >
      {nodeSentence(cell.node, phase)}
    </div>
  );
}
