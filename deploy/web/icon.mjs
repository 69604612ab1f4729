// The icon, drawn here so that the repository holds no picture of it: an enamel plate with the bars of a reading.
import * as zlib from "node:zlib";

const ENAMEL = [0x12, 0x3f, 0x93];
const WHITE = [255, 255, 255];
const SIGNAL = [0xff, 0xcd, 0x1f];
const SAMPLES = 4;

/** x, y, width, height and radius, in hundredths of the plate; later shapes lie over earlier ones. */
const SHAPES = [
  [0, 0, 100, 100, 18, ENAMEL],
  [7, 7, 86, 86, 12, WHITE],
  [10.5, 10.5, 79, 79, 9, ENAMEL],
  [24, 30, 9, 46, 2, WHITE],
  [38.3, 38, 9, 38, 2, WHITE],
  [52.6, 52, 9, 24, 2, SIGNAL],
  [67, 26, 9, 50, 2, WHITE],
];

function inside([x, y, width, height, radius], px, py) {
  const dx = Math.max(x + radius - px, px - (x + width - radius), 0);
  const dy = Math.max(y + radius - py, py - (y + height - radius), 0);
  return dx * dx + dy * dy <= radius * radius;
}

/** A PNG file of size x size pixels; maskable ones bleed to the edge and keep their drawing in the inner 80 %. */
export function drawIcon(size, { maskable = false } = {}) {
  const rows = Buffer.alloc(size * (4 * size + 1));
  const scale = maskable ? 100 / 0.8 : 100;
  const margin = maskable ? -(scale - 100) / 2 : 0;
  for (let row = 0; row < size; row++) {
    for (let column = 0; column < size; column++) {
      const sum = [0, 0, 0, 0];
      for (let sample = 0; sample < SAMPLES * SAMPLES; sample++) {
        const px = margin + ((column + ((sample % SAMPLES) + 0.5) / SAMPLES) / size) * scale;
        const py = margin + ((row + (Math.floor(sample / SAMPLES) + 0.5) / SAMPLES) / size) * scale;
        const shape = SHAPES.findLast((candidate) => inside(candidate, px, py));
        const colour = shape?.[5] ?? (maskable ? ENAMEL : undefined);
        if (colour) {
          colour.forEach((value, i) => (sum[i] += value));
          sum[3]++;
        }
      }
      const at = row * (4 * size + 1) + 1 + 4 * column;
      for (let i = 0; i < 3; i++) {
        rows[at + i] = sum[3] ? Math.round(sum[i] / sum[3]) : 0;
      }
      rows[at + 3] = Math.round((255 * sum[3]) / SAMPLES ** 2);
    }
  }
  const header = Buffer.alloc(13);
  header.writeUInt32BE(size, 0);
  header.writeUInt32BE(size, 4);
  header.set([8, 6, 0, 0, 0], 8);
  return Buffer.concat([
    Buffer.from("\x89PNG\r\n\x1a\n", "latin1"),
    chunk("IHDR", header),
    chunk("IDAT", zlib.deflateSync(rows, { level: 9 })),
    chunk("IEND", Buffer.alloc(0)),
  ]);
}

function chunk(name, content) {
  const body = Buffer.concat([Buffer.from(name, "latin1"), content]);
  const result = Buffer.alloc(body.length + 8);
  result.writeUInt32BE(content.length, 0);
  body.copy(result, 4);
  result.writeUInt32BE(crc32(body), body.length + 4);
  return result;
}

/** Node has it from 20.15 on. */
export function crc32(bytes) {
  if (zlib.crc32) {
    return zlib.crc32(bytes);
  }
  let crc = ~0;
  for (const byte of bytes) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) {
      crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
    }
  }
  return ~crc >>> 0;
}
