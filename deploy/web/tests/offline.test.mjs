/** Without a network, without a model, without WebAssembly; and from one version to the next. */
import assert from "node:assert/strict";
import { rm, writeFile } from "node:fs/promises";
import { join } from "node:path";
import { test } from "node:test";

import { build } from "../build.mjs";
import { serve } from "../serve.mjs";
import { browser, expected, PREPARED, site } from "./harness.mjs";

const WORD = "files/rgb.png";
const onDisk = join(PREPARED, WORD);
const { text } = expected.files[WORD];

/** Runs a test with a page of its own on a browser of its own. */
async function withPage(options, run) {
  const place = await site();
  const chrome = await browser(options);
  try {
    await run({ place, chrome });
  } finally {
    await chrome.close();
    await place.close();
  }
}

async function readWord(page) {
  await page.setInputFiles("#file", onDisk);
  await page.locator(".reading .name .visually-hidden", { hasText: text }).waitFor({ state: "attached" });
}

test("after the first visit the page reads without a network, and without its server", () =>
  withPage({}, async ({ place, chrome }) => {
    const page = await chrome.open(place.url);
    await page.locator("#offline").waitFor();
    await place.stop();
    await chrome.context.setOffline(true);
    await page.reload();
    await readWord(page);
    // By its other address too, and in a new tab.
    const again = await chrome.open(`${place.url}index.html`);
    await readWord(again);
  }));

test("a new version is offered, takes over when asked, and costs only what changed", () =>
  withPage({}, async ({ place, chrome }) => {
    const page = await chrome.open(place.url);
    await page.locator("#offline").waitFor();
    const caches = () =>
      page.evaluate(async () => (await globalThis.caches.keys()).filter((name) => name.startsWith("spin-web")));
    const [old] = await caches();
    await readWord(page);
    await build({ output: place.folder, model: join(PREPARED, "float.tflite") });
    place.log.length = 0;
    await page.reload();
    // The reader goes on with the version that is there.
    await readWord(page);
    await page.getByRole("button", { name: "Use it now" }).waitFor();
    assert.ok(place.log.includes("200 /spin.tflite"), place.log.join());
    assert.ok(!place.log.some((line) => line.includes("litert_wasm")), place.log.join());
    const loaded = page.waitForEvent("load");
    await page.getByRole("button", { name: "Use it now" }).click();
    await loaded;
    await readWord(page);
    const [current, ...others] = await caches();
    assert.notEqual(current, old);
    assert.deepEqual(others, []);
    // What is read with now is the new model, from the cache: its server is gone.
    await place.stop();
    const quantization = await page.evaluate(async () => {
      const { byteLength } = await (await fetch("spin.tflite")).arrayBuffer();
      return byteLength > 10_000_000;
    });
    assert.ok(quantization);
  }));

test("an update that cannot be had whole leaves the old version at work", () =>
  withPage({}, async ({ place, chrome }) => {
    const page = await chrome.open(place.url);
    await page.locator("#offline").waitFor();
    await build({ output: place.folder, model: join(PREPARED, "float.tflite") });
    await rm(join(place.folder, "spin.tflite"));
    const failed = page.evaluate(async () => {
      const registration = await navigator.serviceWorker.ready;
      const found = new Promise((resolve) =>
        registration.addEventListener("updatefound", () => resolve(registration.installing)),
      );
      await registration.update();
      const worker = await found;
      return new Promise((resolve) => {
        worker.addEventListener("statechange", () => worker.state === "redundant" && resolve(worker.state));
      });
    });
    assert.equal(await failed, "redundant");
    await page.reload();
    await readWord(page);
  }));

test("a missing model is named, and read with as soon as it is there", () =>
  withPage({}, async ({ place, chrome }) => {
    const model = join(place.folder, "spin.tflite");
    await rm(model);
    const page = await chrome.open(place.url);
    await page.getByRole("alert").getByText("The model file is missing").waitFor();
    await page.setInputFiles("#file", onDisk);
    await page.locator(".reading", { hasText: "The model file is missing" }).waitFor();
    await writeFile(model, "not a model");
    await page.getByRole("button", { name: "Read again the picture" }).click();
    await page.getByRole("alert").getByText("damaged or of another version").waitFor();
    await build({ output: place.folder });
    await page.getByRole("button", { name: "Read again the picture" }).click();
    await page.locator(".reading .name .visually-hidden", { hasText: text }).waitFor({ state: "attached" });
    assert.equal(await page.locator(".warning").count(), 0);
  }));

// Without its compilers V8 has no WebAssembly either; so it is where people lock their browser down.
test("a browser without WebAssembly is told so", () =>
  withPage({ flags: ["--js-flags=--jitless"] }, async ({ place, chrome }) => {
    const page = await chrome.open(place.url);
    assert.equal(await page.evaluate(() => typeof WebAssembly), "undefined");
    await page.getByRole("alert").getByText("does not run WebAssembly").waitFor();
  }));

test("a host that serves another folder: the recogniser as a module in a page of one's own", () =>
  withPage({}, async ({ place, chrome }) => {
    await writeFile(
      join(place.folder, "own.html"),
      `<!doctype html><title>Own</title><output></output><script type="module">
        import { SpinRecognizer } from "./spin-recognizer.js";
        const recognizer = await SpinRecognizer.load("spin.tflite");
        const word = await recognizer.read(await (await fetch("${WORD}")).blob());
        document.querySelector("output").textContent = word.text;
      </script>`,
    );
    const other = await serve(place.folder);
    const page = await chrome.open(`${other.url}own.html`);
    await page.getByText(text, { exact: true }).waitFor();
    await other.close();
  }));
