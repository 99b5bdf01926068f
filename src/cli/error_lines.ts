/** stderr belongs to the log and to the commands of a build: a record begins a line of its own, whatever a command has left. */

/** The two writers of one stream. */
export interface ErrorLines {
  /** Passes bytes of a command on as they are. */
  readonly writeBytes: (bytes: Uint8Array) => void;
  /** Writes a record, after a newline where the last bytes had none at their end. */
  readonly writeRecord: (text: string) => void;
}

/** Writers for the stream behind `write`. */
export function errorLines(write: (bytes: Uint8Array) => void): ErrorLines {
  const encoder = new TextEncoder();
  let isLineOpen = false;
  const writeBytes = (bytes: Uint8Array): void => {
    if (bytes.length === 0) return;
    isLineOpen = bytes.at(-1) !== NEWLINE;
    write(bytes);
  };
  return { writeBytes, writeRecord: (text) => writeBytes(encoder.encode(isLineOpen ? `\n${text}` : text)) };
}

const NEWLINE = 10;
