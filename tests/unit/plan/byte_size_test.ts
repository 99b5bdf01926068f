import { equal } from "node:assert/strict";
import { parseByteSize } from "../../../src/plan/byte_size.ts";

const CASES: readonly (readonly [text: string, bytes: number | undefined])[] = [
  ["0", 0],
  ["17", 17],
  ["17b", 17],
  ["1k", 1024],
  ["2 KiB", 2048],
  ["1.5m", 1572864],
  ["128MB", 134217728],
  ["1g", 1073741824],
  ["", undefined],
  ["m", undefined],
  ["-1", undefined],
  ["1x", undefined],
  ["1mm", undefined],
  ["9999999999p", undefined],
];

for (const [text, bytes] of CASES) {
  Deno.test(`parseByteSize gives ${bytes} when told ${JSON.stringify(text)}`, () => equal(parseByteSize(text), bytes));
}
