/** What applying a layer has to tell people: each thing once, however many members it concerns. */
import type { Logger } from "../log/logger.ts";
import { SystemError } from "../sys/libc.ts";
import { isWithin, pathText, type RawPath } from "../sys/raw_path.ts";
import type { Rootfs } from "./rootfs.ts";

/** Places that hold no files of an image, so that nobody misses what a layer has there. */
const KERNEL_PLACES = ["/proc", "/sys", "/dev"] as RawPath[];
const REFUSALS = ["EPERM", "EOPNOTSUPP"];

/** Notices of one layer. */
export class ExtractNotices {
  readonly #log: Logger | undefined;
  readonly #rootfs: Rootfs;
  readonly #told = new Set<string>();

  constructor(rootfs: Rootfs, log: Logger | undefined) {
    this.#rootfs = rootfs;
    this.#log = log;
  }

  /** The member at `inner` is left out, as it is in, or would remove, a protected place. */
  protectedPlace(inner: RawPath): void {
    const places = this.#rootfs.protectedPaths;
    const place = places.find((path) => isWithin(inner, path)) ?? places.find((path) => isWithin(path, inner)) ?? inner;
    if (this.#isTold(`place ${place}`)) return;
    const isKernels = KERNEL_PLACES.some((path) => isWithin(place, path));
    const message = `Leaving "${
      pathText(place)
    }" as it is: it is not part of the image, though a layer has files there`;
    if (isKernels) this.#log?.debug(message);
    else this.#log?.warn(message);
  }

  /** Whether `error` is a refusal of the attribute that can be lived with; it is told if so. */
  isXattrRefusal(name: string, error: unknown): boolean {
    if (!(error instanceof SystemError) || !REFUSALS.includes(error.errnoName)) return false;
    if (!this.#isTold(`xattr ${name}`)) {
      this.#log?.warn(`Extended attribute "${name}" is left out wherever a layer has it: ${error.message}`);
    }
    return true;
  }

  /** Whether `error` is a refusal to make device nodes; it is told if so. */
  isDeviceRefusal(error: unknown, inner: RawPath): boolean {
    if (!(error instanceof SystemError) || error.errnoName !== "EPERM" || error.syscall !== "mknodat") return false;
    if (!this.#isTold("device")) {
      this.#log?.warn(`Device nodes are left out, from "${pathText(inner)}" on: making them is not permitted here`);
    }
    return true;
  }

  #isTold(key: string): boolean {
    if (this.#told.has(key)) return true;
    this.#told.add(key);
    return false;
  }
}
