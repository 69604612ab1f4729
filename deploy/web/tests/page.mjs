/** What the tests of the page share. */
import assert from "node:assert/strict";
import { join } from "node:path";

import axe from "axe-core";

import { expected, PREPARED } from "./harness.mjs";

export const WORD = "files/rgb.png";
export const TALL = "files/tall.png";
export const onDisk = (path) => join(PREPARED, path);
export const truth = (path) => expected.files[path].text;

/** The words on the page, the newest first. */
export const words = (page) => page.locator(".reading .name .visually-hidden").allTextContents();

export const waitForWord = (page, text) =>
  page.locator(".reading .name .visually-hidden", { hasText: text }).first().waitFor({ state: "attached" });

/** Waits until there are so many of them. */
export async function count(locator, number) {
  for (let i = 0; i < 100 && (await locator.count()) !== number; i++) {
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  assert.equal(await locator.count(), number);
}

/** What a screen reader would have to complain about, on the page as it is. */
export async function barriers(page) {
  await page.evaluate(axe.source);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  return violations.map(({ id, nodes }) => `${id}: ${nodes.map(({ html }) => html).join(" ")}`);
}

/** A photograph of two words, made of the test's own pictures: { file, boxes } with boxes in parts of its sides. */
async function photograph(page) {
  const bytes = await page.evaluate(
    async (paths) => {
      const canvas = new OffscreenCanvas(1200, 900);
      const context = canvas.getContext("2d");
      context.fillStyle = "#777";
      context.fillRect(0, 0, 1200, 900);
      for (const [i, path] of paths.entries()) {
        const image = await createImageBitmap(await (await fetch(path)).blob());
        context.drawImage(image, 200, 150 + 400 * i, 655, 235);
      }
      const file = await canvas.convertToBlob({ type: "image/png" });
      return [...new Uint8Array(await file.arrayBuffer())];
    },
    [WORD, "files/grey.png"],
  );
  const box = (top) => ({ left: 200 / 1200, right: 855 / 1200, top: top / 900, bottom: (top + 235) / 900 });
  return {
    file: { name: "photograph.png", mimeType: "image/png", buffer: Buffer.from(bytes) },
    boxes: [box(150), box(550)],
  };
}

export async function openPhotograph(page) {
  const { file, boxes } = await photograph(page);
  await page.setInputFiles("#file", file);
  await page.locator("#desk").waitFor();
  await page.locator("#picture").evaluate((image) => image.decode());
  await page.locator("#stage").scrollIntoViewIfNeeded();
  const frame = await page.locator("#boxes").boundingBox();
  return boxes.map(({ left, right, top, bottom }) => ({
    from: { x: frame.x + left * frame.width, y: frame.y + top * frame.height },
    to: { x: frame.x + right * frame.width, y: frame.y + bottom * frame.height },
  }));
}
