/** The recogniser module in Chromium, against what spin_tf's Recognizer answers. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";

import { browser, expected, processTime, site } from "./harness.mjs";

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

/** Reads files in the page, one after another: { path: word }, and the wall-clock milliseconds of each. */
function readAll(model, paths, options = {}) {
  return page.evaluate(
    async ({ model, paths, options }) => {
      const { SpinRecognizer } = await import("./spin-recognizer.js");
      const recognizer = await SpinRecognizer.load(model, options);
      const words = {};
      const times = [];
      for (const path of paths) {
        const file = await (await fetch(path)).blob();
        const start = performance.now();
        words[path] = await recognizer.read(file);
        times.push(performance.now() - start);
      }
      recognizer.dispose();
      return { words, times };
    },
    { model, paths, options },
  );
}

/** How far a reading is from what spin_tf says, in probability and in place. */
function distance(word, [, , characters], confidence) {
  const places = word.characters.map((c, i) => Math.abs(c.x - characters[i][2]));
  const single = word.characters.map((c, i) => Math.abs(c.confidence - characters[i][1]));
  return {
    confidence: Math.abs(word.confidence - confidence),
    place: Math.max(0, ...places),
    single: Math.max(0, ...single),
  };
}

const compare = (word, truth) => distance(word, [truth.text, truth.turned, truth.characters], truth.confidence);

/** Whether rounding can decide between two different readings: neither is sure of the word, if they were turned differently, else of the character where they part. */
function couldBeEither(word, truth) {
  if (word.turned !== truth.turned) return Math.max(word.confidence, truth.confidence) < 0.5;
  const i = [...word.text, ""].findIndex((c, i) => c !== ([...truth.text][i] ?? ""));
  // A reading that has ended there has no character, and the other one's tells.
  return Math.max(word.characters[i]?.confidence ?? 0, truth.characters[i]?.[1] ?? 0) < 0.65;
}

test("the input of the model is that of spin_tf, for every kind of file", async () => {
  for (const [path, truth] of Object.entries(expected.files)) {
    const { size, views } = await page.evaluate(
      async ([path, imageSize]) => (await import("./internals.js")).views(path, imageSize),
      [path, expected.image_size],
    );
    assert.deepEqual(size, truth.size, path);
    assert.deepEqual(Object.keys(views).sort(), Object.keys(truth.views).sort(), path);
    for (const [degrees, values] of Object.entries(truth.views)) {
      assert.equal(views[degrees].length, values.length, path);
      const furthest = Math.max(...values.map((value, i) => Math.abs(value - views[degrees][i])));
      // Chromium rounds the colours of translucent WebP otherwise, by one level of 255; all else is the same to the bit.
      const allowed = path.endsWith("lossless.webp") ? 1.01 / 127.5 : 1e-7;
      assert.ok(furthest <= allowed, `${path} at ${degrees}: ${furthest * 127.5} levels apart`);
    }
  }
});

test("a float32 model answers what Recognizer answers, on hundreds of words, tall crops included", async (t) => {
  const truths = expected.float;
  const paths = Object.keys(truths);
  assert.ok(paths.length >= 300);
  assert.ok(Object.values(truths).some(({ turned }) => turned !== 0));
  const { words } = await readAll("float.tflite", paths);
  let furthest = 0;
  for (const path of paths) {
    assert.deepEqual([words[path].text, words[path].turned], [truths[path].text, truths[path].turned], path);
    const { confidence, place: x, single } = compare(words[path], truths[path]);
    furthest = Math.max(furthest, confidence, x, single);
  }
  assert.ok(furthest < 1e-4, `probabilities and places differ by up to ${furthest}`);
  t.diagnostic(
    `${paths.length} ${expected.real ? "real" : "drawn"} words, all the same; ${furthest.toExponential(1)} apart`,
  );
});

test("the bundled int8 model answers what Recognizer answers, but where two characters are as likely", async (t) => {
  const truths = expected.words;
  const paths = Object.keys(truths);
  const start = await processTime(page);
  const { words, times } = await readAll("spin.tflite", paths);
  const spent = (await processTime(page)) - start;
  let furthest = 0;
  const others = [];
  for (const path of paths) {
    if (words[path].text === truths[path].text && words[path].turned === truths[path].turned) {
      furthest = Math.max(furthest, compare(words[path], truths[path]).confidence);
    } else {
      others.push(path);
    }
  }
  // XNNPACK rounds activations to 8 bits on the fly: a last bit that differs between processors tips some of them, and
  // with them a word at a character that could be either of two.
  const readings = (path) => JSON.stringify([truths[path], words[path]]);
  assert.ok(others.length <= 0.02 * paths.length, `${others.length} of ${paths.length}: ${others.map(readings)}`);
  for (const path of others) assert.ok(couldBeEither(words[path], truths[path]), readings(path));
  assert.ok(furthest < 0.15, `confidence differs by up to ${furthest}`);
  times.sort((a, b) => a - b);
  const at = (part) => times[Math.floor(part * times.length)].toFixed(1);
  t.diagnostic(`${paths.length - others.length} of ${paths.length} the same, ${furthest.toFixed(3)} apart at most`);
  t.diagnostic(
    `wall clock a word ${at(0.5)} ms (p50), ${at(0.95)} ms (p95); processor ${(spent / paths.length).toFixed(1)} ms`,
  );
});

test("drawn and odd files are read as Recognizer reads them", async () => {
  const { words } = await readAll("spin.tflite", Object.keys(expected.files));
  const sure = Object.entries(expected.files).filter(([, { confidence }]) => confidence > 0.5);
  for (const [path, truth] of sure) {
    assert.deepEqual([words[path].text, words[path].turned], [truth.text, truth.turned], path);
  }
});

test("files that spin_tf refuses are refused, by name", async () => {
  for (const path of expected.broken) {
    const code = await page.evaluate(async (path) => {
      const { decodeImage } = await import("./spin-recognizer.js");
      return decodeImage(await (await fetch(path)).blob()).then(
        () => "decoded",
        (error) => error.code,
      );
    }, path);
    assert.equal(code, "not_an_image", path);
  }
});

test("boxes, decoded images, parallel calls and turnTall", async () => {
  const path = "files/tall.png";
  const result = await page.evaluate(async (path) => {
    const { SpinRecognizer } = await import("./spin-recognizer.js");
    const recognizer = await SpinRecognizer.load(new URL("spin.tflite", location.href));
    const file = await (await fetch(path)).blob();
    const bitmap = await createImageBitmap(file);
    const { width, height } = bitmap;
    // The same word inside a larger picture, at an odd place.
    const canvas = new OffscreenCanvas(width + 90, height + 50);
    const context = canvas.getContext("2d");
    context.drawImage(bitmap, 33, 17);
    const large = context.getImageData(0, 0, canvas.width, canvas.height);
    const box = { x: 33, y: 17, width, height };
    const words = await Promise.all([
      recognizer.read(file),
      recognizer.read(bitmap),
      recognizer.read(large, { box }),
      recognizer.read(await canvas.convertToBlob(), { box }),
      recognizer.read(await createImageBitmap(large), { box }),
    ]);
    const code = (promise) =>
      promise.then(
        () => "fine",
        (error) => error.code,
      );
    const outside = await code(recognizer.read(bitmap, { box: { ...box, x: -1 } }));
    const broken = await code(recognizer.read(bitmap, { box: { ...box, width: 1.5 } }));
    recognizer.dispose();
    const disposed = await code(recognizer.read(bitmap));
    const upright = await SpinRecognizer.load("spin.tflite", { turnTall: false });
    return { words, outside, broken, disposed, upright: await upright.read(bitmap) };
  }, path);
  for (const word of result.words) {
    assert.deepEqual(word, result.words[0]);
  }
  assert.equal(result.words[0].text, expected.files[path].text);
  assert.notEqual(result.words[0].turned, 0);
  assert.equal(result.upright.turned, 0);
  assert.deepEqual([result.outside, result.broken, result.disposed], ["bad_argument", "bad_argument", "disposed"]);
});

test("a photograph of 48 megapixels is read from a box without taking all of it", async () => {
  const text = await page.evaluate(async (path) => {
    const { SpinRecognizer } = await import("./spin-recognizer.js");
    const recognizer = await SpinRecognizer.load("spin.tflite");
    const word = await createImageBitmap(await (await fetch(path)).blob());
    const canvas = new OffscreenCanvas(8000, 6000);
    canvas.getContext("2d").drawImage(word, 6000, 4000);
    const photograph = canvas.transferToImageBitmap();
    const box = { x: 6000, y: 4000, width: word.width, height: word.height };
    const read = await recognizer.read(photograph, { box });
    await recognizer.read(photograph);
    return read.text;
  }, "files/rgb.png");
  assert.equal(text, expected.files["files/rgb.png"].text);
});

test("models that are none are refused, by name", async () => {
  const codes = await page.evaluate(async () => {
    const { SpinRecognizer } = await import("./spin-recognizer.js");
    const bytes = new Uint8Array(await (await fetch("spin.tflite")).arrayBuffer());
    const text = new TextDecoder("latin1").decode(bytes);
    const archive = text.lastIndexOf("PK\x03\x04");
    const damaged = bytes.slice();
    damaged.fill(0, 0, archive);
    // A file of several signatures has this one by name, or it is not read.
    const renamed = bytes.slice();
    for (let at = -1; (at = text.indexOf("serving_default", at + 1)) >= 0;) {
      renamed[at] = "x".charCodeAt(0);
    }
    const load = (model, options) =>
      SpinRecognizer.load(model, options).then(
        () => "fine",
        (error) => error.code,
      );
    return {
      whole: await load(bytes),
      missing: await load("absent.tflite"),
      page: await load("index.html"),
      empty: await load(new Uint8Array()),
      withoutMetadata: await load(bytes.slice(0, archive)),
      damaged: await load(damaged),
      renamed: await load(renamed),
      cut: await load(bytes.slice(0, bytes.length >> 1)),
    };
  });
  assert.deepEqual(codes, {
    whole: "fine",
    missing: "model_missing",
    page: "model_invalid",
    empty: "model_invalid",
    withoutMetadata: "model_invalid",
    damaged: "model_invalid",
    renamed: "model_invalid",
    cut: "model_invalid",
  });
});

test("metadata of wrong types are refused, as spin_tf refuses them", async () => {
  const whole = { format: 1, charset: { characters: "ab" }, image_size: [32, 100], max_length: 25, more: "kept" };
  const cases = {
    "": /no JSON/,
    "[]": /no table/,
    null: /no table/,
    [JSON.stringify({ ...whole, format: 2, spin_tf_version: "9.0" })]: /another version of spin_tf \("9.0"\)/,
    [JSON.stringify({ ...whole, charset: null })]: /charset/,
    [JSON.stringify({ ...whole, charset: { characters: "aa" } })]: /charset/,
    [JSON.stringify({ ...whole, image_size: [32] })]: /image_size/,
    [JSON.stringify({ ...whole, image_size: [32, 1e9] })]: /image_size/,
    [JSON.stringify({ ...whole, max_length: "25" })]: /max_length/,
    [JSON.stringify(whole)]: /^fine$/,
  };
  for (const [text, message] of Object.entries(cases)) {
    const refusal = await page.evaluate(async (text) => (await import("./internals.js")).refusal(text), text);
    assert.match(refusal, message, text);
  }
});

test("an engine that is not there is named, and a second try finds it", async () => {
  const fresh = await chrome.open(place.url);
  const codes = await fresh.evaluate(async () => {
    const { SpinRecognizer } = await import("./spin-recognizer.js");
    const load = (options) =>
      SpinRecognizer.load("spin.tflite", options).then(
        () => "fine",
        (error) => error.code,
      );
    return [await load({ engine: "nowhere" }), await load({ engine: "litert" })];
  });
  assert.deepEqual(codes, ["engine_failed", "fine"]);
  await fresh.close();
});
