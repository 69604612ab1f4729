/** What the tests share: the built page on a server, what spin_tf answers, and one Chromium at a time. */
import { cp, mkdtemp, readFile, rm } from "node:fs/promises";
import { tmpdir } from "node:os";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";

import * as esbuild from "esbuild";
import { chromium } from "playwright-core";

import { build } from "../build.mjs";
import { serve } from "../serve.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, "../../..");
/** Written by prepare.py. */
export const PREPARED = resolve(process.env.SPIN_WEB_PREPARED ?? join(ROOT, "build/web_test"));
const BUILT = resolve(process.env.SPIN_WEB_BUILT ?? join(ROOT, "build/web"));
const CHROMIUM = process.env.CHROMIUM ?? "/usr/bin/chromium";
const FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking", "--no-first-run"];

export const expected = JSON.parse(await readFile(join(PREPARED, "expected.json"), "utf8"));
/** The pictures that every reader of spin_tf is tested on, and what is expected of them. */
export const CASES = join(ROOT, "tests/contract/cases");
export const cases = JSON.parse(await readFile(join(CASES, "expected.json"), "utf8"));
export const photos = JSON.parse(await readFile(join(PREPARED, "photos/expected.json"), "utf8"));

/** The built page in a folder of its own, with the test images beside it, served; `detector`: built with this file. */
export async function site({ detector } = {}) {
  const folder = await mkdtemp(join(tmpdir(), "spin-web-"));
  await (detector ? build({ output: folder, detector }) : cp(BUILT, folder, { recursive: true }));
  for (const name of ["words", "files", "photos", "float.tflite"]) {
    await cp(join(PREPARED, name), join(folder, name), { recursive: true });
  }
  await cp(CASES, join(folder, "cases"), { recursive: true });
  await esbuild.build({
    entryPoints: [join(HERE, "internals.ts")],
    bundle: true,
    format: "esm",
    outfile: join(folder, "internals.js"),
  });
  const server = await serve(folder);
  const close = async () => {
    await server.close().catch(() => {});
    await rm(folder, { recursive: true, force: true });
  };
  return { folder, url: server.url, log: server.log, stop: server.close, close };
}

/** A Chromium with a profile of its own; `options` as for playwright's contexts, `flags` for the command line. */
export async function browser({ flags = [], ...options } = {}) {
  const profile = await mkdtemp(join(tmpdir(), "spin-chromium-"));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: CHROMIUM,
    headless: true,
    args: [...FLAGS, ...flags],
    ...options,
  });
  const complaints = [];
  const close = async () => {
    await context.close();
    await rm(profile, { recursive: true, force: true });
  };
  const open = async (url) => {
    const page = await context.newPage();
    page.on("pageerror", (error) => complaints.push(String(error)));
    page.on("console", (message) => {
      if (["error", "warning"].includes(message.type())) {
        complaints.push(message.text());
      }
    });
    await page.goto(url);
    return page;
  };
  return { context, open, close, complaints };
}

/** Processor time in milliseconds that the process of a page has used so far. */
export async function processTime(page) {
  const session = await page.context().newCDPSession(page);
  await session.send("Performance.enable");
  const { metrics } = await session.send("Performance.getMetrics");
  await session.detach();
  return 1000 * metrics.find(({ name }) => name === "ProcessTime").value;
}
