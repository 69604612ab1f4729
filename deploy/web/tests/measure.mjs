/** How long the first word and the following ones take, on localhost: npm run measure (after make test_web). */
import { join } from "node:path";

import { browser, expected, PREPARED, site } from "./harness.mjs";

const VISITS = 5;
const WORD = "files/rgb.png";

const place = await site();
const first = [];
const parts = [];
for (let visit = 0; visit < VISITS; visit++) {
  const chrome = await browser();
  const start = performance.now();
  const page = await chrome.open(place.url);
  await page.setInputFiles("#file", join(PREPARED, WORD));
  await page.locator(".reading .name").waitFor();
  first.push(performance.now() - start);
  await page.evaluate(() => navigator.serviceWorker.ready);
  const again = performance.now();
  await page.reload();
  await page.setInputFiles("#file", join(PREPARED, WORD));
  await page.locator(".reading .name").waitFor();
  parts.push(performance.now() - again);
  await chrome.close();
}
const chrome = await browser();
const page = await chrome.open(place.url);
const words = await page.evaluate(async (paths) => {
  const { SpinRecognizer, decodeImage } = await import("./spin-recognizer.js");
  const recognizer = await SpinRecognizer.load("spin.tflite");
  const files = await Promise.all(paths.map(async (path) => (await fetch(path)).blob()));
  const times = [];
  for (const file of files) {
    const start = performance.now();
    const image = await decodeImage(file);
    const decoded = performance.now();
    await recognizer.read(image);
    times.push([performance.now() - start, performance.now() - decoded]);
    image.close();
  }
  return times;
}, Object.keys(expected.words));
await chrome.close();
await place.close();

const quantile = (values, part) => [...values].sort((a, b) => a - b)[Math.floor(part * (values.length - 1))];
const show = (name, values) =>
  console.log(
    `${name}: ${quantile(values, 0.5).toFixed(1)} ms (p50), ${quantile(values, 0.95).toFixed(1)} ms (p95), ${values.length} times`,
  );
show("first word of a first visit", first);
show("first word of a later visit, from the cache", parts);
show(
  "a word, from its file",
  words.map(([whole]) => whole),
);
show(
  "a word, decoded already",
  words.map(([, read]) => read),
);
