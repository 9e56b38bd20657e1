// The worker that holds the network: it dreams while the page stays free for clicks.

import * as ort from "./ort.wasm.bundle.min.mjs";
import { dreaming } from "./dreaming.js";

const sessions = new Map(); // graph: its session
let given = {}; // files that the page has sent, by path: in a page of one file all are there
let ready = false;
let running = 0; // the number of the newest run: an older one ends at its next step

onmessage = async ({ data }) => {
  if (data.given) { given = data.given; return; }
  if (data.stop) { running++; return; }
  const run = ++running;
  try {
    await dream(data, run);
  } catch (error) {
    postMessage({ run: data.run, error: String(error.message || error) });
  }
};

async function dream({ run: number, image, settings, graph, files }, run) {
  const session = await sessionOf(graph, files);
  const step = async ({ data, height, width }) => {
    const picture = new ort.Tensor("float32", data, [1, 3, height, width]);
    const { gradient } = await session.run({ picture });
    return { data: new Float32Array(gradient.data), height, width };
  };
  const total = settings.octaves * settings.steps;
  let done = 0, started = performance.now();
  for await (const picture of dreaming(step, image, settings)) {
    await new Promise((free) => setTimeout(free)); // a Stop that has been sent arrives here
    if (run !== running) { postMessage({ run: number, done, total, stopped: true }); return; }
    const frame = pixels(picture);
    const ms = (performance.now() - started) / ++done;
    postMessage({ run: number, done, total, ms, frame, ended: done === total }, [frame.data.buffer]);
  }
}

async function sessionOf(graph, { wasm, weights }) {
  if (!ready) {
    postMessage({ loading: "the network" });
    ort.env.wasm.numThreads = self.crossOriginIsolated ? Math.min(4, navigator.hardwareConcurrency || 1) : 1;
    ort.env.wasm.wasmBinary = await unpacked(wasm);
    ready = true;
  }
  if (!sessions.has(graph)) {
    const externalData = await Promise.all(weights.map(async (path) =>
      ({ path: path.replace(".gz", ""), data: new Uint8Array(await unpacked(path)) })));
    const model = new Uint8Array(await (await read(graph)).arrayBuffer());
    sessions.set(graph, await ort.InferenceSession.create(model, { externalData }));
  }
  return sessions.get(graph);
}

async function read(path) {
  const response = given[path] ? new Response(given[path]) : await fetch(path);
  if (!response.ok) throw new Error(`${path} is not there (${response.status})`);
  return response;
}

async function unpacked(path) {
  const stream = (await read(path)).body.pipeThrough(new DecompressionStream("gzip"));
  return new Response(stream).arrayBuffer();
}

// The picture as the bytes of a canvas.
function pixels({ data, height, width }) {
  const made = new Uint8ClampedArray(4 * height * width), area = height * width;
  for (let i = 0; i < area; i++) {
    for (let plane = 0; plane < 3; plane++) made[4 * i + plane] = 255 * data[plane * area + i];
    made[4 * i + 3] = 255;
  }
  return { data: made, height, width };
}
