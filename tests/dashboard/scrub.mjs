// The timeline: another moment is shown as the server kept it, live goes on behind it.
import assert from "node:assert/strict";
import { picture, test, text } from "./browser.mjs";

test(
  "the timeline scrubs back by keyboard and comes back to live",
  {},
  async ({ page, mock, tick }) => {
    await tick(60);
    const slider = page.getByTestId("timeline");
    await slider.focus();
    for (let i = 0; i < 6; ++i) await page.keyboard.press("PageDown");
    const banner = page.locator(".banner.past");
    await banner.waitFor();
    await page.waitForFunction(
      () => !document.querySelector(".banner.past").innerText.includes("loading"),
    );
    const time = await text(page.getByTestId("clock"));
    const kept = JSON.parse(mock.cluster.at(`2026-03-02T${time}Z`));
    assert.ok(
      (await text(banner)).startsWith(
        `Showing ${time}, live is ${new Date(mock.cluster.now).toISOString().slice(11, 19)}`,
      ),
      await text(banner),
    );
    assert.equal(await text(page.getByTestId("node-count")), String(kept.nodes.length));
    assert.notEqual(kept.nodes.length, mock.cluster.nodes.size);
    assert.equal(await text(page.getByTestId("usd")), `$${kept.cost.usd.toFixed(2)}`);
    const ids = await page
      .locator("[data-decision]")
      .evaluateAll((all) => all.map((one) => Number(one.dataset.decision)));
    assert.deepEqual(
      ids,
      kept.decisions.slice(0, ids.length).map((one) => one.id),
    );
    assert.equal(await text(page.getByTestId("connection")), "History");
    await picture(page, "past");

    // Updates go on: the moment shown stays, the banner tells the newer live time.
    mock.tick(60);
    const live = new Date(mock.cluster.now).toISOString().slice(11, 19);
    await page.waitForFunction(
      (now) => document.querySelector(".banner.past").innerText.includes(`live is ${now}`),
      live,
    );
    assert.equal(await text(page.getByTestId("clock")), time);
    assert.equal(await text(page.getByTestId("node-count")), String(kept.nodes.length));

    await page.getByRole("button", { name: "Back to live" }).click();
    await banner.waitFor({ state: "detached" });
    assert.equal(await text(page.getByTestId("clock")), live);
    assert.equal(await text(page.getByTestId("node-count")), String(mock.cluster.nodes.size));
  },
);

test("arrow keys step, Home is the start, End is live", {}, async ({ page, tick }) => {
  await tick(60);
  const slider = page.getByTestId("timeline");
  await slider.focus();
  const said = () => slider.getAttribute("aria-valuetext");
  assert.match(await said(), /, live$/);
  const press = async (key, expected) => {
    await page.keyboard.press(key);
    await page.waitForFunction(
      (text) =>
        document
          .querySelector('[data-testid="timeline"]')
          .getAttribute("aria-valuetext")
          .startsWith(text),
      expected,
    );
  };
  await press("ArrowLeft", "10:00:00, 11 min 12 s before live");
  await press("ArrowLeft", "09:50:00");
  await press("ArrowRight", "10:00:00");
  await press("PageDown", "08:20:00");
  await press("Home", "00:00:00, 10 h ");
  await press("End", "10:11:12, live");
  // Two presses before a frame is drawn are two steps.
  await page.evaluate(() => {
    const slider = document.querySelector('[data-testid="timeline"]');
    for (let i = 0; i < 2; ++i)
      slider.dispatchEvent(
        new KeyboardEvent("keydown", { key: "ArrowLeft", bubbles: true, cancelable: true }),
      );
  });
  await page.waitForFunction(() =>
    document
      .querySelector('[data-testid="timeline"]')
      .getAttribute("aria-valuetext")
      .startsWith("09:50:00"),
  );
});

test("a press on a chart shows that moment", {}, async ({ page, tick }) => {
  await tick(60);
  const plot = page.locator('[data-chart="gpus"] .u-over');
  const { width, height } = await plot.boundingBox();
  await plot.click({ position: { x: width / 2, y: height / 2 } });
  await page.locator(".banner.past").waitFor();
  // Half of ten hours and a bit.
  assert.match(await text(page.getByTestId("clock")), /^05:0\d:\d\d$/);
});

test("in the past nothing is interrupted", {}, async ({ page, tick }) => {
  await tick(60);
  await page.getByTestId("timeline").focus();
  await page.keyboard.press("PageDown");
  await page.locator(".banner.past").waitFor();
  await page.locator(".card").first().click();
  assert.match(await text(page.getByTestId("details")), /go back to live first/);
});

test("a range asks for its own series", {}, async ({ page, mock, tick }) => {
  await tick(60);
  const before = mock.requests.filter((one) => one.includes("/history")).length;
  await page.getByRole("button", { name: "1 h", exact: true }).click();
  await page.getByRole("button", { name: "1 h", exact: true, pressed: true }).waitFor();
  for (
    let i = 0;
    i < 100 && mock.requests.filter((one) => one.includes("/history")).length === before;
    ++i
  )
    await page.waitForTimeout(20);
  assert.equal(mock.requests.filter((one) => one.includes("/history")).length, before + 1);
});
