// Builds the page into a folder that any static host serves: node build.mjs [--output=FOLDER] [--model=FILE.tflite]
// [--detector=FILE.tflite]: with the file of bin/convert_detector.py beside the model, photographs need no boxes.
import { createHash } from "node:crypto";
import { cp, mkdir, readdir, readFile, rm, stat, writeFile } from "node:fs/promises";
import { dirname, join, relative, resolve, sep } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

import * as esbuild from "esbuild";

import { drawIcon } from "./icon.mjs";

const HERE = dirname(fileURLToPath(import.meta.url));
const ROOT = resolve(HERE, "../..");
// The builds that a browser may take: with relaxed SIMD, and without. Those with threads and for WebGPU bring nothing here.
const ENGINES = ["litert_wasm_internal", "litert_wasm_compat_internal"];

const COMMON = {
  bundle: true,
  minify: true,
  target: ["es2022", "chrome97", "firefox104", "safari16.4"],
  legalComments: "inline",
  logLevel: "warning",
};
// See src/recognizer/no_gpu.ts.
const WITHOUT_GPU = { define: { "navigator.gpu": "noGpu" }, inject: [join(HERE, "src/recognizer/no_gpu.ts")] };

export async function build({
  output = join(ROOT, "build/web"),
  model = join(ROOT, "exported/spin.tflite"),
  detector,
} = {}) {
  for (const [name, file] of Object.entries({ model, ...(detector && { detector }) })) {
    await stat(file).catch(() => {
      throw new Error(`There is no such ${name}. Received: ${name}=${file}`);
    });
  }
  await rm(output, { recursive: true, force: true });
  await mkdir(join(output, "litert"), { recursive: true });
  const script = (entry, out, options) =>
    esbuild.build({ ...COMMON, entryPoints: [join(HERE, entry)], outfile: join(output, out), ...options });
  await Promise.all([
    script("src/app/main.ts", "app.js", {
      format: "esm",
      ...WITHOUT_GPU,
      define: { ...WITHOUT_GPU.define, DETECTOR: JSON.stringify(detector !== undefined) },
    }),
    script("src/recognizer/index.ts", "spin-recognizer.js", { format: "esm", ...WITHOUT_GPU }),
    script("src/style.css", "style.css"),
    cp(join(HERE, "src/index.html"), join(output, "index.html")),
    cp(join(HERE, "src/manifest.webmanifest"), join(output, "manifest.webmanifest")),
    cp(model, join(output, "spin.tflite")),
    detector && cp(detector, join(output, "detector.tflite")),
    writeFile(join(output, "icon-192.png"), drawIcon(192)),
    writeFile(join(output, "icon-512.png"), drawIcon(512)),
    writeFile(join(output, "icon-maskable.png"), drawIcon(512, { maskable: true })),
    ...ENGINES.flatMap((name) => [".js", ".wasm"].map((suffix) => name + suffix)).map((name) =>
      cp(join(HERE, "node_modules/@litertjs/core/wasm", name), join(output, "litert", name)),
    ),
  ]);
  // The service worker comes last: it names every other file with a hash of what is in it.
  const files = await listFiles(output);
  const version = hash(JSON.stringify(files));
  await script("src/service_worker.ts", "service_worker.js", {
    format: "iife",
    define: { FILES: JSON.stringify(files), VERSION: JSON.stringify(version) },
  });
  return { output, version };
}

const hash = (content) => createHash("sha256").update(content).digest("hex").slice(0, 16);

async function listFiles(folder) {
  const entries = await readdir(folder, { recursive: true, withFileTypes: true });
  const paths = entries
    .filter((entry) => entry.isFile())
    .map((entry) => join(entry.parentPath ?? entry.path, entry.name));
  const files = await Promise.all(
    paths.map(async (path) => [relative(folder, path).split(sep).join("/"), hash(await readFile(path))]),
  );
  // Hosts redirect index.html to the folder, and a redirected answer cannot be shown when offline.
  return files.map(([path, sum]) => [path === "index.html" ? "./" : path, sum]).sort();
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const { values } = parseArgs({
    options: { output: { type: "string" }, model: { type: "string" }, detector: { type: "string" } },
  });
  const { output, version } = await build({
    ...(values.output && { output: resolve(values.output) }),
    ...(values.model && { model: resolve(values.model) }),
    ...(values.detector && { detector: resolve(values.detector) }),
  });
  console.log(`Built ${version} into ${output}`);
}
