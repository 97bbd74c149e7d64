// The page over the real program: `windlass up` is started, its printed link opened in Chromium, and
// what the page shows is held against what the Kubernetes API and the dashboard's data say. Every
// control is pressed and must act in the world. Usage: node real.mjs WINDLASS [word...]
// Skips (77) with the reason where playwright-core or Chromium is absent.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { existsSync } from "node:fs";
import { mkdtemp, readFile, rm } from "node:fs/promises";
import { createServer } from "node:http";
import { homedir, tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = join(HERE, "../..");
const CHROMIUM = "/usr/bin/chromium";
const CACHE = process.env.XDG_CACHE_HOME || join(homedir(), ".cache");
const PEERS = process.env.WINDLASS_PEERS || join(CACHE, "windlass/peers");
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"];
const FLAGS_QUIET = ["--disable-background-networking", "--disable-component-update"];

function skip(reason) {
  console.log(`skipped: ${reason}`);
  process.exit(77);
}

const places = [join(ROOT, "web/node_modules"), join(PEERS, "playwright/node_modules")];
const playwright = places.map((one) => join(one, "playwright-core/index.mjs")).find(existsSync);
if (!playwright) skip("playwright-core is not installed (npm ci in web/, or ./dev peers)");
if (!existsSync(CHROMIUM)) skip(`${CHROMIUM} is not installed`);
const { chromium } = await import(playwright);
const [, , windlass, ...words] = process.argv;
assert(windlass, "usage: node real.mjs WINDLASS");

// What is awaited comes within so much, or the test fails; on a quiet machine it takes a second.
const PATIENCE_MS = 60000;
async function until(what, look) {
  const end = Date.now() + PATIENCE_MS;
  let last;
  while (Date.now() < end) {
    last = await look();
    if (last) return last;
    await new Promise((done) => setTimeout(done, 100));
  }
  return assert.fail(`not within ${PATIENCE_MS / 1000} s: ${what}`);
}

async function start(dir) {
  const child = spawn(
    windlass,
    ["up", "examples/blog/scenario.yaml", "--speed", "1200", "--plain-http", "--listen"].concat([
      "127.0.0.1:0",
      "--dashboard-port",
      "0",
      "--data-dir",
      dir,
    ]),
    { cwd: ROOT },
  );
  let out = "";
  child.stdout.on("data", (data) => (out += data));
  child.stderr.on("data", (data) => (out += data));
  const ended = new Promise((done) => child.on("exit", done));
  await until("the addresses", () => {
    assert.equal(child.exitCode, null, out);
    return out.includes("Ctrl-C stops it");
  });
  const token = (await readFile(join(dir, "pki/token"), "utf8")).trim();
  const links = () => [...out.matchAll(/http:\S+\?token=\w+/g)].map(([link]) => link);
  const api = out.match(/API\s+(http:\S+)/)[1];
  const dashboard = new URL(links()[0]).origin;
  const request = async (path, options = {}) => {
    const base = path.startsWith("/dashboard/") ? dashboard : api;
    const headers = { authorization: `Bearer ${token}`, ...options.headers };
    const reply = await fetch(base + path, { ...options, headers });
    assert(reply.ok, `${options.method ?? "GET"} ${path}: ${reply.status} ${await reply.clone().text()}`);
    return reply.status === 204 ? null : reply.json();
  };
  const stop = async () => {
    child.kill("SIGINT");
    assert.equal(await ended, 0, out.slice(-2000));
  };
  return { links, api, dashboard, request, stop, snapshot: () => request("/dashboard/snapshot") };
}

class Page {
  constructor(page, cluster) {
    this.page = page;
    this.cluster = cluster;
  }
  get(id) {
    return this.page.getByTestId(id);
  }
  async text(id) {
    return (await this.get(id).innerText()).replace(/\s+/g, " ").trim();
  }
  // Presses a choice in a popover's form.
  async choose(popover, choice) {
    await this.page.getByRole("button", { name: popover }).click();
    const sheet = this.page.locator(".sheet"); // a node's details are a dialog, too
    await sheet.getByRole("button", { name: choice, exact: true }).click();
    await sheet.waitFor({ state: "detached" });
  }
  async speed(times) {
    await this.choose(/^Speed/, `${times}×`);
    await until(`speed ${times}`, async () => (await this.cluster.snapshot()).speed === times);
  }
  async pause(paused) {
    await this.get("pause").click();
    await until(`paused ${paused}`, async () => (await this.cluster.snapshot()).paused === paused);
  }
  async mark(text) {
    await this.page.getByRole("list", { name: "In force" }).getByText(text).waitFor();
  }
  async decision(pattern) {
    const sentences = this.page.locator("#decisions .sentence");
    return until(`a decision like ${pattern}`, async () =>
      (await sentences.allInnerTexts()).find((one) => pattern.test(one.replace(/\s+/g, " "))),
    );
  }
}

const steps = [];
const step = (name, run) => steps.push({ name, run });

step("the printed link leads to the page, once", async ({ view, cluster, browser, faults }) => {
  assert.equal(view.page.url(), `${cluster.dashboard}/dashboard/`);
  await view.page.goto(`${cluster.dashboard}/`);
  assert.equal(view.page.url(), `${cluster.dashboard}/dashboard/`, "the bare address");
  const other = await browser.newContext();
  const stranger = await other.newPage();
  assert.equal((await stranger.goto(`${cluster.dashboard}/`)).status(), 401);
  assert.equal((await stranger.goto(cluster.links()[0])).status(), 401, "a used link");
  await other.close();
  // A link on another site's page (localhost is another site than 127.0.0.1): Strict cookies are
  // kept back from the redirect, and the page is reached nevertheless.
  const fresh = await until("a fresh link", () => cluster.links()[1]);
  const site = createServer((_, reply) => {
    reply.setHeader("content-type", "text/html");
    reply.end(`<a href="${fresh}">open</a>`);
  }).listen(0, "127.0.0.1");
  await new Promise((done) => site.once("listening", done));
  const another = await browser.newContext();
  const visitor = await another.newPage();
  await visitor.goto(`http://localhost:${site.address().port}/`);
  await visitor.click("a");
  await visitor.waitForSelector("header");
  await another.close();
  site.close();
  assert.deepEqual(faults, []);
});

step("what is shown is what the APIs say", async ({ view, cluster }) => {
  await until("half an hour of history", async () => {
    const { now, started } = await cluster.snapshot();
    return Date.parse(now) - Date.parse(started) > 1800e3;
  });
  await view.pause(true);
  const said = await cluster.snapshot();
  const list = async (path) => (await cluster.request(path)).items;
  const nodes = await list("/api/v1/nodes");
  const claims = await list("/apis/karpenter.sh/v1/nodeclaims");
  const pods = await list("/api/v1/pods");
  const names = new Set(said.nodes.map((one) => one.name));
  for (const node of nodes) assert(names.has(node.metadata.name), node.metadata.name);
  const shown_claims = new Set(said.nodes.map((one) => one.claim));
  for (const claim of claims) assert(shown_claims.has(claim.metadata.name), claim.metadata.name);
  const keys = pods.map((pod) => `${pod.metadata.namespace}/${pod.metadata.name}`).sort();
  assert.deepEqual(said.pods.map((pod) => pod.key).sort(), keys);
  const is_ready = (one) => (one.status.conditions ?? []).some((c) => c.type === "Ready" && c.status === "True");
  const ready = nodes.filter(is_ready).map((one) => one.metadata.name);
  for (const node of said.nodes.filter((one) => one.phase === "ready"))
    assert(ready.includes(node.name), `${node.name} is ready`);
  for (const pod of said.pods) {
    const object = pods.find((one) => pod.key === `${one.metadata.namespace}/${one.metadata.name}`);
    assert.equal(pod.phase === "ready", is_ready(object) && !object.metadata.deletionTimestamp, pod.key);
    assert.equal(pod.node ?? undefined, object.spec.nodeName, pod.key);
  }
  await until("the page is there, too", async () => {
    const seconds = said.now.slice(11, 19);
    return (await view.text("clock")) === seconds;
  });
  assert.equal(await view.text("node-count"), String(said.nodes.length));
  assert.equal(await view.text("pod-count"), String(said.pods.length));
  assert.equal(await view.text("usd-per-hour"), `$${said.cost.usd_per_hour.toFixed(2)}`);
  assert.equal(await view.text("usd"), `$${said.cost.usd.toFixed(2)}`);
  const newest = await view.page.locator("#decisions .sentence").first().innerText();
  assert(newest.replace(/\s+/g, " ").endsWith(said.decisions[0].sentence), newest);
  const prices = said.nodes.reduce((sum, one) => sum + one.usd_per_hour, 0);
  assert(Math.abs(prices - said.cost.usd_per_hour) < 0.001, "an hour is the nodes' sum");
  await view.pause(false);
});

step("other policies' costs have their history", async ({ cluster }) => {
  const history = await cluster.request("/dashboard/history?points=100");
  assert(history.t.length > 20);
  for (const name of ["static", "stock"]) {
    const usd = history.policies_usd[name];
    assert.equal(usd.length, history.t.length, name);
    assert(usd.every((value, i) => value > 0 && value >= (usd[i - 1] ?? 0)), `${name} rises`);
  }
  // 14 g4dn.xlarge from the first second: so much a point, exactly.
  const rate = history.policies_usd.static.at(-1) / history.t.at(-1);
  for (const [i, t] of history.t.entries())
    assert(Math.abs(history.policies_usd.static[i] - rate * t) < 0.02 + rate * 60, `at ${t}`);
});

step("traffic, burst and speed act", async ({ view, cluster }) => {
  await view.speed(10);
  const rate = async () => (await cluster.snapshot()).models[0].requests_per_s;
  const before = await rate();
  await view.choose(/^Traffic/, "10×");
  assert.equal((await cluster.snapshot()).controls.traffic_factor, 10);
  await view.page.getByRole("button", { name: "Traffic ×10" }).waitFor();
  await until("a node boots, its GPU paid for", async () =>
    (await cluster.snapshot()).nodes.some((one) => one.phase === "booting" && one.gpus.length),
  );
  await view.speed(60);
  await until("more requests come", async () => (await rate()) > before * 2.5);
  await view.decision(/joint policy scaled .* -> \d/);
  await view.choose(/^Traffic/, "1×");
  await view.choose("Burst", "Start");
  assert((await cluster.snapshot()).controls.burst_until);
  await view.mark(/burst until/);
});

step("missing capacity and outages act, errors are told", async ({ view, cluster }) => {
  await view.page.getByRole("button", { name: "No capacity" }).click();
  const sheet = view.page.locator(".sheet");
  const type = await sheet.locator("[name=type]").inputValue();
  await sheet.locator("[name=type]").fill("z9.huge");
  await sheet.getByRole("button", { name: "Block" }).click();
  await sheet.getByRole("alert").getByText(/z9.huge is not an instance type/).waitFor();
  await sheet.locator("[name=type]").fill(type);
  await sheet.getByRole("button", { name: "Block" }).click();
  await view.mark(`no ${type} until`);
  const [blocked] = (await cluster.snapshot()).controls.blocked;
  assert.equal(blocked.instance_type, type);
  await view.page.getByRole("button", { name: `Unblock ${type}` }).click();
  await until("unblocked", async () => !(await cluster.snapshot()).controls.blocked.length);
  await view.choose("Prometheus outage", "Start");
  await view.mark(/Prometheus down until/);
});

step("an interrupted node goes, is decided about and replaced", async ({ view, cluster }) => {
  const serves = (one) => one.gpus.some((gpu) => gpu.pod?.startsWith("inference/"));
  const spot = await until("a spot node that serves", async () =>
    (await cluster.snapshot()).nodes.find(
      (one) => one.phase === "ready" && one.capacity_type === "spot" && serves(one),
    ),
  );
  const short = spot.name.replace(/\..*/, "");
  await view.page.getByRole("gridcell", { name: new RegExp(`^${short}[.,]`) }).click();
  await view.get("interrupt").click();
  await view.get("interrupt-sure").click();
  await view.decision(new RegExp(`interruption watch deleted NodeClaim/${spot.claim}`));
  await view.get("details").getByText(/draining|terminating/).first().waitFor();
  await view.speed(300);
  await until("the node is gone from the API", async () =>
    (await cluster.request("/api/v1/nodes")).items.every((one) => one.metadata.name !== spot.name),
  );
  await view.get("details").getByText("This node is gone.").waitFor();
  await view.page.getByRole("button", { name: "Close the details" }).click();
  await until("every wanted replica is back", async () => {
    const { scaled } = await cluster.snapshot();
    return scaled[0].ready >= scaled[0].wanted;
  });
});

step("what is written to the Kubernetes API is seen", async ({ view, cluster }) => {
  await view.speed(1);
  const pod = { apiVersion: "v1", kind: "Pod", metadata: { name: "asks-much", namespace: "default" } };
  const limits = { "nvidia.com/gpu": "99" };
  pod.spec = { containers: [{ name: "main", image: "x", resources: { requests: limits, limits } }] };
  const headers = { "content-type": "application/json" };
  const path = "/api/v1/namespaces/default/pods";
  await cluster.request(path, { method: "POST", headers, body: JSON.stringify(pod) });
  const waits = view.page.locator("#pods .waiting summary").getByText("asks-much", { exact: true });
  await waits.waitFor({ timeout: 10000 });
  await cluster.request(`${path}/asks-much`, { method: "DELETE" });
  await waits.waitFor({ state: "detached", timeout: 10000 });
  const { items } = await cluster.request("/api/v1/nodes");
  const [{ metadata }] = items;
  const merge = { "content-type": "application/merge-patch+json" };
  const cordon = JSON.stringify({ spec: { unschedulable: true } });
  await cluster.request(`/api/v1/nodes/${metadata.name}`, { method: "PATCH", headers: merge, body: cordon });
  await view.page.getByRole("gridcell", { name: metadata.name }).click();
  await view.get("details").getByText("takes no new pods").waitFor({ timeout: 10000 });
  await cluster.request(`/api/v1/nodes/${metadata.name}`, { method: "DELETE" });
  await view.get("details").getByText(/draining|terminating|is gone/).first().waitFor({ timeout: 10000 });
  await view.page.getByRole("button", { name: "Close the details" }).click();
});

step("the past is shown and left again", async ({ view, cluster }) => {
  const { started } = await cluster.snapshot();
  await view.get("timeline").focus();
  await view.page.keyboard.press("Home");
  await until("history", async () => (await view.text("connection")) === "History");
  await until("the start's clock", async () => (await view.text("clock")) === started.slice(11, 19));
  const first = await cluster.request(`/dashboard/at?time=${started}`);
  assert(Date.parse(first.now) - Date.parse(started) < 600e3, first.now);
  await until("the start's nodes", async () => (await view.text("node-count")) === String(first.nodes.length));
  await view.page.keyboard.press("End");
  await until("live", async () => (await view.text("connection")) === "Live");
});

const dir = await mkdtemp(join(tmpdir(), "windlass-real-"));
const cluster = await start(dir);
const browser = await chromium.launch({
  executablePath: CHROMIUM,
  headless: true,
  args: [...FLAGS, ...FLAGS_QUIET],
});
let failed = 0;
try {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const faults = [];
  page.on("pageerror", (error) => faults.push(error.stack));
  // A refused control is a 400, which Chromium reports by itself.
  page.on("console", (line) => {
    if (line.type() === "error" && !line.text().includes("400")) faults.push(line.text());
  });
  await page.goto(cluster.links()[0]);
  await page.waitForSelector("header");
  const view = new Page(page, cluster);
  for (const { name, run } of steps) {
    if (!words.every((word) => name.includes(word))) continue;
    const began = Date.now();
    try {
      await run({ view, cluster, browser, faults });
      assert.deepEqual(faults, [], "the page's own complaints");
      console.log(`ok   ${name} (${((Date.now() - began) / 1000).toFixed(1)} s)`);
    } catch (error) {
      // What follows stands on this step's world.
      console.log(`FAIL ${name}\n     ${String(error.stack).replaceAll("\n", "\n     ")}`);
      if (process.env.WINDLASS_SHOTS) {
        await page.screenshot({ path: join(process.env.WINDLASS_SHOTS, "real-failed.png") });
      }
      failed = 1;
      break;
    }
  }
} finally {
  await browser.close();
  await cluster.stop();
  await rm(dir, { recursive: true, force: true });
}
process.exit(failed);
