// What the page shows against what the server's snapshot says, at first and after updates.
import assert from "node:assert/strict";
import { picture, test, text } from "./browser.mjs";

const dollars = (value) =>
  `$${value.toLocaleString("en-US", { minimumFractionDigits: 2, maximumFractionDigits: 2 })}`;

async function compare(page, snapshot) {
  assert.equal(await text(page.getByTestId("node-count")), String(snapshot.nodes.length));
  assert.equal(await text(page.getByTestId("pod-count")), String(snapshot.pods.length));
  assert.equal(await text(page.getByTestId("usd")), dollars(snapshot.cost.usd));
  assert.equal(await text(page.getByTestId("usd-per-hour")), dollars(snapshot.cost.usd_per_hour));
  const money = await text(page.locator(".money"));
  for (const policy of snapshot.cost.policies)
    assert.ok(money.includes(`${policy.name} ${dollars(policy.usd)}`), money);

  // Every card in turn; a tall page, so that all of them exist.
  const cards = new Map(
    await page
      .locator(".card")
      .evaluateAll((all) => all.map((card) => [card.dataset.node, card.innerText])),
  );
  assert.deepEqual([...cards.keys()].sort(), snapshot.nodes.map((node) => node.name).sort());
  for (const node of snapshot.nodes) {
    const card = cards.get(node.name);
    for (const part of [node.instance_type, node.capacity_type, `${dollars(node.usd_per_hour)}/h`])
      assert.ok(card.includes(part), `${part} in ${card}`);
    for (const gpu of node.gpus)
      if (gpu.pod) assert.ok(card.includes(gpu.pod.split("/").pop()), `${gpu.pod} in ${card}`);
    if (node.phase !== "ready") assert.ok(card.includes(node.phase), card);
  }
  for (const one of snapshot.scaled) {
    const said = await text(page.locator(`[data-scaled="${one.key}"]`));
    assert.ok(said.includes(`${one.ready} of ${one.wanted} ready`), said);
    assert.ok(said.includes(`min ${one.min}, max ${one.max}`), said);
    if (one.limited_by) assert.ok(said.includes(`limit: ${one.limited_by}`), said);
    for (const signal of one.signals)
      assert.ok(said.includes(`${signal.name} ${signal.value === null ? "–" : ""}`), said);
    assert.equal(
      said.split("asks for").length - 1,
      one.signals.filter((signal) => signal.asks_for !== null).length,
      said,
    );
  }
  for (const one of snapshot.models) {
    const said = await text(page.locator(`[data-model="${one.name}"]`));
    assert.ok(said.includes(`queue ${one.queue.toLocaleString("en-US")}`), said);
    assert.equal(said.includes("over"), one.p95_ms > one.slo_ms, said);
  }
  const all = page.getByRole("button", { name: /Show all .* reasons/ });
  if (await all.count()) await all.click();
  const pending = snapshot.pods.filter((pod) => pod.phase === "pending");
  assert.equal(await text(page.getByTestId("waiting")), String(pending.length));
  for (const pod of pending)
    assert.ok((await text(page.locator("#pods"))).includes(pod.why), pod.why);
  const ids = await page
    .locator("[data-decision]")
    .evaluateAll((all) => all.map((one) => Number(one.dataset.decision)));
  assert.deepEqual(
    ids,
    snapshot.decisions.slice(0, ids.length).map((one) => one.id),
  );
}

const said = (mock) => JSON.parse(JSON.stringify(mock.cluster.snapshot()));

test(
  "shows what the snapshot says, and then what each update says",
  {},
  async ({ page, mock, tick }) => {
    await page.setViewportSize({ width: 1280, height: 3000 });
    await tick(30);
    await compare(page, said(mock));
    mock.cluster.control({ burst: { factor: 1.9, seconds: 900 } });
    const phases = new Set();
    for (let i = 0; i < 14; ++i) {
      await tick(12);
      for (const node of mock.cluster.nodes.values()) phases.add(node.phase);
      await compare(page, said(mock));
    }
    // Without Prometheus the signals are unknown, and that is what holds the replicas.
    mock.cluster.control({ prometheus_outage: { seconds: 300 } });
    await tick(12);
    await compare(page, said(mock));
    assert.match(await text(page.locator(".scaled")), /s0-prometheus – .*limit: no metrics/);
    // The walk went through the phases it claims to compare.
    for (const phase of ["launching", "booting", "registered", "ready"])
      assert.ok(phases.has(phase), phase);
  },
);

test(
  "a node's phase is what it is busy with: pulling, loading, starting",
  {},
  async ({ page, mock, tick }) => {
    await page.setViewportSize({ width: 1280, height: 3000 });
    mock.cluster.control({ burst: { factor: 1.9, seconds: 900 } });
    const seen = new Set();
    for (let i = 0; i < 20 && !seen.has("starting"); ++i) {
      await tick(12);
      for (const word of await page.locator(".card .phase").allInnerTexts()) seen.add(word);
    }
    for (const phase of ["pulling", "loading", "starting"])
      assert.ok(seen.has(phase), `${phase} among ${[...seen]}`);
  },
);

test("a decision opens its inputs and reasons", {}, async ({ page, mock, tick }) => {
  await tick(30);
  const one = mock.cluster.decisions[0];
  const item = page.locator(`[data-decision="${one.id}"]`);
  assert.ok((await text(item)).includes(one.sentence));
  assert.equal(await item.locator(".reasons").count(), 0);
  await item.getByRole("button").click();
  const open = await text(item);
  for (const [name, value] of one.inputs) assert.ok(open.includes(`${name} ${value}`), open);
  for (const reason of one.reasons) assert.ok(open.includes(reason), open);
  // It stays open when the next update comes.
  await tick(30);
  assert.equal(await item.locator(".reasons").count(), 1);
});

test("a claim that becomes a node stays the selected one", {}, async ({ page, mock, tick }) => {
  mock.cluster.control({ burst: { factor: 1.9, seconds: 900 } });
  let claim;
  for (let i = 0; i < 20 && !claim; ++i) {
    await tick(5);
    claim = [...mock.cluster.nodes.values()].find((node) => node.phase === "launching");
  }
  await page.getByRole("searchbox", { name: "Filter the nodes" }).fill(claim.name);
  await page.locator(`[data-node="${claim.name}"]`).click();
  assert.equal(
    await text(page.getByTestId("details").getByRole("heading", { level: 2 })),
    claim.claim,
  );
  await tick(10);
  assert.notEqual(claim.name, claim.claim);
  assert.equal(
    await text(page.getByTestId("details").getByRole("heading", { level: 2 })),
    claim.name.split(".")[0],
  );
  assert.ok((await text(page.getByTestId("details"))).includes("booting"));
});

test("what is not there is said", { mock: { empty: true } }, async ({ page, tick }) => {
  await tick(30);
  const all = await text(page.locator("main"));
  for (const part of [
    "No nodes.",
    "No pods.",
    "No pod waits.",
    "No scaled objects.",
    "No models.",
    "No decisions yet.",
    "no models serve requests",
    "no scaled objects",
  ]) {
    assert.ok(all.includes(part), part);
  }
  await picture(page, "empty");
});

test(
  "a lost stream is said, what is shown is marked, and it comes back",
  { expected: ["net::ERR"] },
  async ({ page, mock, tick }) => {
    await tick(30);
    mock.down = true;
    mock.drop();
    const alert = page.getByRole("alert");
    await alert.waitFor();
    assert.match(await text(alert), /Connection lost .*Trying again/);
    assert.equal(await text(page.getByTestId("connection")), "Offline");
    assert.equal(await page.locator(".page.stale").count(), 1);
    await picture(page, "lost");
    // The first retry fails as well; the second waits longer.
    await page.waitForFunction(() =>
      / [12] s/.test(document.querySelector('[role="alert"]').innerText),
    );
    mock.down = false;
    await alert.getByRole("button", { name: "Try now" }).click();
    await alert.waitFor({ state: "detached" });
    await tick(30);
    assert.equal(await text(page.getByTestId("connection")), "Live");
  },
);

test(
  "an ended session is told from a stopped server",
  { expected: ["401", "net::ERR"] },
  async ({ page, mock, tick }) => {
    await tick(30);
    mock.ended = true;
    mock.drop();
    await page.waitForFunction(() =>
      document
        .querySelector('[role="alert"]')
        ?.innerText.includes("the session has ended: open the address"),
    );
  },
);

test("text from the cluster is text", {}, async ({ page, mock, tick }) => {
  const node = [...mock.cluster.nodes.values()][0];
  node.why = "<img src=x onerror=alert(1)>";
  mock.cluster.decide(
    "joint",
    "<b>x</b>",
    "scale",
    "",
    "<script>alert(1)</script> & more",
    [["<i>a</i>", "<i>b</i>"]],
    ["<u>c</u>"],
  );
  mock.cluster.touched.nodes.add(node.name);
  await tick(10);
  await page.locator(`[data-node="${node.name}"]`).click();
  assert.ok((await text(page.getByTestId("details"))).includes("<img src=x onerror=alert(1)>"));
  assert.ok((await text(page.locator(".decisions"))).includes("<script>alert(1)</script> & more"));
  assert.equal(await page.locator("main img, main script").count(), 0);
});

test(
  "a scaled object's name, and a node's details, lead to their decisions",
  {},
  async ({ page, mock, tick }) => {
    await tick(30);
    const all = await page.locator("[data-decision]").count();
    await page.getByRole("button", { name: "chat-70b", exact: true }).click();
    const objects = async () => {
      const ids = await page
        .locator("[data-decision]")
        .evaluateAll((all) => all.map((one) => Number(one.dataset.decision)));
      return ids.map((id) => mock.cluster.decisions.find((one) => one.id === id));
    };
    await page.waitForFunction(
      (before) => document.querySelectorAll("[data-decision]").length !== before,
      all,
    );
    const mine = await objects();
    assert.ok(mine.length > 0 && mine.length < mock.cluster.decisions.length);
    for (const one of mine)
      assert.ok(`${one.object} ${one.sentence}`.includes("chat-70b"), one.sentence);
    const launch = mock.cluster.decisions.find(
      (one) =>
        one.what === "launch" &&
        [...mock.cluster.nodes.values()].some((node) => one.object.endsWith(node.claim)),
    );
    const node = [...mock.cluster.nodes.values()].find((one) => launch.object.endsWith(one.claim));
    await page.locator(`[data-node="${node.name}"]`).click();
    await page.getByRole("button", { name: "Decisions about it" }).click();
    await page.waitForFunction(
      (claim) => document.querySelector("#decisions input").value === claim,
      node.claim,
    );
    await page.waitForFunction(
      () => !document.querySelector("#decisions").innerText.includes("Scaled"),
    );
    await page.locator(`[data-decision="${launch.id}"]`).waitFor();
    for (const one of await objects()) assert.ok(one.object.includes(node.claim), one.object);
  },
);

test(
  "what a server leaves out or does not know is no trouble",
  {},
  async ({ page, mock, tick }) => {
    await tick(30);
    const snapshot = mock.cluster.snapshot.bind(mock.cluster);
    mock.cluster.snapshot = () => ({
      ...snapshot(),
      nodes: [{ name: "bare", phase: "launching" }],
      pods: [{ key: "a/b", phase: "pending", since: "2026-03-02T00:00:00Z" }],
      scaled: [{ key: "a/c", wanted: null, ready: null }],
      models: [{ name: "m", p50_ms: null, p95_ms: null, slo_ms: null }],
      cost: { usd: null, usd_per_hour: null, policies: [] },
      decisions: null,
    });
    await page.reload();
    await page.locator('[data-node="bare"]').click();
    assert.match(await text(page.getByTestId("details")), /launching/);
    assert.match(await text(page.locator("#pods")), /no reason given yet/);
    assert.match(await text(page.locator('[data-model="m"]')), /P95 – SLO –/);
  },
);
