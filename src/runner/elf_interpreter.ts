/** The dynamic loader that an ELF program asks for. Source: elf(5), PT_INTERP. */

const MAGIC = [0x7f, 0x45, 0x4c, 0x46];
const CLASS_64_BIT = 2;
const LITTLE_ENDIAN = 1;
const PROGRAM_HEADER_TYPE_INTERPRETER = 3;
const PROGRAM_HEADER_BYTES = 56;

/**
 * The path of the loader in the first bytes of a 64-bit little-endian ELF file. Undefined when it is no such file, when it is
 * linked statically, and when the path lies beyond the bytes given: then the kernel will tell.
 */
export function elfInterpreter(head: Uint8Array): string | undefined {
  if (!isElf(head) || head.length < 64 || head[4] !== CLASS_64_BIT || head[5] !== LITTLE_ENDIAN) return undefined;
  const view = new DataView(head.buffer, head.byteOffset, head.byteLength);
  const start = Number(view.getBigUint64(32, true));
  const entryBytes = view.getUint16(54, true);
  const count = view.getUint16(56, true);
  for (let index = 0; index < count; index++) {
    const at = start + index * entryBytes;
    if (at + PROGRAM_HEADER_BYTES > head.length) return undefined;
    if (view.getUint32(at, true) !== PROGRAM_HEADER_TYPE_INTERPRETER) continue;
    return textAt(head, Number(view.getBigUint64(at + 8, true)), Number(view.getBigUint64(at + 32, true)));
  }
  return undefined;
}

/** Whether a file that begins with these bytes is an ELF file of any kind. */
export function isElf(head: Uint8Array): boolean {
  return MAGIC.every((byte, index) => head[index] === byte);
}

function textAt(head: Uint8Array, offset: number, length: number): string | undefined {
  if (offset + length > head.length) return undefined;
  const text = new TextDecoder().decode(head.subarray(offset, offset + length));
  return text.split("\0")[0];
}
