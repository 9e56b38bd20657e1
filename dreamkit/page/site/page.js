// The page: a photo, a choice, Start, Stop, replay and Save. The dream itself is in worker.js.

import { rounded } from "./dreaming.js";
import { passportOf, withPassport } from "./saving.js";

const $ = (id) => document.getElementById(id);
const canvas = $("canvas"), brush = canvas.getContext("2d", { willReadFrequently: true });
const MOST_FRAMES = 150; // that are kept for the replay
const embedded = JSON.parse($("embedded")?.textContent || "{}"); // all files, where the page is one file
let about, worker, photo, run = 0, frames = [], made = null;

async function start() {
  about = await (await read("page.json")).json();
  fillIn();
  await register();
  worker = newWorker();
  worker.onmessage = ({ data }) => received(data);
  worker.onerror = (event) => say(`The dream stopped: ${event.message || "the worker could not start"}`);
  await takeSample(about.samples[0]);
}

// A file that is part of the page, or lies beside it.
async function read(path) {
  return embedded[path] ? new Response(bytesOf(embedded[path])) : fetch(path);
}

const bytesOf = (base64) => Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));

// From a file on a disk only a classic worker starts: it is made of the page's own text.
function newWorker() {
  if (!embedded["worker.js"]) return new Worker(`worker.js${location.search}`, { type: "module" });
  const text = new Blob([bytesOf(embedded["worker.js"])], { type: "text/javascript" });
  const made = new Worker(URL.createObjectURL(text));
  const needed = [about.files.wasm, ...about.choices.flatMap(({ graph, weights }) => [graph, ...weights])];
  made.postMessage({ given: Object.fromEntries(needed.map((path) => [path, bytesOf(embedded[path])])) });
  return made;
}

// Registered before the network's worker: on the next visit it needs no connection.
async function register() {
  if (!("serviceWorker" in navigator) || embedded["page.json"]) return;
  await navigator.serviceWorker.register("service.js").catch(() => {}); // the page works without
}

function fillIn() {
  for (const sample of about.samples) {
    const button = element("button", { type: "button", title: sample.name });
    const src = embedded[sample.file] ? `data:image/jpeg;base64,${embedded[sample.file]}` : sample.file;
    button.append(element("img", { src, alt: sample.alt }));
    button.onclick = () => takeSample(sample);
    $("samples").append(button);
    sample.button = button;
  }
  for (const kind of ["style", "layer"]) {
    const group = element("optgroup", { label: `${kind}s` });
    about.choices.forEach((choice, index) => {
      if (choice.kind === kind) group.append(element("option", { value: index, textContent: choice.name }));
    });
    $("choice").append(group);
  }
  for (const spec of about.settings) {
    const label = element("label", { title: spec.help, textContent: `${spec.name.replace("_", " ")} ` });
    const slider = element("input", { type: "range", id: `set-${spec.name}`, min: spec.low, max: spec.high, step: spec.step });
    label.append(element("output", {}), slider);
    $("settings").append(label);
  }
  $("side").max = about.side;
  $("side").value = Math.min(384, about.side);
  for (const slider of document.querySelectorAll("details input")) slider.oninput = () => tell(slider);
  $("side").onchange = () => photo && showPhoto();
  $("choice").onchange = chosen;
  $("file").onchange = $("camera").onchange = (event) => takeFile(event.target.files[0]);
  $("start").onclick = dream;
  $("stop").onclick = stop;
  $("save").onclick = save;
  $("replay").oninput = () => show(frames[$("replay").value]);
  addEventListener("dragover", (event) => event.preventDefault());
  addEventListener("drop", (event) => { event.preventDefault(); takeFile(event.dataTransfer.files[0]); });
  addEventListener("paste", (event) => takeFile(event.clipboardData.files[0]));
  chosen();
}

function chosen() {
  const choice = about.choices[$("choice").value];
  $("shows").textContent = choice.shows;
  for (const spec of about.settings) {
    $(`set-${spec.name}`).value = choice.settings[spec.name];
    tell($(`set-${spec.name}`));
  }
  tell($("side"));
}

const tell = (slider) => { slider.parentElement.querySelector("output").textContent = slider.value; };

// ---- the photo

async function takeSample(sample) {
  const bytes = await (await read(sample.file)).blob();
  await take(bytes, sample.name, "sample");
  for (const other of about.samples) other.button.setAttribute("aria-pressed", other === sample);
}

async function takeFile(file) {
  if (!file) return;
  await take(file, file.name || "pasted.png", "file");
  for (const other of about.samples) other.button.setAttribute("aria-pressed", false);
}

async function take(blob, name, kind) {
  try {
    photo = { bitmap: await createImageBitmap(blob), name, kind };
  } catch {
    say(`${name} is not a picture that this browser can read.`);
    return;
  }
  showPhoto();
}

function showPhoto() {
  stop();
  const { bitmap } = photo, scale = Math.min(1, $("side").value / Math.max(bitmap.width, bitmap.height));
  [canvas.width, canvas.height] = [bitmap.width, bitmap.height].map((side) => Math.max(1, rounded(side * scale)));
  brush.imageSmoothingQuality = "high";
  brush.fillStyle = "white";
  brush.fillRect(0, 0, canvas.width, canvas.height);
  brush.drawImage(bitmap, 0, 0, canvas.width, canvas.height);
  canvas.setAttribute("aria-label", `The photo ${photo.name}`);
  forget();
  say(`${photo.name}, ${canvas.width} × ${canvas.height} pixels. Press Dream.`);
}

function forget() {
  frames = [];
  made = null;
  $("replay").max = $("replay").value = $("progress").value = 0;
  $("replay").disabled = $("save").disabled = true;
}

// ---- the dream

function dream() {
  showPhoto();
  const choice = about.choices[$("choice").value];
  const settings = Object.fromEntries(about.settings.map(({ name }) => [name, Number($(`set-${name}`).value)]));
  const smallest = Math.min(canvas.width, canvas.height) / settings.octave_ratio ** (settings.octaves - 1);
  if (smallest < choice.least) {
    return say(`The smallest octave would have a side of ${Math.round(smallest)} pixels, and ${choice.name} needs ` +
      `${choice.least}: take fewer octaves, a smaller octave ratio or a larger side.`);
  }
  const image = planes(brush.getImageData(0, 0, canvas.width, canvas.height));
  made = { choice, settings, image, photo, side: Number($("side").value) };
  $("start").disabled = true;
  $("stop").disabled = false;
  say("Preparing the network …");
  worker.postMessage({ run: ++run, image, settings, graph: choice.graph,
    files: { ...about.files, weights: choice.weights } });
}

function stop() {
  if ($("stop").disabled) return;
  worker.postMessage({ stop: true });
  finished();
  say(`Stopped. ${frames.length} steps are kept.`);
  run++;
}

function finished() {
  $("start").disabled = false;
  $("stop").disabled = true;
  $("save").disabled = frames.length === 0;
  $("replay").disabled = frames.length < 2;
}

function received(message) {
  if (message.loading) return say(`Loading ${message.loading} …`);
  if (message.run !== run) return; // of a dream that nobody waits for any more
  if (message.error) {
    finished();
    return say(`The dream stopped: ${message.error}`);
  }
  if (!message.frame) return;
  frames.push(message.frame);
  if (frames.length > MOST_FRAMES) frames.splice(0, 1);
  $("replay").max = frames.length - 1;
  $("replay").value = frames.length - 1;
  show(message.frame);
  $("progress").value = message.done / message.total;
  made.done = message.done;
  const pace = `${Math.round(message.ms)} ms a step${message.gpu ? " on the graphics processor" : ""}`;
  say(`Step ${message.done} of ${message.total}, ${pace}`);
  if (message.ended) {
    finished();
    say(`Done: ${message.total} steps, ${pace}. Move the replay slider, or save.`);
  }
}

function show({ data, height, width }) {
  const small = new OffscreenCanvas(width, height);
  small.getContext("2d").putImageData(new ImageData(data, width, height), 0, 0);
  brush.drawImage(small, 0, 0, canvas.width, canvas.height);
  canvas.setAttribute("aria-label", `${made.photo.name} dreamt: ${made.choice.name}`);
}

async function save() {
  const frame = frames[frames.length - 1];
  show(frame);
  const blob = await new Promise((ready) => canvas.toBlob(ready, "image/png"));
  const passport = await passportOf(about.passport, made);
  const file = withPassport(new Uint8Array(await blob.arrayBuffer()), passport);
  const link = element("a", { download: "dream.png", href: URL.createObjectURL(new Blob([file], { type: "image/png" })) });
  link.click();
  say("Saved dream.png.");
}

function planes({ data, height, width }) {
  const area = height * width, made = new Float32Array(3 * area);
  for (let i = 0; i < area; i++) for (let c = 0; c < 3; c++) made[c * area + i] = data[4 * i + c] / 255;
  return { data: made, height, width };
}

function element(name, properties) {
  return Object.assign(document.createElement(name), properties);
}

function say(text) {
  $("status").textContent = text;
}

start().catch((error) => say(`This page cannot work here: ${error.message}`));
