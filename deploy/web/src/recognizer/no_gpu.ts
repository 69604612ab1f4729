/**
 * What LiteRT finds in place of `navigator.gpu` (see build.mjs): an adapter that has no device to give.
 *
 * LiteRT wakes the strongest graphics processor of the machine as soon as it is loaded. This model runs on the CPU.
 */
export const noGpu = {
  requestAdapter: async () => ({ limits: {}, features: new Set(), requestDevice: async () => null }),
};
