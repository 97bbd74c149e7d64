// What the tests stand on: one browser, and for each test a server of its own with a page on it. A
// page that logs an error, breaks its Content-Security-Policy or asks another host fails its test.
import assert from "node:assert/strict";
import { mkdtemp, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { chromium } from "../../web/node_modules/playwright-core/index.mjs";
import { startMock } from "../../web/mock.mjs";

const FLAGS = [
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];
export const LAPTOP = { width: 1280, height: 800 };
export const PHONE = { width: 390, height: 844 };

const tests = [];
export const test = (name, options, run) => tests.push({ name, options, run });

async function open({ dark = false, phone = false, still = false, mock: size = {} }) {
  const profile = await mkdtemp(join(tmpdir(), "windlass-page-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: "/usr/bin/chromium",
    headless: true,
    args: FLAGS,
    viewport: phone ? PHONE : LAPTOP,
    isMobile: phone,
    hasTouch: phone,
    colorScheme: dark ? "dark" : "light",
    reducedMotion: still ? "reduce" : "no-preference",
  });
  const mock = await startMock({ manual: true, ...size });
  const page = context.pages()[0] ?? (await context.newPage());
  page.setDefaultTimeout(30000);
  const faults = [];
  page.on("pageerror", (error) => faults.push(`error: ${error.stack}`));
  page.on("console", (line) => {
    if (line.type() === "error") faults.push(line.text());
  });
  page.on("request", (request) => {
    if (!request.url().startsWith(new URL(mock.url).origin) && !request.url().startsWith("data:"))
      faults.push(`asked ${request.url()}`);
  });
  await page.goto(mock.url);
  await page.waitForSelector("header");
  // One update, so that live figures are shown and series have grown; then the page has drawn it.
  const tick = async (seconds) => {
    mock.tick(seconds);
    await shown(page, mock);
  };
  const close = async () => {
    await context.close();
    mock.close();
    await rm(profile, { recursive: true, force: true });
  };
  return { page, mock, tick, faults, close };
}

// Waits until the page's clock is the server's.
export async function shown(page, mock) {
  const clock = new Date(mock.cluster.now).toISOString().slice(11, 19);
  await page.waitForFunction(
    (text) => document.querySelector('[data-testid="clock"]').textContent === text,
    clock,
  );
}

export const text = async (locator) => (await locator.innerText()).replace(/\s+/g, " ").trim();

export async function picture(page, name) {
  if (process.env.WINDLASS_SHOTS)
    await page.screenshot({ path: join(process.env.WINDLASS_SHOTS, `${name}.png`) });
}

export async function runAll(words) {
  let passed = 0,
    failed = 0;
  for (const { name, options, run } of tests.filter((one) =>
    words.every((word) => one.name.includes(word)),
  )) {
    const session = await open(options);
    try {
      await run(session);
      const faults = session.faults.filter(
        (fault) => !(options.expected ?? []).some((part) => fault.includes(part)),
      );
      assert.deepEqual(faults, [], "the page's own complaints");
      ++passed;
      console.log(`ok   ${name}`);
    } catch (error) {
      ++failed;
      console.log(`FAIL ${name}\n     ${String(error.stack).replaceAll("\n", "\n     ")}`);
      await picture(session.page, `failed-${failed}`);
    }
    await session.close();
  }
  console.log(`${passed} passed, ${failed} failed`);
  return failed === 0 && passed > 0 ? 0 : 1;
}
