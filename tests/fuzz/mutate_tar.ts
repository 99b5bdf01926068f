/** Archives that are almost right: a real one with some bytes changed, cut out, doubled or moved. */

/** A generator of numbers from 0 up to 1, the same for the same seed. */
export function randomNumbers(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let value = Math.imul(state ^ (state >>> 15), state | 1);
    value ^= value + Math.imul(value ^ (value >>> 7), value | 61);
    return ((value ^ (value >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** `tar` changed in one to eight places; half of the time the checksums of headers are made right again. */
export function mutateTar(tar: Uint8Array, random: () => number): Uint8Array {
  let bytes: Uint8Array = tar.slice();
  for (let count = 1 + Math.floor(random() * 8); count > 0; count--) bytes = mutateOnce(bytes, random);
  if (random() < 0.5) repairChecksums(bytes);
  return bytes;
}

const WORDS = [
  "../../outside/x",
  "/etc/x",
  ".wh.",
  ".wh..wh..opq",
  "GNU.sparse.map=",
  "99 path=",
  "\xff\xff",
  "99999999999",
];
const TYPE_FLAGS = "0123456789LKSxgVMND\0";

function mutateOnce(bytes: Uint8Array, random: () => number): Uint8Array {
  const at = Math.floor(random() * bytes.length);
  const block = at - at % 512;
  switch (Math.floor(random() * 7)) {
    case 0:
      bytes[at] = Math.floor(random() * 256);
      return bytes;
    case 1:
      bytes[block + 156] = TYPE_FLAGS.charCodeAt(Math.floor(random() * TYPE_FLAGS.length));
      return bytes;
    case 2: {
      const word = WORDS[Math.floor(random() * WORDS.length)] ?? "";
      const start = random() < 0.5 ? block : block + 157;
      for (let i = 0; i < word.length && start + i < bytes.length; i++) bytes[start + i] = word.charCodeAt(i);
      return bytes;
    }
    case 3: {
      const size = Math.floor(8 ** (random() * 11)).toString(8).padStart(11, "0");
      for (let i = 0; i < 11; i++) bytes[block + 124 + i] = size.charCodeAt(i);
      return bytes;
    }
    case 4:
      return bytes.slice(0, at);
    case 5:
      return joined(bytes.subarray(0, block), bytes.subarray(block, block + 1024), bytes.subarray(block));
    default:
      return joined(bytes.subarray(0, block), bytes.subarray(block + 512));
  }
}

function repairChecksums(bytes: Uint8Array): void {
  for (let block = 0; block + 512 <= bytes.length; block += 512) {
    if (bytes[block + 257] !== 0x75) continue; // "ustar"
    let sum = 8 * 0x20;
    for (let i = 0; i < 512; i++) if (i < 148 || i >= 156) sum += bytes[block + i] ?? 0;
    const text = `${sum.toString(8).padStart(6, "0")}\0 `;
    for (let i = 0; i < 8; i++) bytes[block + 148 + i] = text.charCodeAt(i);
  }
}

function joined(...parts: readonly Uint8Array[]): Uint8Array {
  const whole = new Uint8Array(parts.reduce((sum, part) => sum + part.length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}
