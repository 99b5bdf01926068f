/** The program under test as a command: the compiled binary, or with KILN_FROM_SOURCE=1 the sources as they are. */
import { type CommandOptions, type CommandResult, mustRun, runCommand } from "./run_command.ts";
import { ensureBinaries } from "./set_up.ts";

const MAIN = new URL("../../main.ts", import.meta.url).pathname;

/** The words that start the program. */
export async function kilnCommand(): Promise<readonly string[]> {
  if (Deno.env.get("KILN_FROM_SOURCE") === "1") {
    return ["env", "DENO_NO_UPDATE_CHECK=1", Deno.execPath(), "run", "-A", "--no-check", MAIN];
  }
  return [(await ensureBinaries()).kiln];
}

/** Runs it to success; gives its stdout without the last newline. */
export async function kiln(args: readonly string[], options: CommandOptions = {}): Promise<string> {
  return (await mustRun([...await kilnCommand(), ...args], { timeoutMs: 120_000, ...options })).trimEnd();
}

/** Runs it to whatever end. */
export async function tryKiln(args: readonly string[], options: CommandOptions = {}): Promise<CommandResult> {
  return await runCommand([...await kilnCommand(), ...args], { timeoutMs: 120_000, ...options });
}
