/**
 * Bytes of a Dockerfile -> its lines as they stand in the file. Bounds the length of each, and notes which are not text.
 */
import { DockerfileError } from "./instruction.ts";

/** One line of the file. */
export interface PhysicalLine {
  /** Without its line end; bytes that are not UTF-8 are replaced. */
  readonly text: string;
  /** The line end as written: carriage returns and the line feed, whichever there are. */
  readonly ending: string;
  /** False when `text` is not what the file holds. */
  readonly isText: boolean;
}

/** The longest line that BuildKit reads, its line feed not counted. */
export const MAX_LINE_BYTES = 65535;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf];

/** Splits a file at line feeds and drops a byte order mark. Throws DockerfileError for a line that is too long. */
export function splitPhysicalLines(source: Uint8Array): readonly PhysicalLine[] {
  const lines: PhysicalLine[] = [];
  let start = 0;
  while (start < source.length) {
    const feed = source.indexOf(LINE_FEED, start);
    const end = feed < 0 ? source.length : feed;
    const number = lines.length + 1;
    if (end - start > MAX_LINE_BYTES) {
      throw new DockerfileError(
        `Cannot read line ${number}: it is longer than the allowed ${MAX_LINE_BYTES} bytes`,
        { startLine: number, endLine: number },
      );
    }
    lines.push(decodeLine(source.subarray(skipMark(source, start), end), feed < 0 ? "" : "\n"));
    start = end + 1;
  }
  return lines;
}

function skipMark(source: Uint8Array, start: number): number {
  const hasMark = start === 0 && BYTE_ORDER_MARK.every((byte, index) => source[index] === byte);
  return hasMark ? BYTE_ORDER_MARK.length : start;
}

function decodeLine(bytes: Uint8Array, lineFeed: string): PhysicalLine {
  let end = bytes.length;
  while (end > 0 && bytes[end - 1] === CARRIAGE_RETURN) end--;
  const ending = "\r".repeat(bytes.length - end) + lineFeed;
  const content = bytes.subarray(0, end);
  try {
    return { text: new TextDecoder("utf-8", { fatal: true, ignoreBOM: true }).decode(content), ending, isText: true };
  } catch {
    // Comments may hold anything; the scanner complains when such a line matters.
    return { text: new TextDecoder("utf-8", { ignoreBOM: true }).decode(content), ending, isText: false };
  }
}
