// Serves a folder on this machine, as any static host would: node serve.mjs [--folder=build/web] [--port=8080]
import { createReadStream } from "node:fs";
import { stat } from "node:fs/promises";
import { createServer } from "node:http";
import { dirname, extname, join, normalize, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { parseArgs } from "node:util";

const TYPES = {
  ".html": "text/html; charset=utf-8",
  ".js": "text/javascript; charset=utf-8",
  ".css": "text/css; charset=utf-8",
  ".webmanifest": "application/manifest+json",
  ".png": "image/png",
  ".wasm": "application/wasm",
};

/** Answers from `folder` on 127.0.0.1; port 0 takes a free one. Resolves to { url, close, log }: log holds "status path". */
export async function serve(folder, port = 0) {
  const log = [];
  const root = resolve(folder);
  const server = createServer(async (request, response) => {
    let path = normalize(decodeURIComponent(new URL(request.url, "http://localhost").pathname));
    if (path.endsWith("/")) {
      path += "index.html";
    }
    const file = join(root, path);
    const found = await stat(file).catch(() => undefined);
    if (!found?.isFile()) {
      log.push(`404 ${path}`);
      response.writeHead(404, { "Content-Type": "text/plain" }).end("Not found\n");
      return;
    }
    const tag = `"${found.size.toString(16)}-${Math.round(found.mtimeMs).toString(16)}"`;
    const headers = { "Cache-Control": "no-cache", ETag: tag };
    if (request.headers["if-none-match"] === tag) {
      log.push(`304 ${path}`);
      response.writeHead(304, headers).end();
      return;
    }
    log.push(`200 ${path}`);
    const type = TYPES[extname(file)] ?? "application/octet-stream";
    response.writeHead(200, { ...headers, "Content-Type": type, "Content-Length": found.size });
    createReadStream(file).pipe(response);
  });
  await new Promise((listening, failed) => server.once("error", failed).listen(port, "127.0.0.1", listening));
  const close = () => {
    server.closeAllConnections();
    return new Promise((closed) => server.close(closed));
  };
  return { url: `http://localhost:${server.address().port}/`, close, log };
}

if (import.meta.url === pathToFileURL(process.argv[1]).href) {
  const here = dirname(fileURLToPath(import.meta.url));
  const { values } = parseArgs({ options: { folder: { type: "string" }, port: { type: "string", default: "8080" } } });
  const { url } = await serve(values.folder ?? join(here, "../../build/web"), Number(values.port));
  console.log(`The page is at ${url}`);
}
