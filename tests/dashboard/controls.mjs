// Each control sends the contract's body, and an error is shown at the control.
import assert from "node:assert/strict";
import { picture, test, text } from "./browser.mjs";

const last = async (page, mock, count) => {
  for (let i = 0; i < 100 && mock.controls.length < count; ++i) await page.waitForTimeout(20);
  return mock.controls.at(-1);
};

test("each control sends its body", {}, async ({ page, mock, tick }) => {
  await tick(30);
  let sent = 0;
  const expect = async (body) => {
    assert.deepEqual(await last(page, mock, ++sent), body);
    assert.equal(mock.controls.length, sent);
  };
  await page.getByTestId("pause").click();
  await expect({ pause: true });
  await page.getByRole("button", { name: "Resume" }).click();
  await expect({ pause: false });

  await page.getByRole("button", { name: "Speed" }).click();
  await page.getByRole("button", { name: "300×" }).click();
  await expect({ speed: 300 });
  await page.getByRole("button", { name: "Speed" }).click();
  await page.getByLabel("Other").fill("0.5");
  await page.keyboard.press("Enter");
  await expect({ speed: 0.5 });

  await page.getByRole("button", { name: "Traffic ×1" }).click();
  await page.getByRole("button", { name: "2×", exact: true }).click();
  await expect({ traffic_factor: 2 });
  await page.getByRole("button", { name: "Traffic ×2" }).waitFor();

  await page.getByRole("button", { name: "Burst" }).click();
  await page.getByLabel("Times").fill("4");
  await page.locator(".sheet select").selectOption("60");
  await page.getByRole("button", { name: "Start" }).click();
  await expect({ burst: { factor: 4, seconds: 60 } });

  await page.getByRole("button", { name: "No capacity" }).click();
  await page.getByRole("combobox", { name: "Type" }).fill("g6.xlarge");
  await page.getByRole("button", { name: "Block", exact: true }).click();
  await expect({ block_capacity: { instance_type: "g6.xlarge", seconds: 600 } });
  await page.getByRole("button", { name: "No capacity" }).click();
  await page.getByRole("combobox", { name: "Type" }).fill("g5.12xlarge");
  await page.locator(".sheet select").selectOption("");
  await page.getByRole("button", { name: "Block", exact: true }).click();
  await expect({ block_capacity: { instance_type: "g5.12xlarge" } });

  await page.getByRole("button", { name: "Prometheus outage" }).click();
  await page.getByRole("button", { name: "Start" }).click();
  await expect({ prometheus_outage: { seconds: 300 } });

  await page.getByText("Prometheus down until").waitFor();
  const force = await text(page.getByRole("list", { name: "In force" }));
  for (const part of [
    "burst until",
    "Prometheus down until",
    "no g6.xlarge until",
    "no g5.12xlarge until unblocked",
  ])
    assert.ok(force.includes(part), force);
  await picture(page, "in-force");
  await page.getByRole("button", { name: "Unblock g6.xlarge" }).click();
  await expect({ unblock_capacity: "g6.xlarge" });
  await page.getByRole("button", { name: "Unblock g6.xlarge" }).waitFor({ state: "detached" });
});

test(
  "a spot node is interrupted from its details, after a second press",
  {},
  async ({ page, mock, tick }) => {
    await tick(30);
    const spot = [...mock.cluster.nodes.values()].find((node) => node.capacity_type === "spot");
    await page.getByRole("searchbox", { name: "Filter the nodes" }).fill(spot.name);
    await page.locator(`[data-node="${spot.name}"]`).click();
    await page.getByTestId("interrupt").click();
    assert.equal(mock.controls.length, 0);
    await page.getByTestId("interrupt-sure").click();
    assert.deepEqual(await last(page, mock, 1), { interrupt_node: spot.name });
    await page.getByTestId("details").getByText("draining", { exact: true }).first().waitFor();
    assert.ok(await page.getByRole("button", { name: "Interrupt spot instance" }).isDisabled());
  },
);

test(
  "an on-demand node cannot be interrupted, and the page says why",
  {},
  async ({ page, mock, tick }) => {
    await tick(30);
    const node = [...mock.cluster.nodes.values()].find((one) => one.capacity_type === "on-demand");
    await page.getByRole("searchbox", { name: "Filter the nodes" }).fill(node.name);
    await page.locator(`[data-node="${node.name}"]`).click();
    assert.ok(await page.getByRole("button", { name: "Interrupt spot instance" }).isDisabled());
    assert.match(await text(page.getByTestId("details")), /Only spot capacity is interrupted/);
  },
);

test(
  "an error is shown at the control that caused it",
  { expected: ["400"] },
  async ({ page, mock, tick }) => {
    await tick(30);
    await page.getByRole("button", { name: "No capacity" }).click();
    const sheet = page.getByRole("dialog", { name: "No capacity for a type" });
    await page.getByRole("combobox", { name: "Type" }).fill("g9.huge");
    await sheet.getByRole("button", { name: "Block" }).click();
    assert.equal(await text(sheet.getByRole("alert")), 'unknown instance type "g9.huge"');
    await picture(page, "control-error");
    await page.keyboard.press("Escape");
    await sheet.waitFor({ state: "detached" });
    mock.refuse = "the world has ended";
    await page.getByTestId("pause").click();
    assert.equal(await text(page.locator(".time").getByRole("alert")), "the world has ended");
    const spot = [...mock.cluster.nodes.values()].find((node) => node.capacity_type === "spot");
    await page.locator(`[data-node="${spot.name}"]`).click();
    await page.getByTestId("interrupt").click();
    await page.getByTestId("interrupt-sure").click();
    assert.equal(await text(page.locator(".danger").getByRole("alert")), "the world has ended");
  },
);
