/** How a step is shown to people while the build goes on. */
import type { StageInstruction } from "../dockerfile/instruction.ts";

/** Gives the instruction as written, on one line. Values of variables are not in it, so neither are secrets. */
export function stepTitle(instruction: StageInstruction): string {
  return instruction.raw.replace(/\s*[\r\n]\s*/g, " ").trim();
}
