// The passport of a dream, and a PNG that carries it, as `dreamkit again` reads them.

export async function passportOf(base, { choice, settings, image, photo, side, done }) {
  const { height, width } = image, total = settings.steps * settings.octaves;
  return {
    ...base,
    objective: choice.objective,
    settings: { ...choice.settings, ...settings },
    source: {
      kind: photo.kind, name: photo.name.slice(-200), side: Math.max(height, width), height, width,
      sha256: await digest(image),
    },
    ...(done < total ? { stopped: done } : {}),
  };
}

// The sha256 of the pixels as dreamkit counts them: their kind, their shape, then float32 numbers.
async function digest({ data, height, width }) {
  const head = new TextEncoder().encode(`float32 [1, 3, ${height}, ${width}] `);
  const bytes = new Uint8Array(head.length + data.byteLength);
  bytes.set(head);
  bytes.set(new Uint8Array(data.buffer, data.byteOffset, data.byteLength), head.length);
  const found = await crypto.subtle.digest("SHA-256", bytes);
  return [...new Uint8Array(found)].map((byte) => byte.toString(16).padStart(2, "0")).join("");
}

// The PNG with a text chunk "dreamkit", put before the pixels.
export function withPassport(png, passport) {
  const text = new TextEncoder().encode(`tEXtdreamkit\0${ascii(JSON.stringify(passport))}`);
  const chunk = new Uint8Array(4 + text.length + 4), view = new DataView(chunk.buffer);
  view.setUint32(0, text.length - 4);
  chunk.set(text, 4);
  view.setUint32(4 + text.length, checksum(text));
  const header = 8 + 25; // the signature, then the chunk IHDR
  const made = new Uint8Array(png.length + chunk.length);
  made.set(png.subarray(0, header));
  made.set(chunk, header);
  made.set(png.subarray(header), header + chunk.length);
  return made;
}

const ascii = (text) => text.replace(/[^\x00-\x7f]/g, (c) => `\\u${c.charCodeAt(0).toString(16).padStart(4, "0")}`);

// CRC-32, as PNG wants it.
export function checksum(bytes) {
  let found = 0xffffffff;
  for (const byte of bytes) {
    found ^= byte;
    for (let bit = 0; bit < 8; bit++) found = (found >>> 1) ^ (found & 1 ? 0xedb88320 : 0);
  }
  return (found ^ 0xffffffff) >>> 0;
}
