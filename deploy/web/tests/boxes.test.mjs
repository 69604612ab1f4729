/** Boxes on a photograph: by mouse, keyboard and finger. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { devices } from "playwright-core";

import { browser, site } from "./harness.mjs";
import { barriers, count, openPhotograph, truth, waitForWord, WORD, words } from "./page.mjs";

let place;

before(async () => {
  place = await site();
});

after(() => place?.close());

describe("on a desktop", () => {
  let chrome;

  before(async () => {
    chrome = await browser({
      viewport: { width: 1280, height: 900 },
      permissions: ["clipboard-read", "clipboard-write"],
    });
  });

  after(() => chrome?.close());

  test("boxes by mouse: drawn, moved, sized, read again, deleted, all copied", async () => {
    const page = await chrome.open(place.url);
    const [first, second] = await openPhotograph(page);
    const drag = async (from, to) => {
      await page.mouse.move(from.x, from.y);
      await page.mouse.down();
      await page.mouse.move((from.x + to.x) / 2, (from.y + to.y) / 2);
      await page.mouse.move(to.x, to.y);
      await page.mouse.up();
    };
    await drag(first.from, first.to);
    await waitForWord(page, truth(WORD));
    // A box that lies wrong, put right: moved by its middle, then sized by its corner.
    const off = { x: second.from.x + 60, y: second.from.y - 40 };
    await drag(off, { x: off.x + 200, y: off.y + 80 });
    await drag({ x: off.x + 100, y: off.y + 40 }, { x: second.from.x + 100, y: second.from.y + 40 });
    await drag({ x: second.from.x + 200, y: second.from.y + 80 }, second.to);
    await page.locator('.box[aria-label^="Box 2"]').getByText(truth(WORD)).waitFor();
    assert.deepEqual(await words(page), [truth(WORD), truth(WORD)]);
    // A tap is no box.
    await page.mouse.click(first.to.x + 30, first.to.y + 20);
    await count(page.locator(".box"), 2);
    await page.getByRole("button", { name: "Copy all" }).click();
    await page.locator("#status", { hasText: "Copied" }).waitFor({ state: "attached" });
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `${truth(WORD)}\n${truth(WORD)}`);
    await page.getByRole("button", { name: "Read again box 1" }).click();
    await page.locator("#status", { hasText: "Box 1:" }).waitFor({ state: "attached" });
    assert.deepEqual(await barriers(page), []);
    await page.getByRole("button", { name: "Delete box 1" }).click();
    await count(page.locator(".box"), 1);
    await count(page.locator(".reading"), 1);
    await page.close();
  });

  test("boxes by keyboard: added, moved, sized, read, deleted", async () => {
    const page = await chrome.open(place.url);
    await openPhotograph(page);
    await page.getByRole("button", { name: "Add a box" }).focus();
    await page.keyboard.press("Enter");
    const box = page.locator(".box");
    const at = () => box.evaluate(({ style }) => [style.left, style.top, style.width, style.height].map(parseFloat));
    assert.ok(await box.evaluate((element) => element === document.activeElement));
    await page.locator(".reading .buttons").waitFor();
    const before = await at();
    for (const key of ["ArrowLeft", "ArrowUp", "Shift+ArrowRight", "Shift+ArrowDown"]) {
      await page.keyboard.press(key);
    }
    const later = await at();
    assert.ok(later[0] < before[0] && later[1] < before[1] && later[2] > before[2] && later[3] > before[3]);
    // At the edge it stays inside.
    for (let i = 0; i < 60; i++) {
      await page.keyboard.press("ArrowLeft");
    }
    assert.equal((await at())[0], 0);
    // Then all the way round the first word, from the middle where a box begins: 480 x 160 pixels in steps of 15.
    await page.keyboard.press("Delete");
    await page.getByRole("button", { name: "Add a box" }).press("Enter");
    const way = { ArrowLeft: 11, ArrowUp: 15, "Shift+ArrowRight": 12, "Shift+ArrowDown": 5 };
    for (const [key, times] of Object.entries(way)) {
      for (let i = 0; i < times; i++) {
        await page.keyboard.press(key);
      }
    }
    await page.keyboard.press("Enter");
    await page.locator(".box").getByText(truth(WORD)).waitFor();
    await page.locator("#status", { hasText: `Box 2: ${truth(WORD)}` }).waitFor({ state: "attached" });
    await page.keyboard.press("Delete");
    await count(page.locator(".box"), 0);
    assert.ok(await page.locator("#add-box").evaluate((element) => element === document.activeElement));
    await page.close();
  });
});

test("on a phone, boxes by finger", async () => {
  const chrome = await browser({ ...devices["Pixel 7"] });
  try {
    const page = await chrome.open(place.url);
    const [first, second] = await openPhotograph(page);
    const session = await page.context().newCDPSession(page);
    const stroke = async ({ from, to }) => {
      const middle = { x: (from.x + to.x) / 2, y: (from.y + to.y) / 2 };
      await session.send("Input.dispatchTouchEvent", { type: "touchStart", touchPoints: [from] });
      await session.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: [middle] });
      await session.send("Input.dispatchTouchEvent", { type: "touchMove", touchPoints: [to] });
      await session.send("Input.dispatchTouchEvent", { type: "touchEnd", touchPoints: [] });
    };
    await stroke(first);
    await waitForWord(page, truth(WORD));
    await stroke(second);
    await page.locator('.box[aria-label^="Box 2: "]').getByText(truth(WORD)).waitFor();
    const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
    assert.ok(overflow <= 0, `${overflow} pixels too wide`);
    assert.deepEqual(await barriers(page), []);
    // Not a tap: on a busy machine that takes as long as a press that means something else.
    await page.getByRole("button", { name: "Delete box 2" }).click();
    await count(page.locator(".box"), 1);
  } finally {
    await chrome.close();
  }
});
