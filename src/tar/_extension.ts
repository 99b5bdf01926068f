/** Collects the extension members (PAX local headers, GNU long names) that stand before a member, within a bound. */
import { TarFault } from "./_fault.ts";
import { BLOCK_BYTES } from "./header.ts";
import { cutAtNul, type HeaderExtension } from "./parse_header.ts";
import { latin1Text, parsePaxRecords } from "./pax.ts";

/** Whether a type flag is of a member that says something about the next one. */
export function isExtensionFlag(flag: string): boolean {
  return flag === "x" || flag === "X" || flag === "L" || flag === "K";
}

/** What the extension members since the last member said. Later ones win over earlier ones. */
export class ExtensionCollector {
  readonly #maxBytes: number;
  #bytes = 0;
  #flag = "";
  #body = new Uint8Array(0);
  #fill = 0;
  #extension: HeaderExtension | undefined;

  constructor(maxBytes: number) {
    this.#maxBytes = maxBytes;
  }

  /** Whether anything was collected that no member has taken. */
  get isPending(): boolean {
    return this.#extension !== undefined;
  }

  /** Begins an extension member with a body of `sizeBytes`. Throws FormatError beyond the bound. */
  start(flag: string, sizeBytes: number): void {
    this.#bytes += BLOCK_BYTES + sizeBytes;
    if (this.#bytes > this.#maxBytes) {
      throw new TarFault(`its extended headers are larger than ${this.#maxBytes} bytes`);
    }
    this.#flag = flag;
    this.#body = new Uint8Array(sizeBytes);
    this.#fill = 0;
    this.#extension ??= {};
  }

  /** Takes the next bytes of the body. */
  push(bytes: Uint8Array): void {
    this.#body.set(bytes, this.#fill);
    this.#fill += bytes.length;
  }

  /** Reads the body, which is complete. Throws FormatError. */
  finish(): void {
    const body = this.#body;
    this.#body = new Uint8Array(0);
    if (this.#flag === "x" || this.#flag === "X") {
      const records = [...(this.#extension?.records ?? []), ...parsePaxRecords(body)];
      this.#extension = { ...this.#extension, records };
      return;
    }
    const path = cutAtNul(latin1Text(body, 0, body.length));
    this.#extension = { ...this.#extension, ...(this.#flag === "L" ? { longPath: path } : { longLink: path }) };
  }

  /** Hands over what was collected and begins anew. */
  take(): HeaderExtension | undefined {
    const extension = this.#extension;
    this.#extension = undefined;
    this.#bytes = 0;
    return extension;
  }
}
