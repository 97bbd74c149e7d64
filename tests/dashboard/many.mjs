// 1,000 nodes and 5,000 pods: the page stays smooth while updates come and a person scrolls. Prints
// frame times (wall) and what an update costs the page's thread (processor time, which other load
// on the machine doesn't change); only the latter has a close bound.
import assert from "node:assert/strict";
import { picture, shown, test, text } from "./browser.mjs";

const SIZE = { nodes: 1000, pods: 5000 };

// Frame times and update costs while `rounds` updates come, one every half second, and the page
// scrolls.
async function measure(page, mock, rounds) {
  await page.evaluate(() => {
    const frames = [],
      updates = [];
    let last = performance.now(),
      on = true;
    const frame = (now) => {
      frames.push(now - last);
      last = now;
      scrollBy(0, frames.length % 240 < 120 ? 12 : -12);
      // An update's cost: from its arrival until the frame that shows it is ready to be painted.
      for (const mark of performance.getEntriesByName("heard")) {
        performance.clearMarks("heard");
        const channel = new MessageChannel();
        channel.port1.onmessage = () => updates.push(performance.now() - mark.startTime);
        channel.port2.postMessage(0);
      }
      if (on) requestAnimationFrame(frame);
    };
    performance.clearMarks("heard");
    requestAnimationFrame(frame);
    window.measured = () => {
      on = false;
      return { frames: frames.slice(2), updates };
    };
  });
  const devtools = await page.context().newCDPSession(page);
  await devtools.send("Performance.enable", { timeDomain: "threadTicks" });
  const spent = async () =>
    Object.fromEntries(
      (await devtools.send("Performance.getMetrics")).metrics.map(({ name, value }) => [
        name,
        value * 1000,
      ]),
    );
  const before = await spent();
  for (let i = 0; i < rounds; ++i) {
    mock.tick(30);
    await page.waitForTimeout(500);
  }
  const after = await spent();
  const cpu = (name) => (after[name] - before[name]) / rounds;
  const { frames, updates } = await page.evaluate(() => window.measured());
  const at = (list, share) =>
    [...list].sort((a, b) => a - b)[Math.min(list.length - 1, Math.floor(list.length * share))];
  return {
    frames: frames.length,
    p50: at(frames, 0.5),
    p95: at(frames, 0.95),
    p99: at(frames, 0.99),
    most: at(frames, 1),
    updates: updates.length,
    update_p50: at(updates, 0.5),
    update_most: at(updates, 1),
    script: cpu("ScriptDuration"),
    layout: cpu("LayoutDuration") + cpu("RecalcStyleDuration"),
    all: cpu("TaskDuration"),
  };
}

const say = (name, m) =>
  console.log(
    `     ${name}: ${m.frames} frames, ms: P50 ${m.p50.toFixed(1)}, P95 ${m.p95.toFixed(1)}, P99 ${m.p99.toFixed(1)}, most ${m.most.toFixed(1)}; ` +
      `${m.updates} updates, ms until ready to paint: P50 ${m.update_p50.toFixed(1)}, most ${m.update_most.toFixed(1)}; ` +
      `processor ms an update: script ${m.script.toFixed(1)}, layout ${m.layout.toFixed(1)}, all with half a second of scrolling ${m.all.toFixed(1)}`,
  );

for (const form of ["Map", "Cards"]) {
  test(
    `1,000 nodes and 5,000 pods stay smooth as ${form.toLowerCase()}`,
    { mock: SIZE },
    async ({ page, mock, tick }) => {
      await tick(30);
      assert.equal(
        await text(page.getByTestId("node-count")),
        mock.cluster.nodes.size.toLocaleString("en-US"),
      );
      assert.ok(
        mock.cluster.nodes.size >= 990 && mock.cluster.pods.size >= 4800,
        `${mock.cluster.nodes.size} nodes, ${mock.cluster.pods.size} pods`,
      );
      await page.getByRole("button", { name: form, exact: true }).click();
      const figures = await measure(page, mock, 12);
      say(form, figures);
      assert.ok(figures.updates >= 6, "updates were seen");
      assert.ok(figures.p50 <= 34, `median frame ${figures.p50} ms`);
      assert.ok(figures.script <= 60, `${figures.script} ms of script an update`);
      await shown(page, mock);
      // Only what is near the window exists as elements.
      assert.ok((await page.locator(".card").count()) < 150);
      await page.evaluate(() => scrollTo(0, 0));
      await picture(page, `many-${form.toLowerCase()}`);
    },
  );
}

test(
  "the map tells every node by keyboard and by phase",
  { mock: SIZE },
  async ({ page, mock, tick }) => {
    await tick(30);
    const ready = page.locator('.phase-key [data-phase="ready"]');
    const before = await text(ready);
    assert.match(before, /^ready [\d,]+$/);
    const warm = page
      .locator(
        '.phase-key [data-phase="pulling"], .phase-key [data-phase="loading"], .phase-key [data-phase="starting"]',
      )
      .first();
    const [phase] = (await text(warm)).split(" ").slice(-2);
    await warm.click();
    await page.locator(".stop").focus();
    assert.match(
      await page.locator(".stop").getAttribute("aria-label"),
      new RegExp(`, ${phase}, `),
    );
    await warm.click();
    await page.locator(".stop").focus();
    await page.keyboard.press("End");
    const last = await page.locator(".stop").getAttribute("data-node");
    assert.equal(mock.cluster.nodes.get(last).pool, "system");
  },
);
