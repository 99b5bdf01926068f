/** How a step is shown to people while the build goes on. */
import { redactCredentials } from "../context/remote_url.ts";
import type { StageInstruction } from "../dockerfile/instruction.ts";

/** Gives the instruction as written, on one line, logins of URLs masked. Values of variables are not in it, so neither are their secrets. */
export function stepTitle(instruction: StageInstruction): string {
  return redactCredentials(instruction.raw.replace(/\s*[\r\n]\s*/g, " ").trim());
}
