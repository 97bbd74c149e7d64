// Both themes and both sizes: nothing hangs over the side, text has contrast, motion can be
// stilled.
import assert from "node:assert/strict";
import { picture, test } from "./browser.mjs";

async function fits(page) {
  const over = await page.evaluate(() => {
    const wide = document.documentElement.clientWidth;
    return {
      page: document.documentElement.scrollWidth - wide,
      parts: [...document.querySelectorAll("header *, .drive *, main *")]
        .filter((one) => {
          const { left, right, width } = one.getBoundingClientRect();
          return width > 0 && (right > wide + 1 || left < -1) && !one.closest(".places, .u-wrap");
        })
        .map((one) => one.outerHTML.slice(0, 120))
        .slice(0, 5),
    };
  });
  assert.deepEqual(over, { page: 0, parts: [] });
}

// Contrast of every element that has text of its own against the nearest ground behind it.
function faint() {
  const parse = (colour) => {
    const ink = document.createElement("canvas").getContext("2d", { willReadFrequently: true });
    ink.fillStyle = colour;
    ink.fillRect(0, 0, 1, 1);
    return [...ink.getImageData(0, 0, 1, 1).data];
  };
  const light = ([r, g, b]) =>
    [r, g, b]
      .map((v) => v / 255)
      .map((v) => (v <= 0.04045 ? v / 12.92 : ((v + 0.055) / 1.055) ** 2.4))
      .reduce((sum, v, i) => sum + v * [0.2126, 0.7152, 0.0722][i], 0);
  const ground = (at) => {
    for (let one = at; one; one = one.parentElement) {
      const colour = parse(getComputedStyle(one).backgroundColor);
      if (colour[3] > 250) return colour;
    }
    return [255, 255, 255];
  };
  const found = new Set();
  for (const one of document.querySelectorAll("body *")) {
    const own = [...one.childNodes].some((node) => node.nodeType === 3 && node.textContent.trim());
    if (!own || !one.checkVisibility() || one.closest("noscript, :disabled")) continue;
    const [a, b] = [light(parse(getComputedStyle(one).color)), light(ground(one))];
    const ratio = (Math.max(a, b) + 0.05) / (Math.min(a, b) + 0.05);
    if (ratio < 4.5)
      found.add(
        `${one.className || one.tagName} ${ratio.toFixed(2)} "${one.textContent.slice(0, 20)}"`,
      );
  }
  return [...found];
}

async function busy({ mock, tick, page }) {
  mock.cluster.control({ burst: { factor: 1.9, seconds: 900 } });
  for (let i = 0; i < 3; ++i) await tick(20);
  const spot = [...mock.cluster.nodes.values()].find(
    (one) => one.capacity_type === "spot" && one.phase === "ready",
  );
  mock.cluster.control({ interrupt_node: spot.name });
  mock.cluster.control({ block_capacity: { instance_type: "g6.xlarge" } });
  for (let i = 0; i < 5; ++i) await tick(15);
  await page.waitForTimeout(100);
}

for (const phone of [false, true]) {
  for (const dark of [false, true]) {
    const name = `${dark ? "dark" : "light"} on a ${phone ? "phone" : "laptop"}`;
    test(`looks right: ${name}`, { phone, dark }, async (session) => {
      const { page } = session;
      await busy(session);
      await fits(page);
      assert.deepEqual(await page.evaluate(faint), []);
      assert.equal(
        await page.evaluate(() => document.documentElement.dataset.scheme),
        dark ? "dark" : "light",
      );
      await picture(page, name.replaceAll(" ", "-"));
      await page.getByRole("button", { name: "No capacity" }).click();
      const sheet = await page.getByRole("dialog").boundingBox();
      assert.ok(
        sheet.x >= 0 && sheet.x + sheet.width <= page.viewportSize().width,
        JSON.stringify(sheet),
      );
      await page.keyboard.press("Escape");
      await page.locator("#nodes").scrollIntoViewIfNeeded();
      await page.locator(".card").first().click();
      await fits(page);
      assert.deepEqual(await page.evaluate(faint), []);
      await picture(page, `${name.replaceAll(" ", "-")}-details`);
    });
  }
}

test("the theme can be chosen, and is remembered", {}, async ({ page }) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  const toggle = page.getByTestId("theme");
  await toggle.click();
  assert.equal(await ground(), light); // system, then light
  await toggle.click();
  const dark = await ground();
  assert.notEqual(dark, light);
  await page.reload();
  await page.waitForSelector("header");
  assert.equal(await ground(), dark);
});

test("with system as the theme the page follows the system", {}, async ({ page }) => {
  const ground = () => page.evaluate(() => getComputedStyle(document.body).backgroundColor);
  const light = await ground();
  await page.emulateMedia({ colorScheme: "dark" });
  await page.waitForFunction(
    (old) => getComputedStyle(document.body).backgroundColor !== old,
    light,
  );
});

test("with reduced motion nothing is animated", { still: true }, async ({ page, tick }) => {
  await tick(30);
  await page.getByRole("button", { name: "Burst" }).click();
  await page.locator(".card").first().click();
  assert.equal(await page.evaluate(() => document.getAnimations().length), 0);
});
