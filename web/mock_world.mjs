// A small moving cluster to develop and test the page without the program: demand follows a day's
// curve, replicas follow demand, nodes follow pods, all with the phases a GPU node and a model server
// go through. No figure in it means anything. Deterministic for a seed.

export const TYPES = {
  "g4dn.xlarge": { gpus: 1, gpu: "t4", usd: 0.526, spot: 0.21 },
  "g6.xlarge": { gpus: 1, gpu: "l4", usd: 0.8048, spot: 0.31 },
  "g5.12xlarge": { gpus: 4, gpu: "a10g", usd: 5.672, spot: 2.21 },
  "p4d.24xlarge": { gpus: 8, gpu: "a100", usd: 32.77, spot: 11.5 },
  "m7i.large": { gpus: 0, gpu: "", usd: 0.1008, spot: 0.04 },
};
const ZONES = ["us-east-1a", "us-east-1b", "us-east-1c"];
// Seconds a node or pod stays in a phase before the next.
const NODE_STEPS = {
  launching: ["booting", 6],
  booting: ["registered", 42],
  registered: ["ready", 18],
};
const POD_STEPS = { pulling: ["loading", 50], loading: ["starting", 14], starting: ["ready", 44] };
const DAY = [
  0.5, 0.42, 0.36, 0.32, 0.3, 0.38, 0.55, 0.8, 1.1, 1.35, 1.5, 1.55, 1.6, 1.7, 1.7, 1.75, 1.8, 1.7,
  1.45, 1.2, 1.0, 0.85, 0.7, 0.6,
];

function rng(seed) {
  let state = seed >>> 0 || 1;
  return () => {
    state = (Math.imul(state ^ (state >>> 15), 0x2c1b3c6d) + 0x9e3779b9) >>> 0;
    return ((state ^ (state >>> 13)) >>> 0) / 4294967296;
  };
}

export const iso = (ms) => new Date(ms).toISOString().replace(".000Z", "Z");
export const round = (value, digits) => Number(value.toFixed(digits));

export class World {
  constructor({ nodes = 14, pods = 40, seed = 7, speed = 60, hours = 10.17, empty = false } = {}) {
    this.random = rng(seed);
    this.started = Date.parse("2026-03-02T00:00:00Z");
    this.now = this.started;
    this.speed = speed;
    this.paused = false;
    this.large = nodes > 60;
    this.nodes = new Map();
    this.pods = new Map();
    this.decisions = [];
    this.history = [];
    this.kept = [];
    this.usd = 0;
    this.others = { static: 0, stock: 0 };
    this.serial = 0;
    this.controls = {
      traffic_factor: 1,
      burst_until: null,
      blocked: [],
      prometheus_down_until: null,
    };
    this.burst = 1;
    this.touched = {
      nodes: new Set(),
      pods: new Set(),
      gone_nodes: new Set(),
      gone_pods: new Set(),
    };
    this.apps = empty ? [] : this.makeApps(nodes, pods);
    if (!empty) this.makeStanding(nodes, pods);
    const end = this.started + hours * 3.6e6;
    const step = this.large ? 600 : 20;
    while (this.now < end) this.step(Math.min(step, (end - this.now) / 1000));
  }

  makeApps(nodes) {
    const app = (name, peak, gpus, type, rps, slo) => ({
      name,
      key: `inference/${name}`,
      gpus,
      type,
      rps,
      slo,
      max: Math.max(2, Math.round(peak * (this.large ? 0.9 : 1.5))),
      peak,
      wanted: 1,
      queue: 0,
      running: 0,
      p50: 0,
      p95: 0,
      rate: 0,
      lowSince: null,
      limited: "",
    });
    if (!this.large) {
      return [
        app("short-answers", 9, 1, "g6.xlarge", 3.4, 500),
        app("chat-70b", 3, 4, "g5.12xlarge", 1.1, 2500),
        app("embeddings", 3, 1, "g4dn.xlarge", 20, 200),
      ];
    }
    const apps = [];
    for (let i = 0; i < 40; ++i) {
      const type = ["g6.xlarge", "g4dn.xlarge", "g5.12xlarge"][i % 3];
      const gpus = 1;
      const start = ((0.74 * nodes) / 40) * TYPES[type].gpus;
      apps.push(
        app(
          `model-${String(i).padStart(2, "0")}`,
          start / 0.72,
          gpus,
          type,
          3,
          500 + 250 * (i % 4),
        ),
      );
    }
    return apps;
  }

  // What is there whatever the traffic: system nodes, a training job, daemons; for the large size
  // enough of them to reach the counts asked for.
  makeStanding(nodes, pods) {
    const system = this.large ? Math.round(nodes * 0.05) : 2;
    const training = this.large ? Math.round(nodes * 0.2) : 1;
    for (let i = 0; i < system; ++i) this.addNode("system", "m7i.large", "on-demand", "ready");
    for (let i = 0; i < training; ++i) {
      const node = this.addNode("training", "p4d.24xlarge", i % 2 ? "spot" : "on-demand", "ready");
      this.addPod(`training/finetune-${i}-0`, `Job/training/finetune-${i}`, 8, node, "ready");
    }
    for (const app of this.apps) {
      const count = this.large ? Math.round(app.peak * 0.72) : Math.ceil(app.peak * 0.35);
      for (let i = 0; i < count; ++i)
        this.addPod(null, `Deployment/${app.key}`, app.gpus, null, "pending", app);
      app.wanted = count;
    }
    this.bind(true);
    if (this.large) {
      while (this.nodes.size < nodes - 12)
        this.addNode("gpu-nodepool", "g6.xlarge", "spot", "ready");
    }
    const all = [...this.nodes.values()];
    let i = 0;
    while (this.pods.size < pods - (this.large ? 300 : 12)) {
      const node = all[i % all.length];
      const kind = ["dcgm-exporter", "node-exporter", "log-agent", "csi-node"][
        Math.floor(i / all.length) % 4
      ];
      this.addPod(
        `kube-system/${kind}-${(i * 7919 + 4096).toString(36)}`,
        `DaemonSet/kube-system/${kind}`,
        0,
        node,
        "ready",
      );
      ++i;
    }
    if (this.large) {
      for (let k = 0; k < 240; ++k) {
        const pod = this.addPod(`batch/sweep-${k}`, `Job/batch/sweep-${k % 6}`, 8, null, "pending");
        pod.why =
          k % 3
            ? "no node has 8 free GPUs; the pool's limit of 1,600 GPUs is reached"
            : "waits behind inference: priority 0";
      }
    }
  }

  addNode(pool, type, capacity, phase) {
    const number = ++this.serial;
    const facts = TYPES[type];
    const claim = `${pool}-${(number * 7919 + 46656).toString(36)}`;
    const node = {
      name: phase === "launching" ? claim : this.hostName(number),
      claim,
      pool,
      instance_type: type,
      capacity_type: capacity,
      zone: ZONES[number % 3],
      usd_per_hour: capacity === "spot" ? facts.spot : facts.usd,
      usd: 0,
      gpu_name: facts.gpu,
      phase,
      since: iso(this.now),
      unschedulable: false,
      why: "",
      gpus: Array.from({ length: facts.gpus }, () => ({ pod: null, busy: 0 })),
    };
    Object.defineProperty(node, "number", { value: number });
    this.nodes.set(node.name, node);
    this.touched.nodes.add(node.name);
    return node;
  }

  hostName(number) {
    return `ip-10-0-${number >> 8}-${number & 255}.ec2.internal`;
  }

  addPod(key, owner, gpus, node, phase, app) {
    const name = key ?? `${app.key}-${(++this.serial * 104729 + 60466176).toString(36)}`;
    const pod = {
      key: name,
      owner,
      node: node ? node.name : null,
      phase,
      since: iso(this.now),
      why: "",
      gpus,
    };
    Object.defineProperty(pod, "app", { value: app });
    this.pods.set(name, pod);
    this.touched.pods.add(name);
    if (node) for (const gpu of node.gpus.filter((g) => !g.pod).slice(0, gpus)) gpu.pod = name;
    return pod;
  }

  removePod(pod) {
    const node = this.nodes.get(pod.node);
    if (node)
      for (const gpu of node.gpus)
        if (gpu.pod === pod.key) Object.assign(gpu, { pod: null, busy: 0 });
    if (node) this.touched.nodes.add(node.name);
    this.pods.delete(pod.key);
    this.touched.gone_pods.add(pod.key);
  }

  removeNode(node) {
    for (const pod of [...this.pods.values()]) if (pod.node === node.name) this.removePod(pod);
    this.nodes.delete(node.name);
    this.touched.gone_nodes.add(node.name);
  }

  setPhase(thing, phase) {
    thing.phase = phase;
    thing.since = iso(this.now);
  }
  age(thing) {
    return (this.now - Date.parse(thing.since)) / 1000;
  }

  decide(controller, object, what, result, sentence, inputs, reasons) {
    this.decisions.unshift({
      id: ++this.serial,
      time: iso(this.now),
      controller,
      object,
      what,
      result,
      sentence,
      inputs,
      reasons,
    });
    this.decisions.length = Math.min(this.decisions.length, 200);
  }

  step(seconds) {
    this.now += seconds * 1000;
    const c = this.controls;
    if (c.burst_until && Date.parse(c.burst_until) <= this.now) {
      c.burst_until = null;
      this.burst = 1;
    }
    if (c.prometheus_down_until && Date.parse(c.prometheus_down_until) <= this.now)
      c.prometheus_down_until = null;
    c.blocked = c.blocked.filter((b) => !b.until || Date.parse(b.until) > this.now);
    this.moveNodes();
    this.movePods();
    for (const app of this.apps) this.scale(app, seconds);
    this.bind(false);
    this.emptyNodes();
    this.measure(seconds);
  }

  moveNodes() {
    for (const node of [...this.nodes.values()]) {
      const next = NODE_STEPS[node.phase];
      if (next && this.age(node) >= next[1]) {
        if (node.phase === "launching") {
          this.nodes.delete(node.name);
          this.touched.gone_nodes.add(node.name);
          for (const pod of this.pods.values())
            if (pod.node === node.name) pod.node = this.hostName(node.number);
          node.name = this.hostName(node.number);
          this.nodes.set(node.name, node);
        }
        this.setPhase(node, next[0]);
        node.why = "";
        this.touched.nodes.add(node.name);
      } else if (node.phase === "draining" && this.age(node) >= 90) {
        this.setPhase(node, "terminating");
        this.touched.nodes.add(node.name);
      } else if (node.phase === "terminating" && this.age(node) >= 25) {
        this.removeNode(node);
      }
    }
  }

  movePods() {
    for (const pod of [...this.pods.values()]) {
      const node = this.nodes.get(pod.node);
      if (pod.node && !node) {
        this.removePod(pod);
        continue;
      }
      const next = POD_STEPS[pod.phase];
      if (pod.phase === "pending" && node && node.phase === "ready") {
        this.setPhase(pod, "pulling");
        pod.why = "";
      } else if (next && this.age(pod) >= next[1]) this.setPhase(pod, next[0]);
      else if (pod.phase === "draining" && this.age(pod) >= 40) {
        this.removePod(pod);
        continue;
      } else continue;
      this.touched.pods.add(pod.key);
    }
  }

  scale(app, seconds) {
    const hour = ((this.now - this.started) / 3.6e6) % 24;
    const curve =
      DAY[Math.floor(hour)] +
      (DAY[(Math.floor(hour) + 1) % 24] - DAY[Math.floor(hour)]) * (hour % 1);
    // The large size keeps its replicas: demand near what was started, moving a little.
    const noise = 1 + 0.12 * (this.random() - 0.5);
    app.rate =
      app.peak *
      0.5 *
      app.rps *
      (this.large ? 1.12 + 0.06 * Math.sin(hour * 9 + app.slo) : curve) *
      noise *
      this.controls.traffic_factor *
      this.burst;
    const mine = [...this.pods.values()].filter((p) => p.app === app && p.phase !== "draining");
    const ready = mine.filter((p) => p.phase === "ready").length;
    app.ready = ready;
    const load = app.rate / Math.max(0.5, ready * app.rps);
    app.queue = Math.max(
      0,
      Math.round(
        Math.min(4000, app.queue + (app.rate * 0.85 - ready * app.rps) * Math.min(seconds, 30)),
      ),
    );
    app.running = Math.round(Math.min(app.rate * 0.4, ready * 4));
    app.load = Math.min(1, load);
    app.p50 = Math.round(app.slo * (0.18 + 0.1 * app.load) + app.queue * 12);
    app.p95 = Math.round(
      app.slo * (0.32 + 0.35 * app.load ** 4) + app.queue * 30 + 8 * this.random(),
    );
    const down = this.controls.prometheus_down_until !== null;
    const asks = Math.max(1, Math.ceil(app.rate / app.rps / 0.82 + Math.min(4, app.queue / 40)));
    app.asks = asks;
    app.limited = down ? "no metrics" : asks > app.max ? `max ${app.max}` : "";
    if (down) return;
    const target = Math.min(app.max, asks);
    if (target > app.wanted) {
      this.decide(
        "joint",
        `ScaledObject/${app.key}-scaler`,
        "scale",
        `${app.wanted} -> ${target} replicas`,
        `Scaled ${app.name} from ${app.wanted} to ${target} replicas: ${round(app.rate, 1)} requests a second arrive and ${ready} ready replicas answer ${round(ready * app.rps, 1)}.`,
        [
          ["requests a second", String(round(app.rate, 1))],
          ["queue", String(app.queue)],
          ["P95", `${app.p95} ms`],
          ["SLO", `${app.slo} ms`],
          ["ready", String(ready)],
        ],
        [
          `one replica answers ${app.rps} requests a second within ${app.slo} ms`,
          "a new GPU needs about 170 s until its first token",
          ...(app.limited ? [`held at ${app.limited}`] : []),
        ],
      );
      for (let i = mine.length; i < target; ++i)
        this.addPod(null, `Deployment/${app.key}`, app.gpus, null, "pending", app);
      app.wanted = target;
      app.lowSince = null;
    } else if (target < app.wanted) {
      app.lowSince ??= this.now;
      if (this.now - app.lowSince < 600e3) return;
      const victims = mine.slice(target);
      for (const pod of victims) {
        this.setPhase(pod, "draining");
        this.touched.pods.add(pod.key);
      }
      this.decide(
        "joint",
        `ScaledObject/${app.key}-scaler`,
        "scale",
        `${app.wanted} -> ${target} replicas`,
        `Scaled ${app.name} in from ${app.wanted} to ${target} replicas: demand has been lower for 10 minutes.`,
        [
          ["requests a second", String(round(app.rate, 1))],
          ["ready", String(ready)],
        ],
        ["warming up again would cost less than keeping the GPUs for an hour"],
      );
      app.wanted = target;
      app.lowSince = null;
    }
  }

  // Places pending pods on free GPUs and launches nodes for the rest. `at_once`: new nodes are
  // ready.
  bind(at_once) {
    const free = new Map();
    for (const node of this.nodes.values()) {
      if (node.phase === "draining" || node.phase === "terminating" || node.pool !== "gpu-nodepool")
        continue;
      const count = node.gpus.filter((g) => !g.pod).length;
      if (count)
        (
          free.get(node.instance_type) ?? free.set(node.instance_type, []).get(node.instance_type)
        ).push(node);
    }
    for (const pod of this.pods.values()) {
      if (pod.phase !== "pending" || pod.node || !pod.app) continue;
      const app = pod.app;
      let node = (free.get(app.type) ?? []).find(
        (n) => n.gpus.filter((g) => !g.pod).length >= app.gpus,
      );
      if (!node) {
        if (this.controls.blocked.some((b) => b.instance_type === app.type)) {
          const why = `no capacity for ${app.type} in us-east-1a, 1b, 1c; nothing else with ${TYPES[app.type].gpu} fits the pool`;
          if (pod.why !== why) {
            pod.why = why;
            this.touched.pods.add(pod.key);
          }
          continue;
        }
        node = this.addNode(
          "gpu-nodepool",
          app.type,
          this.random() < 0.7 ? "spot" : "on-demand",
          at_once ? "ready" : "launching",
        );
        node.why = `for ${pod.key}`;
        (free.get(app.type) ?? free.set(app.type, []).get(app.type)).push(node);
        if (!at_once)
          this.decide(
            "provisioning",
            `NodeClaim/${node.claim}`,
            "launch",
            `${node.instance_type} ${node.capacity_type} in ${node.zone}`,
            `Launched ${node.capacity_type === "spot" ? "a spot" : "an on-demand"} ${node.instance_type} at $${node.usd_per_hour.toFixed(2)} an hour for ${pod.key.split("/")[1]}.`,
            [
              ["price", `$${node.usd_per_hour}/h`],
              ["zone", node.zone],
              ["GPUs", `${node.gpus.length} ${node.gpu_name}`],
            ],
            ["the cheapest type that meets the SLO", "no ready node has a free GPU"],
          );
      }
      for (const gpu of node.gpus.filter((g) => !g.pod).slice(0, app.gpus)) gpu.pod = pod.key;
      pod.node = node.name;
      if (at_once) pod.phase = "ready";
      else pod.why = node.phase === "ready" ? "" : `node ${node.claim} is ${node.phase}`;
      this.touched.pods.add(pod.key);
      this.touched.nodes.add(node.name);
    }
  }

  emptyNodes() {
    if (this.large) return;
    for (const node of this.nodes.values()) {
      if (node.pool !== "gpu-nodepool" || node.phase !== "ready") continue;
      if (node.gpus.some((g) => g.pod)) {
        node.emptySince = undefined;
        continue;
      }
      node.emptySince ??= this.now;
      if (this.now - node.emptySince < 120e3) continue;
      this.setPhase(node, "draining");
      node.unschedulable = true;
      node.why = "empty";
      this.touched.nodes.add(node.name);
      this.decide(
        "disruption",
        `NodeClaim/${node.claim}`,
        "remove",
        "emptied",
        `Removes ${node.name.split(".")[0]}: it has been empty for 2 minutes and costs $${node.usd_per_hour.toFixed(2)} an hour.`,
        [
          ["pods", "0"],
          ["price", `$${node.usd_per_hour}/h`],
        ],
        ["consolidateAfter 2m is over", "the budget allows 1 of 1"],
      );
    }
  }

  measure(seconds) {
    let usd_per_hour = 0,
      paid = 0,
      busy = 0;
    const types = {};
    for (const node of this.nodes.values()) {
      if (node.phase === "launching") continue;
      node.usd = round(node.usd + (node.usd_per_hour * seconds) / 3600, 5);
      usd_per_hour += node.usd_per_hour;
      paid += node.gpus.length;
      types[node.instance_type] = (types[node.instance_type] ?? 0) + 1;
      let moved = false;
      for (const gpu of node.gpus) {
        const pod = this.pods.get(gpu.pod);
        const was = gpu.busy;
        if (!pod || pod.phase !== "ready") gpu.busy = 0;
        else if (!pod.app) gpu.busy = round(0.9 + 0.08 * this.random(), 2);
        else if (!this.large || this.random() < 0.4)
          gpu.busy = round(Math.min(1, pod.app.load * (0.85 + 0.25 * this.random())), 2);
        busy += gpu.busy;
        moved ||= was !== gpu.busy;
      }
      if (moved) this.touched.nodes.add(node.name);
    }
    this.usd += (usd_per_hour * seconds) / 3600;
    this.usd_per_hour = round(usd_per_hour, 4);
    const flat = this.large ? 9000 : 66;
    this.others.static += (flat * seconds) / 3600;
    this.others.stock += (usd_per_hour * 1.22 * seconds) / 3600;
    this.flat = flat;
    const sum = (field) => this.apps.reduce((total, app) => total + app[field], 0);
    this.history.push({
      t: (this.now - this.started) / 1000,
      usd: round(this.usd, 3),
      usd_per_hour: this.usd_per_hour,
      requests_per_s: round(sum("rate"), 1),
      tokens_per_s: Math.round(sum("rate") * 20),
      p50_ms: this.apps.length ? Math.max(...this.apps.map((a) => a.p50)) : null,
      p95_ms: this.apps.length ? Math.max(...this.apps.map((a) => a.p95)) : null,
      queue: sum("queue"),
      replicas_wanted: sum("wanted"),
      replicas_ready: sum("ready"),
      gpus_paid: paid,
      gpu_busy: round(paid ? busy / paid : 0, 3),
      pods_pending: [...this.pods.values()].filter((p) => p.phase === "pending").length,
      nodes_by_type: types,
      others: [round(this.others.static, 2), round(this.others.stock, 2)],
    });
    const every = this.large ? 1800e3 : 60e3;
    const last = this.kept.at(-1);
    if (!last || this.now - last.now >= every)
      this.kept.push({ now: this.now, text: JSON.stringify(this.snapshot()) });
    if (this.large && this.kept.length > 24) this.kept.shift();
  }
}
