/** The recogniser module in Chromium, against what spin_tf's Recognizer answers. */
import assert from "node:assert/strict";
import { after, before, test } from "node:test";
import { deflateRawSync } from "node:zlib";

import { crc32 } from "../icon.mjs";
import { browser, cases, expected, processTime, site } from "./harness.mjs";

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

/** What an image file is to the recogniser: its size, what is left of it, and by degrees what a model is to read. */
function viewsOf(path, preprocessing) {
  return page.evaluate(
    async ([path, preprocessing]) => (await import("./internals.js")).views(path, preprocessing),
    [path, preprocessing],
  );
}

const bytesOf = (values) => Buffer.from(Float32Array.from(values).buffer);

test("the input of the model is that of spin_tf, for every kind of file and either preprocessing", async () => {
  for (const [path, truth] of Object.entries(expected.files)) {
    for (const { number, size: imageSize, wideSize, views: theirs } of truth.views) {
      const { size, views } = await viewsOf(path, { number, size: imageSize, wideSize });
      assert.deepEqual(size, truth.size, path);
      assert.deepEqual(Object.keys(views).sort(), Object.keys(theirs).sort(), path);
      for (const [degrees, encoded] of Object.entries(theirs)) {
        const values = new Float32Array(new Uint8Array(Buffer.from(encoded, "base64")).buffer);
        assert.equal(views[degrees].length, values.length, path);
        const furthest = Math.max(...values.map((value, i) => Math.abs(value - views[degrees][i])));
        // Chromium rounds the colours of translucent WebP otherwise, by one level of 255; all else is the same to the bit.
        const allowed = path.endsWith("lossless.webp") ? 1.01 / 127.5 : 0;
        assert.ok(furthest <= allowed, `${path} at ${degrees} of ${number}: ${furthest * 127.5} levels apart`);
      }
    }
  }
});

test("the input of the model is that of spin_tf, to the bit, for hundreds of words", async (t) => {
  const paths = Object.keys(expected.inputs);
  const sums = await page.evaluate(
    async (paths) => (await import("./internals.js")).sums(paths, { number: 2, size: [32, 128], wideSize: [32, 256] }),
    paths,
  );
  for (const path of paths) {
    assert.deepEqual(sums[path], expected.inputs[path], path);
  }
  t.diagnostic(`${paths.length} ${expected.real ? "real" : "drawn"} words`);
});

/** What browsers do not read as spin_tf does; README.md names both. */
const NOT_HERE = ["plain.tif", "broken_dark_sixteen_bits.png"];
const readable = Object.entries(cases.files).filter(([name, { error }]) => !error && !NOT_HERE.includes(name));

/** What is left of a case once its even ground is cut off. */
function boxOf({ shape: [height, width], box }) {
  const [top, bottom, left, right] = box ?? [0, height, 0, width];
  return { x: left, y: top, width: right - left, height: bottom - top };
}

test("of the cases of every reader, ground, turns, sizes and colours are those of spin_tf, to the bit", async () => {
  const preprocessing = { number: cases.preprocessing, size: cases.image_size, wideSize: cases.wide_image_size };
  assert.ok(readable.length > 50);
  for (const [name, truth] of readable) {
    const { size, box, views } = await viewsOf(`cases/${name}`, preprocessing);
    const [height, width] = truth.shape;
    assert.deepEqual(size, [width, height], name);
    assert.deepEqual(box, boxOf(truth), name);
    assert.deepEqual(Object.keys(views).sort(), Object.keys(truth.views).sort(), name);
    for (const [degrees, { size, sample, crc32: checksum }] of Object.entries(truth.views)) {
      const [, columns] = size;
      const values = views[degrees];
      assert.equal(values.length, size[0] * columns, name);
      const apart = sample.flatMap((row, i) =>
        row.map((value, j) => Math.abs(value - values[8 * i * columns + 16 * j])),
      );
      assert.equal(
        crc32(bytesOf(values)),
        checksum,
        `${name} at ${degrees}: ${127.5 * Math.max(...apart)} levels apart`,
      );
    }
  }
});

test("of the cases of every reader, the words are those of spin_tf, whatever is turned", async () => {
  const names = readable.map(([name]) => name);
  let read = 0;
  for (const turn of ["none", "tall", "auto"]) {
    const paths = names.map((name) => `cases/${name}`);
    const { words } = await readAll(`cases/${cases.model}`, paths, { turn });
    for (const [name, truth] of readable) {
      const { text, turned, confidence, box } = words[`cases/${name}`];
      assert.deepEqual(box, boxOf(truth), name);
      const theirs = truth.words[turn];
      assert.deepEqual([text, turned], [theirs.text, theirs.turned], `${name}, ${turn}`);
      assert.ok(Math.abs(confidence - theirs.confidence) < 1e-4, `${name}, ${turn}: ${confidence}`);
      read += text.length > 10;
    }
  }
  assert.ok(read > 0);
});

test("a float32 model answers what Recognizer answers, on hundreds of words, tall crops included", async (t) => {
  const truths = expected.float;
  const paths = Object.keys(truths);
  assert.ok(paths.length >= 300);
  assert.ok(Object.values(truths).some(({ turned }) => turned !== 0));
  const { words } = await readAll("float.tflite", paths);
  let furthest = 0;
  for (const path of paths) {
    for (const key of ["text", "turned", "truncated"]) assert.equal(words[path][key], truths[path][key], path);
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
  assert.ok(others.length <= 0.05 * paths.length, `${others.length} of ${paths.length}: ${others.map(readings)}`);
  for (const path of others) assert.ok(couldBeEither(words[path], truths[path]), readings(path));
  assert.ok(furthest < 0.3, `confidence differs by up to ${furthest}`);
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

test("boxes, decoded images, parallel calls and turns", async () => {
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
    const upright = [];
    for (const options of [{ turn: "none" }, { turnTall: false }]) {
      const other = await SpinRecognizer.load("spin.tflite", options);
      upright.push(await other.read(bitmap));
      other.dispose();
    }
    const unknown = await SpinRecognizer.load("spin.tflite", { turn: "left" }).catch(
      ({ code, message }) => `${code}: ${message}`,
    );
    return { words, outside, broken, disposed, upright, unknown };
  }, path);
  const size = { width: expected.files[path].size[0], height: expected.files[path].size[1] };
  result.words.forEach((word, i) => {
    assert.deepEqual(word.box, i < 2 ? { x: 0, y: 0, ...size } : { x: 33, y: 17, ...size });
    assert.deepEqual({ ...word, box: result.words[0].box }, result.words[0]);
  });
  assert.equal(result.words[0].text, expected.files[path].text);
  assert.notEqual(result.words[0].turned, 0);
  for (const word of result.upright) {
    assert.equal(word.turned, 0);
    assert.deepEqual(word, result.upright[0]);
  }
  assert.equal(result.unknown, "bad_argument: turn is one of none, tall, auto. Received: turn=left");
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

test("a model that says it reads wide images must have a signature for them", async () => {
  const answers = await page.evaluate(async (path) => {
    const { SpinRecognizer } = await import("./spin-recognizer.js");
    const bytes = new Uint8Array(await (await fetch(path)).arrayBuffer());
    const load = () =>
      SpinRecognizer.load(bytes).then(
        () => "fine",
        ({ code, message }) => `${code}: ${message}`,
      );
    const whole = await load();
    const text = new TextDecoder("latin1").decode(bytes);
    for (let at = -1; (at = text.indexOf("serving_default_wide", at + 1)) >= 0;) {
      bytes[at] = "x".charCodeAt(0);
    }
    return [whole, await load()];
  }, `cases/${cases.model}`);
  assert.equal(answers[0], "fine");
  assert.match(
    answers[1],
    /^model_invalid: The signature serving_default_wide of the model does not read an image of /,
  );
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
    [JSON.stringify({ ...whole, preprocessing: 3 })]:
      /^The model was written for preprocessing 3; this spin_tf knows 1 and 2: update spin_tf\. Received: /,
    [JSON.stringify({ ...whole, preprocessing: 0 })]: /preprocessing 0; this spin_tf knows 1 and 2/,
    [JSON.stringify({ ...whole, preprocessing: "2" })]: /preprocessing "2"; this/,
    [JSON.stringify({ ...whole, preprocessing: null })]: /preprocessing null; this/,
    [JSON.stringify({ ...whole, wide_image_size: [32] })]: /wide_image_size/,
    [JSON.stringify({ ...whole, wide_image_size: [32, 4097] })]: /wide_image_size/,
    [JSON.stringify({ ...whole, wide_image_size: null, preprocessing: 1 })]: /^fine$/,
    [JSON.stringify({ ...whole, wide_image_size: [32, 256], preprocessing: 2, max_length: 400 })]: /^fine$/,
    [JSON.stringify(whole)]: /^fine$/,
  };
  for (const [text, message] of Object.entries(cases)) {
    const refusal = await page.evaluate(async (text) => (await import("./internals.js")).refusal(text), text);
    assert.match(refusal, message, text);
  }
});

/** A zip archive of one spin_tf.json, which says that it unpacks to `claimed` bytes. */
function archive(content, { deflated, claimed = content.length }) {
  const stored = deflated ? deflateRawSync(content) : content;
  const name = Buffer.from("spin_tf.json");
  const common = Buffer.alloc(26);
  common.writeUInt16LE(20, 0);
  common.writeUInt16LE(deflated ? 8 : 0, 4);
  common.writeUInt32LE(crc32(content), 10);
  common.writeUInt32LE(stored.length, 14);
  common.writeUInt32LE(claimed, 18);
  common.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), common, name, stored]);
  const entry = Buffer.concat([Buffer.from("PK\x01\x02\x14\0"), common, Buffer.alloc(14), name]);
  const end = Buffer.alloc(22);
  end.write("PK\x05\x06");
  end.writeUInt16LE(1, 8);
  end.writeUInt16LE(1, 10);
  end.writeUInt32LE(entry.length, 12);
  end.writeUInt32LE(local.length, 16);
  return Buffer.concat([local, entry, end]);
}

test("metadata unpack to 16 MiB at most, whatever their archive says", async () => {
  const limit = 16 * 2 ** 20;
  const text = JSON.stringify({ format: 1, charset: { characters: "ab" }, image_size: [32, 100], max_length: 25 });
  const cases = [
    [text.length, { deflated: false }, /^fine$/],
    [text.length, { deflated: true }, /^fine$/],
    [limit, { deflated: true }, /^fine$/],
    [limit + 1, { deflated: false }, /would unpack to more/],
    [limit + 1, { deflated: true }, /would unpack to more/],
    [limit + 1, { deflated: true, claimed: 100 }, /unpacks to more/],
    [8 * limit, { deflated: true, claimed: 100 }, /unpacks to more/],
    [limit, { deflated: true, claimed: limit + 1 }, /would unpack to more/],
  ];
  for (const [size, options, message] of cases) {
    const file = archive(Buffer.from(text.padEnd(size)), options);
    const encoded = file.toString("base64");
    const answer = await page.evaluate(async (encoded) => {
      const bytes = Uint8Array.from(atob(encoded), (character) => character.charCodeAt(0));
      return (await import("./internals.js")).unreadable(bytes);
    }, encoded);
    assert.match(answer, message, `${size}, ${JSON.stringify(options)}`);
  }
});

test("a word is told to be cut off at the model's longest, and each of its characters what else it may be", async () => {
  const words = await page.evaluate(async () => {
    const { wordOf } = await import("./internals.js");
    return [[2, 3, 1], [2, 3, 3], [1, 2], [0, 2, 1, 3], []].map((classes) => wordOf(classes));
  });
  assert.deepEqual(
    words.map(({ text, truncated }) => [text, truncated]),
    [
      ["ab", false],
      ["abb", true],
      ["", false],
      ["a", false],
      ["", true],
    ],
  );
  assert.deepEqual(
    words[0].characters.map(({ next }) => [next.character, Math.fround(next.confidence)]),
    [
      ["b", Math.fround(0.2)],
      ["", Math.fround(0.2)],
    ],
  );
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
