// The worker that holds the network: it dreams while the page stays free for clicks.

import { dreaming } from "./dreaming.js";
import { gradientOf, makeSession, withoutGraphics } from "./sessions.js";

const sessions = new Map(); // graph: its session
let given = {}; // files that the page has sent, by path: in a page of one file all are there
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
  if (!sessions.has(graph)) {
    postMessage({ loading: "the network" });
    sessions.set(graph, await makeSession(graph, files, read));
  }
  const { session, gpu } = sessions.get(graph);
  const step = async (picture) => {
    try {
      return await gradientOf(session, picture);
    } catch (error) {
      if (gpu) withoutGraphics();
      sessions.delete(graph);
      throw error;
    }
  };
  const total = settings.octaves * settings.steps;
  let done = 0, started = performance.now();
  for await (const picture of dreaming(step, image, settings)) {
    await new Promise((free) => setTimeout(free)); // a Stop that has been sent arrives here
    if (run !== running) { postMessage({ run: number, done, total, stopped: true }); return; }
    const frame = pixels(picture);
    const ms = (performance.now() - started) / ++done;
    postMessage({ run: number, done, total, ms, gpu, frame, ended: done === total }, [frame.data.buffer]);
  }
}

async function read(path) {
  const response = given[path] ? new Response(given[path]) : await fetch(path);
  if (!response.ok) throw new Error(`${path} is not there (${response.status})`);
  return response;
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
