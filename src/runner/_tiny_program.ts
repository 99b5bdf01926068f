/**
 * The smallest program of each Linux architecture: an ELF file whose only act is `exit(0)`. To start one is the plainest
 * way to ask a kernel whether it runs that architecture, by itself or through an emulator.
 */

/** What an ELF header says of an architecture, and the code that leaves with status 0. */
interface Machine {
  /** `e_machine`. */
  readonly number: number;
  readonly bits: 32 | 64;
  readonly isBigEndian?: boolean;
  /** `e_flags`. */
  readonly flags?: number;
  readonly code: string;
}

/** By the architecture's name in images. Codes are bytes in hexadecimal, in the order of memory. */
const MACHINES: Readonly<Record<string, Machine>> = {
  "386": { number: 3, bits: 32, code: "31db b801000000 cd80" },
  amd64: { number: 62, bits: 64, code: "31ff b83c000000 0f05" },
  arm: { number: 40, bits: 32, flags: 0x05000000, code: "0000a0e3 0170a0e3 000000ef" },
  arm64: { number: 183, bits: 64, code: "000080d2 a80b80d2 010000d4" },
  loong64: { number: 258, bits: 64, flags: 0x43, code: "04008003 0b748103 00002b00" },
  mips64le: { number: 8, bits: 64, flags: 0x60000000, code: "00000424 c2130224 0c000000" },
  ppc64le: { number: 21, bits: 64, flags: 2, code: "00006038 01000038 02000044" },
  riscv64: { number: 243, bits: 64, code: "13050000 9308d005 73000000" },
  s390x: { number: 22, bits: 64, isBigEndian: true, code: "a7290000 0a01" },
};
const LOAD_ADDRESS = 0x10000;
const LOADABLE = 1;
const READ_AND_EXECUTE = 5;

/** The bytes of the program for `architecture`; undefined for one that is not known here. */
export function tinyProgram(architecture: string): Uint8Array | undefined {
  const machine = Object.hasOwn(MACHINES, architecture) ? MACHINES[architecture] : undefined;
  if (machine === undefined) return undefined;
  const code = Uint8Array.from(
    machine.code.replaceAll(" ", "").match(/../g) ?? [],
    (byte) => Number.parseInt(byte, 16),
  );
  const is64 = machine.bits === 64;
  const headerSize = is64 ? 64 : 52;
  const start = headerSize + (is64 ? 56 : 32);
  const bytes = new Uint8Array(start + code.length);
  const writer = new FieldWriter(bytes, machine);
  writeHeader(writer, machine, headerSize, start);
  writeSegment(writer, bytes.length, is64);
  bytes.set(code, start);
  return bytes;
}

/** Writes numbers one after another; addresses have the width of the machine. */
class FieldWriter {
  readonly #view: DataView;
  readonly #isLittle: boolean;
  readonly #is64: boolean;
  #at = 0;

  constructor(bytes: Uint8Array<ArrayBuffer>, { bits, isBigEndian }: Machine) {
    this.#view = new DataView(bytes.buffer);
    this.#isLittle = isBigEndian !== true;
    this.#is64 = bits === 64;
  }

  bytes(...values: readonly number[]): void {
    for (const value of values) this.#view.setUint8(this.#at++, value);
  }

  half(value: number): void {
    this.#view.setUint16(this.#at, value, this.#isLittle);
    this.#at += 2;
  }

  word(value: number): void {
    this.#view.setUint32(this.#at, value, this.#isLittle);
    this.#at += 4;
  }

  address(value: number): void {
    if (!this.#is64) return this.word(value);
    this.#view.setBigUint64(this.#at, BigInt(value), this.#isLittle);
    this.#at += 8;
  }
}

/** Source: System V ABI, object files. */
function writeHeader(writer: FieldWriter, machine: Machine, headerSize: number, start: number): void {
  const { number, bits, isBigEndian, flags } = machine;
  writer.bytes(0x7f, 0x45, 0x4c, 0x46, bits === 64 ? 2 : 1, isBigEndian ? 2 : 1, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  writer.half(2); // an executable
  writer.half(number);
  writer.word(1);
  writer.address(LOAD_ADDRESS + start);
  writer.address(headerSize);
  writer.address(0); // no sections
  writer.word(flags ?? 0);
  writer.half(headerSize);
  writer.half(start - headerSize);
  writer.half(1);
  writer.half(0);
  writer.half(0);
  writer.half(0);
}

function writeSegment(writer: FieldWriter, size: number, is64: boolean): void {
  writer.word(LOADABLE);
  if (is64) writer.word(READ_AND_EXECUTE);
  writer.address(0);
  writer.address(LOAD_ADDRESS);
  writer.address(LOAD_ADDRESS);
  writer.address(size);
  writer.address(size);
  if (!is64) writer.word(READ_AND_EXECUTE);
  writer.address(LOAD_ADDRESS);
}
