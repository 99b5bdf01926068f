/** The last lines of a command's output, kept in bounded memory while all of it passes by. */

const MAX_LINES = 20;
const MAX_LINE_CHARS = 1000;

/** Collects the ends of stdout and stderr. */
export class OutputTail {
  readonly #lines: string[] = [];
  readonly #streams = { stdout: new LineSplitter(), stderr: new LineSplitter() };

  /** Takes the next bytes of a stream. */
  add(stream: "stdout" | "stderr", bytes: Uint8Array): void {
    for (const line of this.#streams[stream].split(bytes)) this.#push(line);
  }

  /** The last lines so far, without line ends; an unfinished line counts. */
  lines(): readonly string[] {
    const unfinished = [this.#streams.stdout.rest(), this.#streams.stderr.rest()].filter((line) => line !== "");
    return [...this.#lines, ...unfinished].slice(-MAX_LINES);
  }

  #push(line: string): void {
    this.#lines.push(line);
    if (this.#lines.length > MAX_LINES) this.#lines.shift();
  }
}

/** Cuts one stream into lines; of a chunk only the end that can matter is decoded. */
class LineSplitter {
  readonly #decoder = new TextDecoder();
  #rest = "";

  split(bytes: Uint8Array): readonly string[] {
    const end = bytes.subarray(Math.max(0, bytes.length - MAX_LINES * MAX_LINE_CHARS));
    if (end.length < bytes.length) this.#rest = "";
    const parts = (this.#rest + this.#decoder.decode(end, { stream: true })).split("\n");
    this.#rest = (parts.pop() ?? "").slice(0, MAX_LINE_CHARS);
    return parts.slice(-MAX_LINES).map(cleanLine);
  }

  rest(): string {
    return cleanLine(this.#rest);
  }
}

function cleanLine(line: string): string {
  return line.slice(0, MAX_LINE_CHARS).replace(/\r$/, "");
}
