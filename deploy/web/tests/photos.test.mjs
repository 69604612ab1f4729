/** Words found on photographs, not boxed by hand: the rectangles of spin_tf, and the page that reads them. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { after, before, describe, test } from "node:test";

import { devices } from "playwright-core";

import { browser, photos, PREPARED, site } from "./harness.mjs";
import { barriers, count, words } from "./page.mjs";

const onDisk = (name) => join(PREPARED, "photos", name);
const DARK = onDisk("dark.tflite");
const real = Object.entries(photos.real);

/** How far the corners of two lists of places are apart at most, in pixels, and their scores. */
function apart(ours, theirs) {
  assert.equal(ours.length, theirs.length);
  const furthest = (values) => Math.max(0, ...values.map(Math.abs));
  return {
    corners: furthest(ours.flatMap(({ corners }, i) => corners.map((value, k) => value - theirs[i][0][k]))),
    scores: furthest(ours.map(({ score }, i) => score - theirs[i][1])),
  };
}

describe("the detector module", () => {
  let place;
  let chrome;
  let page;

  before(async () => {
    place = await site();
    chrome = await browser();
    page = await chrome.open(place.url);
  });

  after(async () => {
    await chrome?.close();
    await place?.close();
  });

  const find = (detector, picture) =>
    page.evaluate(
      async ({ detector, picture }) => {
        const { SpinDetector, decodeImage } = await import("./spin-recognizer.js");
        const finder = await SpinDetector.load(detector);
        const image = await decodeImage(await (await fetch(picture)).blob());
        const start = performance.now();
        const places = await finder.find(image);
        const milliseconds = performance.now() - start;
        finder.dispose();
        return { places, milliseconds };
      },
      { detector: `photos/${detector}`, picture: `photos/${picture}` },
    );

  test("rectangles of a map are those of spin_tf to the last digits", async () => {
    let compared = 0;
    for (const { values, height, width, places } of photos.maps) {
      for (const border of [0, 7]) {
        const ours = await page.evaluate(
          async ([values, height, width, border]) =>
            (await import("./internals.js")).rectangles(values, height, width, border),
          [values, height, width, border],
        );
        const { corners, scores } = apart(ours, places);
        assert.ok(corners < 1e-9 && scores < 1e-9, `${corners} pixels, ${scores}`);
        compared += places.length;
      }
    }
    assert.ok(compared > 20, `${compared}`);
  });

  test("a photograph is resized as spin_tf resizes it, to the bit", async () => {
    const { rows, columns, size, values } = photos.letterbox;
    const ours = await page.evaluate(
      async ([rows, columns, size]) =>
        (await import("./internals.js")).detectorInput("photos/drawn.png", rows, columns, size),
      [rows, columns, size],
    );
    assert.equal(ours.length, values.length);
    assert.equal(
      ours.findIndex((value, i) => value !== values[i]),
      -1,
    );
  });

  test("words are found where spin_tf finds them", async () => {
    const { places } = await find("dark.tflite", "drawn.png");
    const { corners, scores } = apart(places, photos.drawn.places);
    assert.ok(corners < 0.01 && scores < 1e-4, `${corners} pixels, ${scores}`);
    assert.equal(places.length, photos.lines.flat().length);
  });

  test("pictures of other shapes, at once and in turns, and none after the end", async () => {
    const found = await page.evaluate(async () => {
      const { SpinDetector, decodeImage } = await import("./spin-recognizer.js");
      const finder = await SpinDetector.load("photos/dark.tflite");
      const flat = await decodeImage(await (await fetch("photos/drawn.png")).blob());
      const canvas = new OffscreenCanvas(flat.width, 2 * flat.height);
      canvas.getContext("2d").fillStyle = "#e4e2d6";
      canvas.getContext("2d").fillRect(0, 0, canvas.width, canvas.height);
      canvas.getContext("2d").drawImage(flat, 0, flat.height);
      const tall = await createImageBitmap(canvas);
      const counts = (await Promise.all([flat, tall, flat, flat, tall].map((one) => finder.find(one)))).map(
        (places) => places.length,
      );
      finder.dispose();
      const after = await finder.find(flat).catch(({ code }) => code);
      return { counts, after };
    });
    assert.equal(found.after, "disposed");
    const [flat, tall, ...others] = found.counts;
    assert.equal(flat, photos.lines.flat().length);
    assert.ok(tall > 0);
    assert.deepEqual(others, [flat, flat, tall]);
  });

  // Where the research data lie beside the clone.
  for (const [name, { places: theirs }] of real) {
    test(`the words of ${name} are found where spin_tf finds them, with a real detector`, async (t) => {
      const { places, milliseconds } = await find("real.tflite", name);
      const { corners, scores } = apart(places, theirs);
      t.diagnostic(`${places.length} words, ${corners.toFixed(3)} pixels apart, ${milliseconds.toFixed(0)} ms`);
      // One pixel of the map that rounding takes for a word or not moves a corner by some pixels.
      assert.ok(corners < 4 && scores < 0.02, `${corners} pixels, ${scores}`);
    });
  }

  test("what is no detector is refused, and says so", async () => {
    const refused = (model) =>
      page.evaluate(async (model) => {
        const { SpinDetector } = await import("./spin-recognizer.js");
        return SpinDetector.load(model).then(
          () => "taken",
          ({ code, message }) => `${code}: ${message}`,
        );
      }, model);
    assert.match(await refused("spin.tflite"), /^model_invalid: .* is that of a model, no detector/);
    assert.match(await refused("style.css"), /^model_invalid: .*bin\/convert_detector.py writes them/);
    assert.match(await refused("absent.tflite"), /^model_missing: /);
    const model = await page.evaluate(async () => {
      const { SpinRecognizer } = await import("./spin-recognizer.js");
      return SpinRecognizer.load("photos/dark.tflite").catch(({ message }) => message);
    });
    assert.match(model, /is that of a detector, which finds words and reads none/);
  });
});

/** The words on the page in its order. */
async function waitForWords(page, expected) {
  await page.locator("#found", { hasText: `${expected.length} words found` }).waitFor({ timeout: 60_000 });
  assert.deepEqual(await words(page), expected);
}

for (const [device, options] of [
  ["a desktop", { viewport: { width: 1280, height: 900 }, permissions: ["clipboard-read", "clipboard-write"] }],
  ["a phone", { ...devices["Pixel 7"], permissions: ["clipboard-read", "clipboard-write"] }],
]) {
  test(`on ${device}, with a detector beside the model: found, read, in order, corrected, copied, offline`, async () => {
    const place = await site({ detector: DARK });
    const chrome = await browser(options);
    try {
      const page = await chrome.open(place.url);
      await page.locator("#offline").waitFor();
      await place.stop();
      await chrome.context.setOffline(true);
      await page.reload();
      await page.setInputFiles("#file", onDisk("drawn.png"));
      await waitForWords(page, photos.lines.flat());
      await count(page.locator(".box"), photos.lines.flat().length);
      assert.deepEqual(await barriers(page), []);
      // The tilted word's box is tilted as it is.
      const turned = await page.locator(".box").evaluateAll((boxes) => boxes.map((box) => box.style.transform));
      const degrees = (Number(turned.at(-1).match(/rotate\((.*)rad\)/)[1]) * 180) / Math.PI;
      assert.ok(Math.abs(degrees + 14) < 3, `${turned.at(-1)}`);
      assert.ok(turned.slice(0, -1).every((one) => Math.abs(Number(one.match(/rotate\((.*)rad\)/)[1])) < 0.15));
      await page.getByRole("button", { name: "Copy all" }).click();
      await page.locator("#status", { hasText: "Copied" }).waitFor({ state: "attached" });
      const copied = await page.evaluate(() => navigator.clipboard.readText());
      assert.equal(copied, photos.lines.map((line) => line.join(" ")).join("\n"));
      // Read again, it is the same word of the same place; moved, it is an upright box as a drawn one.
      const last = photos.lines.flat().length;
      await page.getByRole("button", { name: `Read again box ${last}` }).click();
      await page
        .locator("#status", { hasText: `Box ${last}: ${photos.lines.at(-1)[0]}` })
        .waitFor({ state: "attached" });
      await page.locator(`.box[data-id="${last}"]`).press("ArrowDown");
      assert.equal(await page.locator(`.box[data-id="${last}"]`).evaluate((box) => box.style.transform), "");
      await page.getByRole("button", { name: "Delete box 1", exact: true }).click();
      await count(page.locator(".box"), last - 1);
      const overflow = await page.evaluate(() => document.documentElement.scrollWidth - innerWidth);
      assert.ok(overflow <= 0, `${overflow} pixels too wide`);
    } finally {
      await chrome.close();
      await place.close();
    }
  });
}

test("a detector given by the reader finds words from then on, on later visits and offline too", async () => {
  const place = await site();
  const chrome = await browser({ viewport: { width: 1280, height: 900 } });
  try {
    const page = await chrome.open(place.url);
    await page.locator("#offline").waitFor();
    await page.setInputFiles("#file", onDisk("drawn.png"));
    await page.getByRole("button", { name: "Let words be found" }).waitFor();
    await page.setInputFiles("#detector-file", onDisk("drawn.png"));
    await page.getByRole("alert").getByText("damaged or of another version").waitFor();
    await page.setInputFiles("#detector-file", DARK);
    await waitForWords(page, photos.lines.flat());
    assert.ok(await page.locator("#give-detector").isHidden());
    assert.equal(await page.locator(".warning").count(), 0);
    await place.stop();
    await chrome.context.setOffline(true);
    await page.reload();
    await page.setInputFiles("#file", onDisk("drawn.png"));
    await waitForWords(page, photos.lines.flat());
  } finally {
    await chrome.close();
    await place.close();
  }
});

test("another picture while words are looked for: only its own words appear", async () => {
  const place = await site({ detector: DARK });
  const chrome = await browser({ viewport: { width: 1280, height: 900 } });
  try {
    const page = await chrome.open(place.url);
    await page.setInputFiles("#file", onDisk("drawn.png"));
    await page.locator("#found", { hasText: /Looking|Reading/ }).waitFor();
    await page.setInputFiles("#file", onDisk("drawn.png"));
    await waitForWords(page, photos.lines.flat());
    await count(page.locator(".box"), photos.lines.flat().length);
  } finally {
    await chrome.close();
    await place.close();
  }
});

if (real.length > 0) {
  test("a phone's photographs, offline, with a real detector: the words that spin_tf reads", async (t) => {
    const place = await site({ detector: onDisk("real.tflite") });
    const chrome = await browser({ ...devices["Pixel 7"] });
    try {
      const page = await chrome.open(place.url);
      await page.locator("#offline").waitFor();
      await place.stop();
      await chrome.context.setOffline(true);
      let same = 0;
      let all = 0;
      const missing = [];
      for (const [name, { words: theirs }] of real) {
        const start = performance.now();
        await page.setInputFiles("#file", onDisk(name));
        await page.locator("#found", { hasText: "found." }).waitFor({ timeout: 60_000 });
        const ours = await words(page);
        t.diagnostic(`${name}: ${ours.join(" ")} in ${((performance.now() - start) / 1000).toFixed(1)} s`);
        all += Math.max(ours.length, theirs.length);
        for (const [text, confidence] of theirs) {
          const at = ours.indexOf(text);
          if (at >= 0) {
            ours.splice(at, 1);
            same += 1;
          } else if (confidence >= 0.9) {
            missing.push(text);
          }
        }
        // Gone with the next picture, which must not take these words for its own.
        await page.reload();
      }
      // Pixels differ by rounding: of what neither is sure, other words may come, or none.
      assert.deepEqual(missing, []);
      assert.ok(all >= real.length && same >= 0.85 * all, `${same} of ${all} words the same`);
    } finally {
      await chrome.close();
      await place.close();
    }
  });
}
