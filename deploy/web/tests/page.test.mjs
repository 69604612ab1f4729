/** The page in Chromium, as a person uses it. */
import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { browser, expected, site } from "./harness.mjs";
import { barriers, count, onDisk, openPhotograph, TALL, truth, waitForWord, WORD } from "./page.mjs";

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

  test("the first word, from an empty profile", async (t) => {
    const start = performance.now();
    const page = await chrome.open(place.url);
    await page.setInputFiles("#file", onDisk(WORD));
    await waitForWord(page, truth(WORD));
    t.diagnostic(`first word ${((performance.now() - start) / 1000).toFixed(2)} s after the page was asked for`);
    const { confidence, characters } = expected.files[WORD];
    const shown = await page.locator(".bars li").allTextContents();
    assert.deepEqual(
      shown.map((text) => text[0]),
      characters.map(([character]) => character),
    );
    const sure = (await page.locator(".reading .sure").textContent()).match(/^Confidence: (\d+) %$/);
    assert.ok(Math.abs(Number(sure[1]) - confidence * 100) < 3, sure[0]);
    assert.match(await page.locator("#status").textContent(), new RegExp(`The picture: .* sure`));
    // Each bar stands at the place of its character: here no two are so near that they must give way.
    const places = await page
      .locator(".bars li")
      .evaluateAll((items) => items.map((item) => item.style.getPropertyValue("--x")));
    places.forEach((x, i) =>
      assert.ok(Math.abs(Number(x) / 100 - characters[i][2]) < 0.05, `${x} is not ${characters[i][2]}`),
    );
    assert.deepEqual(await barriers(page), []);
    assert.match(await page.locator("#model").textContent(), /spin_\w+ .* \d+ characters and words of up to \d+/);
    await page.close();
  });

  test("a picture without a word is told to be a guess", async () => {
    const page = await chrome.open(place.url);
    const url = await page.evaluate(() => {
      const canvas = Object.assign(document.createElement("canvas"), { width: 200, height: 64 });
      const context = canvas.getContext("2d");
      context.fillStyle = "#fff";
      context.fillRect(0, 0, canvas.width, canvas.height);
      return canvas.toDataURL("image/png");
    });
    const buffer = Buffer.from(url.split(",")[1], "base64");
    await page.setInputFiles("#file", { name: "white.png", mimeType: "image/png", buffer });
    await page.locator(".reading .sure").waitFor();
    const sure = (await page.locator(".reading .sure").textContent()).match(/(\d+) %/);
    // Whatever the model reads in it: the note goes with the confidence that is shown.
    const nothing = await page.locator(".reading .nothing").count();
    const guesses = await page.locator(".reading .note", { hasText: "A guess" }).count();
    assert.ok(Number(sure[1]) !== 10, "10 % may be either");
    assert.equal(guesses, nothing === 0 && Number(sure[1]) < 10 ? 1 : 0);
    await page.close();
  });

  test("choosing, by the keyboard alone", async () => {
    const page = await chrome.open(place.url);
    await page.bringToFront();
    // First of all: what listens for it must reach the browser before the key.
    const chosen = page.waitForEvent("filechooser");
    await page.keyboard.press("Tab");
    assert.equal(await page.evaluate(() => document.activeElement.id), "choose");
    await page.keyboard.press("Enter");
    await (await chosen).setFiles(onDisk(WORD));
    await waitForWord(page, truth(WORD));
    await page.close();
  });

  test("dropping a file", async () => {
    const page = await chrome.open(place.url);
    const session = await page.context().newCDPSession(page);
    const data = { items: [], files: [onDisk(WORD)], dragOperationsMask: 1 };
    for (const type of ["dragEnter", "dragOver"]) {
      await session.send("Input.dispatchDragEvent", { type, x: 300, y: 300, data });
    }
    assert.ok(await page.locator("#drop-veil").isVisible());
    await session.send("Input.dispatchDragEvent", { type: "drop", x: 300, y: 300, data });
    await waitForWord(page, truth(WORD));
    assert.ok(await page.locator("#drop-veil").isHidden());
    await page.close();
  });

  test("pasting a picture, by keyboard and by button; text is no picture", async () => {
    const page = await chrome.open(place.url);
    const copy = (path) =>
      page.evaluate(async (path) => {
        const file = await (await fetch(path)).blob();
        await navigator.clipboard.write([new ClipboardItem({ "image/png": file })]);
      }, path);
    await copy(WORD);
    await page.keyboard.press("Control+V");
    await waitForWord(page, truth(WORD));
    await page.evaluate(() => navigator.clipboard.writeText("no picture"));
    await page.keyboard.press("Control+V");
    await page.getByRole("alert").getByText("There is no picture").waitFor();
    await copy("files/grey.png");
    await page.getByRole("button", { name: "Paste" }).click();
    await waitForWord(page, truth("files/grey.png"));
    await page.locator(".warning").waitFor({ state: "detached" });
    await page.close();
  });

  test("copying the word", async () => {
    const page = await chrome.open(place.url);
    await page.setInputFiles("#file", onDisk(WORD));
    await waitForWord(page, truth(WORD));
    await page.getByRole("button", { name: `Copy ${truth(WORD)}` }).click();
    await page.getByText("Copied", { exact: true }).waitFor();
    assert.equal(await page.evaluate(() => navigator.clipboard.readText()), truth(WORD));
    await page.close();
  });

  test("a tall crop is shown as it was read, turned", async () => {
    const page = await chrome.open(place.url);
    await page.setInputFiles("#file", onDisk(TALL));
    await waitForWord(page, truth(TALL));
    const side = expected.files[TALL].turned > 0 ? "left" : "right";
    await page.getByText(`Read turned ${side} by a quarter`).waitFor();
    const [width, height] = await page.locator(".specimen canvas").evaluate(({ width, height }) => [width, height]);
    assert.ok(width > height);
    await page.close();
  });

  test("what is no picture is named, and the next picture works", async () => {
    const page = await chrome.open(place.url);
    for (const path of ["files/text.png", "files/cut.jpg", "files/empty.png"]) {
      await page.setInputFiles("#file", onDisk(path));
      await page.getByRole("alert").getByText("not a picture").waitFor();
      assert.deepEqual(await barriers(page), []);
      await page.getByRole("alert").getByRole("button", { name: "Close" }).click();
      await count(page.locator(".warning"), 0);
    }
    await page.setInputFiles("#file", onDisk(WORD));
    await waitForWord(page, truth(WORD));
    await page.close();
  });

  test("the example is read right", async () => {
    const page = await chrome.open(place.url);
    await page.getByRole("button", { name: "Try an example" }).click();
    await waitForWord(page, "Bakery");
    await page.close();
  });

  test("without a camera, or refused one, the page says so", async () => {
    const page = await chrome.open(place.url);
    await page.getByRole("button", { name: "Take a photo" }).click();
    await page
      .getByRole("alert")
      .getByText(/camera/)
      .waitFor();
    assert.ok(await page.locator("#camera").isHidden());
    await page.close();
  });

  test("nothing breaks the page's own rules", () => {
    const serious = chrome.complaints.filter((text) => /Content Security Policy|Refused|Uncaught/.test(text));
    assert.deepEqual(serious, []);
  });
});

test("a photograph from the camera", async () => {
  const chrome = await browser({
    flags: ["--use-fake-device-for-media-stream", "--use-fake-ui-for-media-stream"],
    permissions: ["camera"],
  });
  try {
    const page = await chrome.open(place.url);
    await page.getByRole("button", { name: "Take a photo" }).click();
    await page.locator("#camera").waitFor();
    assert.deepEqual(await barriers(page), []);
    await page.getByRole("button", { name: "Take it" }).click();
    await page.locator("#desk").waitFor();
    // Chromium's fake camera gives a real picture; the page reads boxes of it as of any other.
    await page.locator("#picture").evaluate((image) => image.decode());
    const size = await page.locator("#picture").evaluate((image) => image.naturalWidth * image.naturalHeight);
    assert.ok(size >= 640 * 480);
    await page.getByRole("button", { name: "Whole picture" }).click();
    await page.locator(".reading .buttons").waitFor();
    const live = await page.locator("#viewfinder").evaluate((video) => video.srcObject);
    assert.equal(live, null);
  } finally {
    await chrome.close();
  }
});

test("the style keeps its contrast in the dark", async () => {
  const chrome = await browser({ colorScheme: "dark" });
  try {
    const page = await chrome.open(place.url);
    assert.deepEqual(await barriers(page), []);
    await openPhotograph(page);
    await page.getByRole("button", { name: "Add a box" }).click();
    await page.locator(".reading .buttons").waitFor();
    assert.deepEqual(await barriers(page), []);
  } finally {
    await chrome.close();
  }
});

test("nothing on the page comes from elsewhere", async () => {
  const page = await readFile(join(place.folder, "index.html"), "utf8");
  const style = await readFile(join(place.folder, "style.css"), "utf8");
  assert.doesNotMatch(page + style, /https?:/);
});
