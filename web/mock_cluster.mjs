// The moving cluster of mock_world.mjs as the contract (docs/reference/dashboard-data.md) tells it:
// snapshots, updates, series, kept moments, controls.
import { TYPES, World, iso, round } from "./mock_world.mjs";

export class Cluster extends World {
  scalars() {
    return {
      scenario: this.large ? "thousand-nodes" : "blog",
      policy: "windlass",
      now: iso(this.now),
      started: iso(this.started),
      speed: this.speed,
      paused: this.paused,
      version: "0.1.0",
      cost: {
        usd_per_hour: this.usd_per_hour ?? 0,
        usd: round(this.usd, 2),
        policies: [
          { name: "static", usd_per_hour: this.flat ?? 0, usd: round(this.others.static, 2) },
          {
            name: "stock",
            usd_per_hour: round((this.usd_per_hour ?? 0) * 1.22, 2),
            usd: round(this.others.stock, 2),
          },
        ],
      },
      controls: structuredClone(this.controls),
    };
  }

  scaled() {
    const down = this.controls.prometheus_down_until !== null;
    return this.apps.map((app) => ({
      key: `${app.key}-scaler`,
      target: app.key,
      min: 1,
      max: app.max,
      wanted: app.wanted,
      ready: app.ready ?? 0,
      limited_by: app.limited,
      signals: [
        {
          name: "s0-prometheus",
          value: down ? null : round(app.rate, 1),
          target: app.rps,
          asks_for: down ? null : app.asks,
        },
        {
          name: "s1-queue",
          value: down ? null : app.queue,
          target: 40,
          asks_for: down ? null : Math.max(1, Math.ceil(app.queue / 40)),
        },
      ],
    }));
  }

  models() {
    return this.apps.map((app) => ({
      name: app.name,
      deployment: app.key,
      slo_ms: app.slo,
      p50_ms: app.p50,
      p95_ms: app.p95,
      queue: app.queue,
      running: app.running,
      requests_per_s: round(app.rate, 1),
      tokens_per_s: Math.round(app.rate * 20),
    }));
  }

  snapshot() {
    return {
      ...this.scalars(),
      nodes: [...this.nodes.values()],
      pods: [...this.pods.values()],
      scaled: this.scaled(),
      models: this.models(),
      decisions: this.decisions,
    };
  }

  // What changed since the last call, as the stream's next update.
  update() {
    const t = this.touched;
    const pick = (ids, map) => [...ids].filter((id) => map.has(id)).map((id) => map.get(id));
    const out = {
      ...this.scalars(),
      nodes: pick(t.nodes, this.nodes),
      pods: pick(t.pods, this.pods),
      scaled: this.scaled(),
      models: this.models(),
      gone: {
        nodes: [...t.gone_nodes].filter((n) => !this.nodes.has(n)),
        pods: [...t.gone_pods].filter((p) => !this.pods.has(p)),
      },
      decisions: this.decisions.filter((d) => d.id > (this.sent ?? 0)),
    };
    this.sent = this.decisions[0]?.id ?? 0;
    for (const set of Object.values(t)) set.clear();
    return out;
  }

  series(from, to, points) {
    const a = from ? (Date.parse(from) - this.started) / 1000 : 0;
    const b = to ? (Date.parse(to) - this.started) / 1000 : Infinity;
    const rows = this.history.filter((row) => row.t >= a && row.t <= b);
    const stride = Math.max(1, Math.ceil(rows.length / points));
    const kept = rows.filter((_, i) => (rows.length - 1 - i) % stride === 0);
    const out = {};
    for (const name of [
      "t",
      "usd",
      "usd_per_hour",
      "requests_per_s",
      "tokens_per_s",
      "p50_ms",
      "p95_ms",
      "queue",
      "replicas_wanted",
      "replicas_ready",
      "gpus_paid",
      "gpu_busy",
      "pods_pending",
    ])
      out[name] = kept.map((row) => row[name]);
    out.nodes_by_type = {};
    // Not in the contract yet: the other policies' dollars, for the chart beside the own ones.
    out.policies_usd = {
      static: kept.map((row) => row.others[0]),
      stock: kept.map((row) => row.others[1]),
    };
    for (const type of new Set(kept.flatMap((row) => Object.keys(row.nodes_by_type)))) {
      out.nodes_by_type[type] = kept.map((row) => row.nodes_by_type[type] ?? 0);
    }
    return out;
  }

  at(time) {
    const wanted = Date.parse(time);
    let best = this.kept[0];
    for (const one of this.kept)
      if (Math.abs(one.now - wanted) < Math.abs(best.now - wanted)) best = one;
    return best.text;
  }

  // Performs a control; the error's text, or "".
  control(body) {
    const c = this.controls;
    const until = (seconds) => (seconds === undefined ? null : iso(this.now + seconds * 1000));
    if ("pause" in body) this.paused = body.pause;
    else if ("speed" in body) {
      if (!(body.speed >= 0.1 && body.speed <= 100000)) return "speed must be from 0.1 to 100000";
      this.speed = body.speed;
    } else if ("traffic_factor" in body) {
      if (!(body.traffic_factor >= 0 && body.traffic_factor <= 1000))
        return "traffic_factor must be from 0 to 1000";
      c.traffic_factor = body.traffic_factor;
    } else if ("burst" in body) {
      this.burst = body.burst.factor;
      c.burst_until = until(body.burst.seconds);
    } else if ("interrupt_node" in body) {
      const node = this.nodes.get(body.interrupt_node);
      if (!node) return `no node ${body.interrupt_node}`;
      if (node.capacity_type !== "spot") return `${node.name} is not a spot node`;
      this.setPhase(node, "draining");
      node.why = "spot interruption: 2 minutes' notice";
      node.unschedulable = true;
      this.touched.nodes.add(node.name);
      for (const pod of [...this.pods.values()]) {
        if (pod.node !== node.name || !pod.app) continue;
        this.setPhase(pod, "draining");
        this.touched.pods.add(pod.key);
        this.addPod(null, pod.owner, pod.gpus, null, "pending", pod.app);
      }
      this.decide(
        "interruption",
        `NodeClaim/${node.claim}`,
        "drain",
        "draining",
        `Drains ${node.name.split(".")[0]}: its spot instance will be reclaimed in 2 minutes.`,
        [["notice", "120 s"]],
        ["spot interruption"],
      );
    } else if ("block_capacity" in body) {
      const type = body.block_capacity.instance_type;
      if (!TYPES[type]) return `unknown instance type "${type}"`;
      c.blocked = c.blocked.filter((b) => b.instance_type !== type);
      c.blocked.push({ instance_type: type, until: until(body.block_capacity.seconds) });
    } else if ("unblock_capacity" in body)
      c.blocked = c.blocked.filter((b) => b.instance_type !== body.unblock_capacity);
    else if ("prometheus_outage" in body)
      c.prometheus_down_until = until(body.prometheus_outage.seconds);
    else return `unknown control ${JSON.stringify(Object.keys(body))}`;
    return "";
  }
}
