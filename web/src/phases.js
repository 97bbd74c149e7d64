// The phases of nodes and pods, in the order they are passed, each with a two-letter code for small
// drawings: a phase is always told by text too, its colour (style/tokens.css, `ph-NAME`) only
// helps.

export const NODE_PHASES = [
  "launching",
  "booting",
  "registered",
  "pulling",
  "loading",
  "starting",
  "ready",
  "draining",
  "terminating",
];
export const POD_PHASES = [
  "pending",
  "pulling",
  "loading",
  "starting",
  "ready",
  "draining",
  "succeeded",
  "failed",
];

export const CODES = {
  launching: "La",
  booting: "Bo",
  registered: "Re",
  pulling: "Pu",
  loading: "Lo",
  starting: "St",
  ready: "",
  draining: "Dr",
  terminating: "Te",
};

export const MEANINGS = {
  launching: "asked of the cloud, no instance yet",
  booting: "the instance boots",
  registered: "joined the cluster, its GPUs are not there yet",
  pulling: "a pod on it pulls its image",
  loading: "a pod on it loads weights",
  starting: "a pod on it starts its program",
  ready: "GPUs usable",
  draining: "its pods are moving away",
  terminating: "the instance is being given back",
};

const WARMING = ["pulling", "loading", "starting"];

// What a node is busy with, as a person would say it: a ready node whose GPUs wait for a pod to
// pull, load or start is in that phase (the least advanced of its GPUs').
export function shownPhase(node, pods) {
  if (node.phase !== "ready") return node.phase;
  let least = WARMING.length;
  for (const gpu of node.gpus) {
    const pod = gpu.pod && pods.get(gpu.pod);
    const at = pod ? WARMING.indexOf(pod.phase) : -1;
    if (at >= 0 && at < least) least = at;
  }
  return least < WARMING.length ? WARMING[least] : "ready";
}
