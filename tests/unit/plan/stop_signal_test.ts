import { strictEqual } from "node:assert/strict";
import { isStopSignal } from "../../../src/plan/stop_signal.ts";

const CASES: readonly (readonly [text: string, isSignal: boolean])[] = [
  ["SIGTERM", true],
  ["sigint", true],
  ["KILL", true],
  ["Usr1", true],
  ["9", true],
  ["64", true],
  ["RTMIN", true],
  ["SIGRTMIN+3", true],
  ["RTMIN+15", true],
  ["RTMAX-14", true],
  ["", false],
  ["0", false],
  ["65", false],
  ["-9", false],
  ["9.5", false],
  ["FOO", false],
  ["SIG", false],
  ["SIGSIGTERM", false],
  ["RTMIN+16", false],
  ["RTMAX-15", false],
  ["RTMIN+0", false],
];

for (const [text, isSignal] of CASES) {
  Deno.test(`isStopSignal is ${isSignal} when told "${text}"`, () => strictEqual(isStopSignal(text), isSignal));
}
