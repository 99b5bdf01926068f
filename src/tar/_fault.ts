/** What is wrong with an archive, before the parser adds where: the message is only the reason. */
import { FormatError } from "../errors.ts";
import type { RawPath } from "../sys/raw_path.ts";

/** Thrown by this folder's decoders, and turned into a full sentence by the parser. */
export class TarFault extends FormatError {
  constructor(reason: string, readonly path?: RawPath) {
    super(reason);
  }
}
