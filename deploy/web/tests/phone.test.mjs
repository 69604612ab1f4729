/** The page on a small phone, several pictures at once, and letters that the reading is unsure of. */
import assert from "node:assert/strict";
import { after, before, describe, test } from "node:test";

import { browser, expected, site } from "./harness.mjs";
import { barriers, count, onDisk, TALL, truth, waitForWord, WORD, words } from "./page.mjs";

const PHONE = { viewport: { width: 320, height: 568 }, hasTouch: true, isMobile: true };
const GREY = "files/grey.png";

let place;
let chrome;

before(async () => {
  place = await site();
  chrome = await browser({ ...PHONE, permissions: ["clipboard-read", "clipboard-write"] });
});

after(async () => {
  await chrome?.close();
  await place?.close();
});

/** A drawn word, as square as a label on a box. */
async function square(page) {
  const bytes = await page.evaluate(async () => {
    const canvas = new OffscreenCanvas(240, 230);
    const context = canvas.getContext("2d");
    context.fillStyle = "#ddd";
    context.fillRect(0, 0, 240, 230);
    context.fillStyle = "#111";
    context.font = "bold 80px sans-serif";
    context.fillText("Box", 40, 140);
    return [...new Uint8Array(await (await canvas.convertToBlob()).arrayBuffer())];
  });
  return { name: "square.png", mimeType: "image/png", buffer: Buffer.from(bytes) };
}

describe("on a phone of 320 pixels", () => {
  test("the camera comes first", async () => {
    const page = await chrome.open(place.url);
    const buttons = await page.locator("#intake .button").allTextContents();
    assert.deepEqual(buttons.slice(0, 2), ["Take a photo", "Choose pictures"]);
    assert.equal(await page.locator("#intake .strong").textContent(), "Take a photo");
    assert.deepEqual(await barriers(page), []);
    await page.close();
  });

  test("the word is seen without scrolling", async () => {
    const page = await chrome.open(place.url);
    for (const [name, file] of [
      [WORD, onDisk(WORD)],
      [TALL, onDisk(TALL)],
      ["square", await square(page)],
    ]) {
      await page.setInputFiles("#file", file);
      await page.locator(".reading .name").waitFor();
      await count(page.locator(".pending"), 0);
      const { y, height } = await page.locator(".reading .name").boundingBox();
      assert.equal(await page.evaluate(() => scrollY), 0);
      assert.ok(y + height <= PHONE.viewport.height, `${name}: the word ends at ${y + height}`);
      const wide = await page.evaluate(() => document.documentElement.scrollWidth);
      assert.ok(wide <= PHONE.viewport.width, `${name}: ${wide} pixels wide`);
    }
    await page.close();
  });

  test("nothing breaks the page's own rules", () => {
    const serious = chrome.complaints.filter((text) => /Content Security Policy|Refused|Uncaught/.test(text));
    assert.deepEqual(serious, []);
  });
});

test("on a desktop choosing comes first", async () => {
  const desktop = await browser({ viewport: { width: 1280, height: 900 } });
  try {
    const page = await desktop.open(place.url);
    assert.equal(await page.locator("#intake .button").first().textContent(), "Choose pictures");
  } finally {
    await desktop.close();
  }
});

test("several pictures: a sign for each with its name, and errors that name the file", async () => {
  const page = await chrome.open(place.url);
  await page.setInputFiles("#file", [onDisk(WORD), onDisk("files/text.png"), onDisk(GREY)]);
  await count(page.locator(".reading"), 3);
  await count(page.locator(".pending"), 0);
  assert.deepEqual(await words(page), [truth(WORD), truth(GREY)]);
  assert.deepEqual(await page.locator(".reading .file").allTextContents(), ["rgb.png", "grey.png"]);
  const failed = page.locator(".reading").nth(1);
  assert.match(await failed.textContent(), /^text\.png: That is not a picture/);
  assert.match(await page.getByRole("alert").textContent(), /^text\.png: That is not a picture/);
  assert.deepEqual(await barriers(page), []);
  await page.getByRole("button", { name: "Copy all" }).click();
  await page.waitForFunction(() => document.getElementById("status").textContent.startsWith("Copied"));
  assert.equal(await page.evaluate(() => navigator.clipboard.readText()), `${truth(WORD)}\n${truth(GREY)}`);
  // Each can be read again and deleted; one picture alone takes the place of all.
  await page.getByRole("button", { name: "Read again grey.png" }).click();
  await count(page.locator(".pending"), 0);
  await page.getByRole("button", { name: "Delete text.png" }).click();
  assert.deepEqual(await words(page), [truth(WORD), truth(GREY)]);
  await page.setInputFiles("#file", onDisk(TALL));
  await waitForWord(page, truth(TALL));
  await count(page.locator(".reading"), 1);
  assert.ok(await page.locator("#several").isHidden());
  await page.close();
});

test("one file that is no picture is named, too", async () => {
  const page = await chrome.open(place.url);
  await page.setInputFiles("#file", onDisk("files/text.png"));
  await page.getByRole("alert").getByText("text.png: That is not a picture").waitFor();
  await page.close();
});

test("of a letter that it is unsure of, the page says what else it may be", async () => {
  const page = await chrome.open(place.url);
  const unsure = Object.entries(expected.words).filter(
    ([, { characters }]) => characters.length > 1 && characters.some(([, confidence]) => confidence < 0.6),
  );
  const sure = Object.entries(expected.words).find(
    ([, { characters }]) => characters.length > 1 && characters.every(([, confidence]) => confidence > 0.95),
  );
  assert.ok(unsure.length >= 3 && sure);
  let told = 0;
  for (const [path] of unsure.slice(0, 6)) {
    await page.setInputFiles("#file", onDisk(path));
    await page.locator(".reading .buttons").waitFor();
    await count(page.locator(".pending"), 0);
    const bars = await page.locator(".bars li").allTextContents();
    const note = (await page.locator(".reading .doubts").allTextContents()).join("");
    // "Not sure: s or n (31 %); i or the end (20 %)"
    for (const [, letter, other, chance] of note.matchAll(/(?:: |; )(\S) or (\S|the end) \((\d+) %\)/g)) {
      const own = bars.filter((text) => text.startsWith(letter)).map((text) => Number(text.match(/(\d+) %/)[1]));
      // The letter is in the word, unsure, and no less probable than what stands beside it.
      assert.ok(
        own.some((share) => share < 80 && share >= Number(chance) - 1),
        `${note} ${bars}`,
      );
      assert.ok(other !== letter && own.some((share) => share + Number(chance) <= 101), note);
      told++;
    }
  }
  assert.ok(told >= 3);
  await page.setInputFiles("#file", onDisk(sure[0]));
  await waitForWord(page, sure[1].text);
  await count(page.locator(".doubts"), 0);
  await page.close();
});
