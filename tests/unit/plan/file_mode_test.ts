import { strictEqual } from "node:assert/strict";
import { isFileMode } from "../../../src/plan/file_mode.ts";

const CASES: readonly (readonly [text: string, isMode: boolean])[] = [
  ["0", true],
  ["644", true],
  ["0755", true],
  ["07777", true],
  ["u=rwX,go=rX", true],
  ["+x", true],
  ["g=u", true],
  ["a-w,u+s,+t", true],
  ["u=rw+x", true],
  ["go=", true],
  ["", false],
  ["10000", false],
  ["64a", false],
  ["888", false],
  ["-0644", false],
  ["u", false],
  ["u=rwx,", false],
  ["u=q", false],
  ["u rwx", false],
];

for (const [text, isMode] of CASES) {
  Deno.test(`isFileMode is ${isMode} when told "${text}"`, () => strictEqual(isFileMode(text), isMode));
}
