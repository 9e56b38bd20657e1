// Where the network runs: in WebAssembly, or on the graphics processor where that gives the same
// gradient sooner. The address can say which: ?cpu, or ?gpu.

import * as ort from "./ort.wasm.bundle.min.mjs";

const TRIAL = 128; // pixels: the side of the picture on which the two are compared
const SAME = 0.02; // the most by which the two gradients may differ, as a share of their norm
let plain = null, graphics; // the two runtimes, once they are loaded; null: cannot be had

// A session of a graph, and whether it runs on the graphics processor. `read` gives a file.
export async function makeSession(graph, files, read) {
  const wish = self.location.search.slice(1);
  const externalData = await Promise.all(files.weights.map(async (path) =>
    ({ path: path.replace(".gz", ""), data: new Uint8Array(await unpacked(path, read)) })));
  const model = new Uint8Array(await (await read(graph)).arrayBuffer());
  const create = (runtime, provider) =>
    runtime.InferenceSession.create(model, { externalData, executionProviders: [provider], logSeverityLevel: 3 });
  if (graphics === undefined) graphics = wish === "cpu" ? null : await graphicsRuntime(files.gpu, read, wish);
  if (!graphics) {
    plain ??= await prepared(ort, files.wasm, read);
    return { session: await create(plain, "wasm"), gpu: false };
  }
  const usual = await create(graphics, "wasm"); // this runtime can do both
  let gpu = false, other = null;
  try {
    other = await create(graphics, "webgpu");
    const [one, two] = [await trial(usual), await trial(other)];
    gpu = distance(one.gradient, two.gradient) < SAME && (two.ms < one.ms || wish === "gpu");
  } catch { } // it lacks a part of this network
  await (gpu ? usual : other)?.release(); // each holds a copy of the weights
  return { session: gpu ? other : usual, gpu };
}

// After a failure (a graphics processor can be lost) the next sessions run in WebAssembly.
export function withoutGraphics() {
  graphics = null;
}

async function graphicsRuntime(files, read, wish) {
  if (!files || !self.navigator.gpu || !WebAssembly.Suspending) return null;
  try {
    const adapter = await navigator.gpu.requestAdapter();
    if (!adapter || (adapter.info.isFallbackAdapter && wish !== "gpu")) return null;
    return await prepared(await import(`./${files.script}`), files.wasm, read);
  } catch {
    return null;
  }
}

async function prepared(runtime, wasm, read) {
  const { env } = runtime;
  env.wasm.numThreads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
  env.wasm.wasmBinary = await unpacked(wasm, read);
  return runtime;
}

// The gradient of a picture of waves, and the milliseconds of a second run: the first one prepares.
async function trial(session) {
  const data = Float32Array.from({ length: 3 * TRIAL * TRIAL }, (_, i) => 0.5 + 0.4 * Math.sin(i * i / 977));
  await gradientOf(session, { data, height: TRIAL, width: TRIAL });
  const start = performance.now();
  const gradient = await gradientOf(session, { data, height: TRIAL, width: TRIAL });
  return { gradient: gradient.data, ms: performance.now() - start };
}

export async function gradientOf(session, { data, height, width }) {
  const picture = new ort.Tensor("float32", data, [1, 3, height, width]);
  const { gradient } = await session.run({ picture });
  return { data: new Float32Array(gradient.data), height, width };
}

function distance(one, two) {
  let apart = 0, size = 0;
  one.forEach((value, i) => { apart += (value - two[i]) ** 2; size += value ** 2; });
  return Math.sqrt(apart / size);
}

async function unpacked(path, read) {
  const stream = (await read(path)).body.pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}
