// Everything can be reached and used without a mouse, and says what it is.
import assert from "node:assert/strict";
import { test, text } from "./browser.mjs";

const focused = (page) =>
  page.evaluate(() => {
    const at = document.activeElement;
    const label = at.getAttribute("aria-label") ?? at.labels?.[0]?.innerText ?? at.innerText ?? "";
    const seen = getComputedStyle(at);
    return {
      tag: at.tagName,
      role: at.getAttribute("role"),
      node: at.dataset.node,
      label: label.replace(/\s+/g, " ").trim(),
      outline: `${seen.outlineStyle} ${seen.outlineWidth}`,
    };
  });

test(
  "Tab walks through all controls, each named and visibly focused",
  {},
  async ({ page, tick }) => {
    await tick(30);
    const stops = [];
    for (let i = 0; i < 90; ++i) {
      await page.keyboard.press("Tab");
      const stop = await focused(page);
      if (stop.tag === "BODY") break;
      assert.ok(stop.label, `a stop without a name: ${JSON.stringify(stop)}`);
      assert.match(
        stop.outline,
        /^(solid|auto) [1-9]/,
        `no visible focus: ${JSON.stringify(stop)}`,
      );
      stops.push(stop.label);
    }
    const walk = stops.join(" | ");
    for (const part of [
      "Skip to the nodes",
      "Pause",
      "Speed",
      "Theme",
      "Traffic",
      "Burst",
      "No capacity",
      "Prometheus outage",
      "Moment shown",
      "All",
      "Filter the nodes",
      "Cards",
      "Map",
      "ready",
      "Filter the decisions",
      "Licences",
    ])
      assert.ok(walk.includes(part), `${part} in ${walk}`);
    // All nodes are one stop.
    assert.equal(stops.filter((label) => label.includes("an hour,")).length, 1, walk);
  },
);

test(
  "arrows move in the grid of cards, Enter opens, Escape closes and the focus comes back",
  {},
  async ({ page, tick }) => {
    await tick(30);
    await page.locator('.card[tabindex="0"]').focus();
    const cards = await page
      .locator(".card")
      .evaluateAll((all) => all.map((one) => one.dataset.node));
    const names = [(await focused(page)).node];
    for (const key of ["ArrowRight", "ArrowDown", "ArrowLeft", "ArrowUp"]) {
      await page.keyboard.press(key);
      await page.waitForFunction(
        (old) => document.activeElement.dataset.node && document.activeElement.dataset.node !== old,
        names.at(-1),
      );
      names.push((await focused(page)).node);
    }
    assert.equal(names[1], cards[1]);
    assert.equal(names[2], cards[4]); // three columns on a laptop
    assert.equal(names[4], names[0]);
    await page.keyboard.press("Enter");
    const details = page.getByTestId("details");
    await details.waitFor();
    assert.equal(await text(details.getByRole("heading", { level: 2 })), names[0].split(".")[0]);
    assert.equal(
      await page.evaluate(() =>
        document.querySelector('[data-testid="details"]').contains(document.activeElement),
      ),
      true,
    );
    await page.keyboard.press("Escape");
    await details.waitFor({ state: "detached" });
    assert.equal((await focused(page)).node, names[0]);
    await page.keyboard.press("End");
    await page.waitForFunction((old) => document.activeElement.dataset.node !== old, names[0]);
    assert.equal((await focused(page)).role, "gridcell");
  },
);

test("arrows move in the map, Enter opens, Escape closes", {}, async ({ page, tick }) => {
  await tick(30);
  await page.getByRole("button", { name: "Map" }).click();
  await page.locator(".stop").focus();
  const first = (await focused(page)).node;
  await page.keyboard.press("ArrowRight");
  await page.waitForFunction((old) => document.activeElement.dataset.node !== old, first);
  const { node, label } = await focused(page);
  assert.match(label, /\$[\d.]+ an hour, \d of \d/);
  await page.keyboard.press("Enter");
  assert.equal(
    await text(page.getByTestId("details").getByRole("heading", { level: 2 })),
    node.split(".")[0],
  );
  await page.keyboard.press("Escape");
  await page.getByTestId("details").waitFor({ state: "detached" });
  assert.equal((await focused(page)).node, node);
});

test(
  "a sheet opens by keyboard, takes the focus, and Escape gives it back",
  {},
  async ({ page, mock, tick }) => {
    await tick(30);
    await page.getByRole("button", { name: "Burst" }).focus();
    await page.keyboard.press("Enter");
    assert.match((await focused(page)).label, /^Times/);
    await page.keyboard.press("Escape");
    assert.equal((await focused(page)).label, "Burst");
    assert.equal(await page.getByRole("dialog").count(), 0);
    await page.keyboard.press("Enter");
    await page.keyboard.press("Enter"); // in the field: starts it
    for (let i = 0; i < 100 && !mock.controls.length; ++i) await page.waitForTimeout(20);
    assert.deepEqual(mock.controls, [{ burst: { factor: 3, seconds: 300 } }]);
  },
);

test("a decision opens by keyboard", {}, async ({ page, tick }) => {
  await tick(30);
  await page.locator(".sentence").nth(1).focus();
  await page.keyboard.press("Enter");
  assert.equal(await page.locator(".sentence").nth(1).getAttribute("aria-expanded"), "true");
  assert.equal(await page.locator(".reasons").count(), 1);
});
