/** What pages of others hand to the recogniser, and the page opened as a file. */
import assert from "node:assert/strict";
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import { after, before, test } from "node:test";
import { pathToFileURL } from "node:url";

import { browser, expected, site } from "./harness.mjs";

const WORD = "files/rgb.png";

let place;
let other;
let chrome;
let page;

before(async () => {
  place = await site();
  // Another origin, which allows nobody to look at its pictures.
  other = await site();
  chrome = await browser();
  // Without the policy of the page, which lets no picture of elsewhere in.
  await writeFile(join(place.folder, "bare.html"), "<!doctype html><title>bare</title><body></body>");
  page = await chrome.open(new URL("bare.html", place.url).href);
});

after(async () => {
  await chrome?.close();
  await place?.close();
  await other?.close();
});

test("elements and frames are read from their own pixels, whatever their size on the page", async () => {
  const words = await page.evaluate(async (path) => {
    const { SpinRecognizer } = await import("./spin-recognizer.js");
    const recognizer = await SpinRecognizer.load("spin.tflite");
    const blob = await (await fetch(path)).blob();
    const words = { blob: await recognizer.read(blob) };
    const image = new Image();
    image.src = path;
    await image.decode();
    words.unattached = await recognizer.read(image);
    document.body.append(image);
    for (const width of [image.naturalWidth, 31, 3 * image.naturalWidth]) {
      image.width = width;
      words[`img ${width}`] = await recognizer.read(image);
    }
    image.style.cssText = "width: 7px; height: 300px; object-fit: cover; transform: scale(2)";
    words.styled = await recognizer.read(image);
    const canvas = document.createElement("canvas");
    const { naturalWidth: width, naturalHeight: height } = image;
    [canvas.width, canvas.height] = [width, height];
    canvas.style.width = "20px";
    const context = canvas.getContext("2d");
    context.drawImage(image, 0, 0);
    document.body.append(canvas);
    words.canvas = await recognizer.read(canvas);
    const offscreen = new OffscreenCanvas(width, height);
    offscreen.getContext("2d").drawImage(image, 0, 0);
    words.offscreen = await recognizer.read(offscreen);
    const { data } = context.getImageData(0, 0, width, height);
    words.lookalike = await recognizer.read({ data: new Uint8Array(data), width, height });
    // An image of another window has classes of its own.
    const frame = document.createElement("iframe");
    document.body.append(frame);
    const inner = new frame.contentWindow.Image();
    inner.src = new URL(path, location.href).href;
    await inner.decode();
    words.otherWindow = await recognizer.read(inner);
    words.otherBlob = await recognizer.read(new frame.contentWindow.Blob([await blob.arrayBuffer()]));
    const box = { x: 0, y: 0, width, height };
    words.boxed = await recognizer.read(image, { box });
    words.noBox = await recognizer.read(image, { box: null });
    words.nullOptions = await recognizer.read(image, null);
    recognizer.dispose();
    return words;
  }, WORD);
  assert.equal(words.blob.text, expected.files[WORD].text);
  for (const [name, word] of Object.entries(words)) {
    assert.deepEqual(word, words.blob, name);
  }
});

test("frames of a video", async () => {
  const texts = await page.evaluate(async (path) => {
    const { SpinRecognizer } = await import("./spin-recognizer.js");
    const recognizer = await SpinRecognizer.load("spin.tflite");
    const bitmap = await createImageBitmap(await (await fetch(path)).blob());
    // Sides of a frame are even.
    const canvas = document.createElement("canvas");
    [canvas.width, canvas.height] = [2 * Math.ceil(bitmap.width / 2), 2 * Math.ceil(bitmap.height / 2)];
    const context = canvas.getContext("2d");
    context.fillRect(0, 0, canvas.width, canvas.height);
    context.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
    const frame = new VideoFrame(canvas, { timestamp: 0 });
    const texts = [(await recognizer.read(canvas)).text, (await recognizer.read(frame)).text];
    frame.close();
    const video = document.createElement("video");
    video.muted = true;
    video.srcObject = canvas.captureStream(30);
    video.width = 9;
    document.body.append(video);
    const ticking = setInterval(() => context.drawImage(bitmap, 0, 0, canvas.width, canvas.height), 30);
    await video.play();
    await new Promise((resolve) => video.requestVideoFrameCallback(resolve));
    texts.push((await recognizer.read(video)).text);
    clearInterval(ticking);
    recognizer.dispose();
    return texts;
  }, WORD);
  assert.equal(texts[0], expected.files[WORD].text);
  assert.deepEqual(texts, Array(3).fill(texts[0]));
});

test("everything else is bad_argument, and says what was received", async () => {
  const answers = await page.evaluate(
    async ([path, elsewhere]) => {
      const { SpinRecognizer, decodeImage } = await import("./spin-recognizer.js");
      const recognizer = await SpinRecognizer.load("spin.tflite");
      const blob = await (await fetch(path)).blob();
      const bytes = await blob.arrayBuffer();
      const closed = await createImageBitmap(blob);
      const open = await createImageBitmap(blob);
      const canvas = new OffscreenCanvas(32, 32);
      canvas.getContext("2d");
      const frame = new VideoFrame(canvas, { timestamp: 0 });
      closed.close();
      frame.close();
      const broken = new Image();
      broken.src = "absent.png";
      await broken.decode().catch(() => {});
      const foreign = new Image();
      foreign.src = elsewhere;
      await foreign.decode();
      const moved = new ImageData(20, 20);
      structuredClone(moved.data.buffer, { transfer: [moved.data.buffer] });
      const cases = {
        address: path,
        dataAddress: `data:image/png;base64,${"A".repeat(5000)}`,
        url: new URL(path, location.href),
        null: null,
        undefined,
        number: 7,
        big: 7n,
        symbol: Symbol("x"),
        function: () => 0,
        array: [blob],
        promise: Promise.resolve(blob),
        buffer: bytes,
        bytes: new Uint8Array(bytes),
        response: new Response(blob),
        object: {},
        div: document.createElement("div"),
        emptyCanvas: new OffscreenCanvas(0, 5),
        closed,
        frame,
        video: document.createElement("video"),
        broken,
        foreign,
        moved,
        short: { data: new Uint8ClampedArray(10), width: 117, height: 52 },
        floats: { data: new Float32Array(4 * 20 * 20), width: 20, height: 20 },
        plainArray: { data: Array(4 * 20 * 20).fill(1), width: 20, height: 20 },
        halfSides: { data: new Uint8ClampedArray(4 * 5), width: 2.5, height: 2 },
        noData: { data: null, width: 2, height: 2 },
      };
      const answers = {};
      const ask = async (name, promise) => {
        answers[name] = await promise.then(
          () => ["fine"],
          (error) => [error.name, error.code, error.message],
        );
      };
      for (const [name, value] of Object.entries(cases)) await ask(name, recognizer.read(value));
      const loading = new Image();
      loading.src = `${path}?later`;
      await ask("loading", recognizer.read(loading));
      const boxes = {
        texts: { x: "0", y: 0, width: 5, height: 5 },
        bigs: { x: 0n, y: 0n, width: 5n, height: 5n },
        number: 5,
      };
      for (const [name, box] of Object.entries(boxes)) await ask(`box ${name}`, recognizer.read(open, { box }));
      await ask("decodeImage", decodeImage("word.png"));
      await ask("decodeImage null", decodeImage(null));
      await ask("vast", recognizer.read({ data: new Uint8Array(4), width: 9000, height: 9000 }));
      recognizer.dispose();
      return answers;
    },
    [WORD, new URL(WORD, other.url).href],
  );
  assert.deepEqual(answers.vast.slice(0, 2), ["SpinError", "image_too_large"]);
  delete answers.vast;
  for (const [name, [kind, code, message]] of Object.entries(answers)) {
    assert.deepEqual([kind, code], ["SpinError", "bad_argument"], `${name}: ${message}`);
    assert.match(message, /Received: /, name);
    assert.ok(message.length < 400, name);
  }
  assert.match(answers.address[2], /fetch\(address\)/);
  assert.match(answers.buffer[2], /new Blob/);
  assert.match(answers.loading[2], /image\.decode\(\)/);
  assert.match(answers.foreign[2], /CORS/);
});

test("dispose while words are read", async () => {
  const answers = await page.evaluate(async (path) => {
    const { SpinRecognizer } = await import("./spin-recognizer.js");
    const recognizer = await SpinRecognizer.load("spin.tflite");
    const blob = await (await fetch(path)).blob();
    const bitmap = await createImageBitmap(blob);
    const running = [blob, bitmap, "no image", blob].map((image) =>
      recognizer.read(image).then(
        ({ text }) => text,
        ({ code }) => code,
      ),
    );
    recognizer.dispose();
    recognizer.dispose();
    const late = recognizer.read(blob).catch(({ name, code }) => `${name} ${code}`);
    return [...(await Promise.all(running)), await late];
  }, WORD);
  const { text } = expected.files[WORD];
  assert.deepEqual(answers, [text, text, "bad_argument", text, "SpinError disposed"]);
});

test("opened as a file, the page says why nothing works", async () => {
  const context = await chrome.context.newPage();
  await context.goto(pathToFileURL(join(place.folder, "index.html")).href);
  const note = context.locator("#not-started");
  await note.waitFor({ state: "visible", timeout: 10_000 });
  assert.match(await note.innerText(), /Opened as a file.*npm run serve/s);
  await context.close();
  const served = await chrome.open(place.url);
  await served.waitForFunction(() => document.getElementById("not-started") === null);
  await served.close();
});
