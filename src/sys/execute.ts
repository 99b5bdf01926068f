/** Turning this process into another program: what a parent would have set up is set here, then execve. */
import { closeFile, openFileForReading } from "./file.ts";
import { check, errno, libc, systemError } from "./libc.ts";
import { pathBuffer } from "./path_buffer.ts";
import { type RawPath, rawPath } from "./raw_path.ts";
import { AT_CWD } from "./stat.ts";

const LAST_SIGNAL = 31;
const SIG_DFL = 0n;
const SIG_SETMASK = 2;
const SIGNAL_SET_BYTES = 128;
const PR_SET_PDEATHSIG = 1;
const FIRST_INHERITED_FD = 3n;
const CLOSE_RANGE = 436n;
const CLOSE_RANGE_CLOEXEC = 4n;
const ALL_FDS = 0xffffffffn;

const encoder = new TextEncoder();

/** Asks the kernel to send this process `signalNumber` when the thread that started it ends. A change of user undoes it. */
export function dieWithParent(signalNumber: number): void {
  libc().prctl(PR_SET_PDEATHSIG, BigInt(signalNumber), 0n, 0n, 0n);
}

/** Puts /dev/null in the place of stdin, whatever that was. */
export function emptyStdin(): void {
  const fd = openFileForReading(AT_CWD, rawPath("/dev/null"));
  const number = Deno.build.arch === "aarch64" ? 24n : 292n;
  check(Number(libc().syscall(number, BigInt(fd), 0n, 0n)), "dup3");
  closeFile(fd);
}

/**
 * Executes the file `path` in place of this program. Comes back only when the kernel refuses, with a SystemError thrown.
 * Signals get their default action and none is blocked; of the open files only stdin, stdout and stderr stay.
 */
export function execute(path: RawPath, argv: readonly string[], env: readonly string[]): never {
  for (let number = 1; number <= LAST_SIGNAL; number++) libc().signal(number, SIG_DFL);
  libc().pthread_sigmask(SIG_SETMASK, new Uint8Array(SIGNAL_SET_BYTES), null);
  libc().syscall(CLOSE_RANGE, FIRST_INHERITED_FD, ALL_FDS, CLOSE_RANGE_CLOEXEC);
  const argvMemory = new StringArray(argv);
  const envMemory = new StringArray(env);
  libc().execve(pathBuffer(path), argvMemory.pointers(), envMemory.pointers());
  throw systemError("execve", path, errno());
}

/** Ends the process at once, without running anything that waits for its end. */
export function exitNow(code: number): never {
  libc()._exit(code);
  throw new TypeError("_exit came back");
}

/** A NULL-terminated array of C strings, and the memory that they are in. */
class StringArray {
  readonly #strings: readonly Uint8Array<ArrayBuffer>[];
  readonly #pointers: BigUint64Array<ArrayBuffer>;

  constructor(texts: readonly string[]) {
    this.#strings = texts.map((text) => encoder.encode(`${text}\0`));
    this.#pointers = new BigUint64Array(texts.length + 1);
    this.#strings.forEach((string, index) => {
      this.#pointers[index] = Deno.UnsafePointer.value(Deno.UnsafePointer.of(string));
    });
  }

  pointers(): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#pointers.buffer);
  }
}
