// DeepDream: the loop of lesson 08 and its verbs.
//
// A picture is {data, height, width}: data holds red, green and blue, one plane after the other,
// each value from 0 to 1. A gradient has the same form. Nothing here knows a network: `step` is any
// function that gives the gradient of a score.

export async function* dreaming(step, image, settings) {
  const random = randomNumbers(settings.seed);
  let detail = null;
  for (const base of octaves(image, settings.octaves, settings.octave_ratio)) {
    let picture = detail ? clamped(sum(base, resize(detail, base.height, base.width))) : base;
    for (let number = 0; number < settings.steps; number++) {
      const [dy, dx] = [0, 1].map(() => Math.floor(random() * (2 * settings.jitter + 1)) - settings.jitter);
      picture = roll(picture, dy, dx);
      let uphill = await step(picture);
      if (settings.laplacian) uphill = smoothLaplacian(uphill, settings.laplacian);
      uphill = normalize(smooth(scaleChroma(uphill, settings.chroma), settings.smoothing));
      picture = roll(ascend(picture, uphill, settings.step_size), -dy, -dx);
      yield picture;
    }
    detail = difference(picture, base);
  }
}

// ---- the verbs

export function roll(image, dy, dx) {
  const { height, width } = image, rolled = like(image);
  for (let plane = 0; plane < 3; plane++) {
    for (let y = 0; y < height; y++) {
      const from = (plane * height + y) * width;
      const to = (plane * height + modulo(y + dy, height)) * width;
      for (let x = 0; x < width; x++) rolled.data[to + modulo(x + dx, width)] = image.data[from + x];
    }
  }
  return rolled;
}

export function ascend(image, direction, stepSize) {
  const made = like(image);
  for (let i = 0; i < made.data.length; i++) {
    made.data[i] = Math.min(1, Math.max(0, image.data[i] + stepSize * direction.data[i]));
  }
  return made;
}

// The gradient divided by its standard deviation.
export function normalize(gradient) {
  const { data } = gradient, count = data.length;
  let mean = 0, square = 0;
  for (const value of data) mean += value / count;
  for (const value of data) square += (value - mean) ** 2 / count;
  const size = Math.sqrt(square);
  return size > 0 ? mapped(gradient, (value) => value / size) : gradient;
}

// The colour (the difference from luma) times `share`; 0 leaves light and dark only.
export function scaleChroma(gradient, share) {
  if (share === 1) return gradient;
  const made = like(gradient), area = gradient.height * gradient.width, { data } = gradient;
  for (let i = 0; i < area; i++) {
    const luma = 0.299 * data[i] + 0.587 * data[area + i] + 0.114 * data[2 * area + i];
    for (let j = i; j < 3 * area; j += area) made.data[j] = luma + share * (data[j] - luma);
  }
  return made;
}

// Blurred by a Gaussian of `sigma` pixels, mirrored at the borders.
export function smooth(gradient, sigma) {
  const reach = Math.floor(4 * sigma + 0.5);
  if (reach === 0) return gradient;
  const kernel = [];
  for (let i = -reach; i <= reach; i++) kernel.push(Math.exp(-0.5 * (i / sigma) ** 2));
  const total = kernel.reduce((a, b) => a + b);
  return filtered(gradient, kernel.map((weight) => weight / total), mirrored);
}

// Each band of the Laplacian pyramid divided by its root mean square, and merged again.
export function smoothLaplacian(gradient, levels) {
  const bands = [];
  let image = gradient;
  for (let level = 0; level < levels; level++) {
    const small = halve(image);
    bands.push(difference(image, enlarge(small, image)));
    image = small;
  }
  bands.push(image);
  const least = 16 * 2 ** -23 * peak(gradient);
  let merged = null;
  for (const band of bands.reverse()) {
    const square = band.data.reduce((found, value) => found + value * value, 0) / band.data.length;
    const scale = peak(band) > least ? 1 / Math.sqrt(square) : 0; // a silent band stays silent
    const even = mapped(band, (value) => scale * value);
    merged = merged ? sum(even, enlarge(merged, even)) : even;
  }
  return merged;
}

// ---- sizes

export function octaves(image, count, ratio) {
  const sizes = [];
  for (let k = count - 1; k >= 0; k--) {
    sizes.push([image.height, image.width].map((side) => Math.max(1, rounded(side / ratio ** k))));
  }
  return sizes.map(([height, width]) => resize(image, height, width));
}

// Area means where a side shrinks, linear where it grows.
export function resize(image, height, width) {
  if (image.height === height && image.width === width) return image;
  const rows = shares(image.height, height), columns = shares(image.width, width);
  const tall = { data: new Float32Array(3 * height * image.width), height, width: image.width };
  for (let plane = 0; plane < 3; plane++) {
    for (let y = 0; y < height; y++) {
      const to = (plane * height + y) * image.width;
      for (const [from, share] of rows[y]) {
        const start = (plane * image.height + from) * image.width;
        for (let x = 0; x < image.width; x++) tall.data[to + x] += share * image.data[start + x];
      }
    }
  }
  const made = { data: new Float32Array(3 * height * width), height, width };
  for (let row = 0; row < 3 * height; row++) {
    for (let x = 0; x < width; x++) {
      let value = 0;
      for (const [from, share] of columns[x]) value += share * tall.data[row * image.width + from];
      made.data[row * width + x] = value;
    }
  }
  return made;
}

// For each new pixel of a line: [old pixel, its share].
function shares(old, now) {
  return Array.from({ length: now }, (_, i) => {
    if (now < old) {
      const first = Math.floor((i * old) / now), last = Math.ceil(((i + 1) * old) / now);
      return Array.from({ length: last - first }, (_, k) => [first + k, 1 / (last - first)]);
    }
    const place = Math.min(Math.max(((i + 0.5) * old) / now - 0.5, 0), old - 1);
    const below = Math.floor(place);
    return [[below, 1 - (place - below)], [Math.min(below + 1, old - 1), place - below]];
  });
}

const BINOMIAL = [1, 4, 6, 4, 1].map((weight) => weight / 16);

function halve(image) {
  const blurred = filtered(image, BINOMIAL, mirrored);
  const height = Math.ceil(image.height / 2), width = Math.ceil(image.width / 2);
  const small = { data: new Float32Array(3 * height * width), height, width };
  eachPixel(small, (plane, y, x) => blurred.data[(plane * image.height + 2 * y) * image.width + 2 * x]);
  return small;
}

// Twice as large: zeros between the pixels are blurred away.
function enlarge(small, image) {
  const { height, width } = image, spread = like(image), comb = like(image);
  eachPixel(spread, (plane, y, x) =>
    y % 2 || x % 2 ? 0 : small.data[(plane * small.height + y / 2) * small.width + x / 2]);
  eachPixel(comb, (plane, y, x) => (y % 2 || x % 2 ? 0 : 1));
  const above = filtered(spread, BINOMIAL, outside), below = filtered(comb, BINOMIAL, outside);
  return { data: above.data.map((value, i) => value / below.data[i]), height, width };
}

// ---- small tools

// To the nearest whole number, from the middle to the even one, as in Python.
export function rounded(value) {
  const below = Math.floor(value);
  return value - below === 0.5 ? below + (below % 2) : Math.round(value);
}

const modulo = (value, length) => ((value % length) + length) % length;
const like = ({ data, height, width }) => ({ data: new Float32Array(data.length), height, width });
const mapped = (image, change) => ({ ...image, data: image.data.map(change) });
const sum = (a, b) => ({ ...a, data: a.data.map((value, i) => value + b.data[i]) });
const difference = (a, b) => ({ ...a, data: a.data.map((value, i) => value - b.data[i]) });
const clamped = (image) => mapped(image, (value) => Math.min(1, Math.max(0, value)));
const peak = (image) => image.data.reduce((found, value) => Math.max(found, Math.abs(value)), 0);

function eachPixel(image, value) {
  for (let plane = 0, i = 0; plane < 3; plane++) {
    for (let y = 0; y < image.height; y++) {
      for (let x = 0; x < image.width; x++) image.data[i++] = value(plane, y, x);
    }
  }
}

function mirrored(place, length) {
  if (length === 1) return 0;
  const period = 2 * (length - 1), at = modulo(place, period);
  return at < length ? at : period - at;
}

const outside = (place, length) => (place < 0 || place >= length ? -1 : place);

// Filtered by one kernel down and across; `find` says which pixel stands for one beyond the border.
function filtered(image, kernel, find) {
  const { height, width } = image, reach = (kernel.length - 1) / 2;
  const down = like(image), across = like(image);
  for (let plane = 0; plane < 3; plane++) {
    for (let y = 0; y < height; y++) {
      const to = (plane * height + y) * width;
      for (let k = 0; k < kernel.length; k++) {
        const from = find(y + k - reach, height);
        if (from < 0) continue;
        const start = (plane * height + from) * width;
        for (let x = 0; x < width; x++) down.data[to + x] += kernel[k] * image.data[start + x];
      }
    }
  }
  const places = Array.from({ length: width }, (_, x) => kernel.map((_, k) => find(x + k - reach, width)));
  for (let row = 0; row < 3 * height; row++) {
    const start = row * width;
    for (let x = 0; x < width; x++) {
      let value = 0;
      for (let k = 0; k < kernel.length; k++) {
        if (places[x][k] >= 0) value += kernel[k] * down.data[start + places[x][k]];
      }
      across.data[start + x] = value;
    }
  }
  return across;
}

// Numbers from 0 to 1, the same for the same seed (mulberry32).
export function randomNumbers(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}
