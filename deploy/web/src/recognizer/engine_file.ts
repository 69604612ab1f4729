/** A module whose only function uses an instruction of relaxed SIMD. */
const RELAXED_SIMD = new Uint8Array([
  // Magic and version; one type, () -> v128; one function of it.
  0, 97, 115, 109, 1, 0, 0, 0, 1, 5, 1, 96, 0, 1, 123, 3, 2, 1, 0,
  // Its body: i32.const 1, i8x16.splat, i32.const 2, i8x16.splat, i8x16.relaxed_swizzle, end.
  10, 15, 1, 13, 0, 65, 1, 253, 15, 65, 2, 253, 15, 253, 128, 2, 11,
]);

/** Which build of LiteRT this browser runs: the page loads it, and the service worker keeps it for later. */
export function engineFile(): string {
  return WebAssembly.validate(RELAXED_SIMD) ? "litert_wasm_internal.js" : "litert_wasm_compat_internal.js";
}
