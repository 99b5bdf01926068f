/** A command as a value: its flags as a table, what it takes besides, and what it does. */
import type { Logger } from "../log/logger.ts";
import type { CliProcess } from "./cli_process.ts";
import type { Flag, FlagValues } from "./flag.ts";

/** One run of a command. */
export interface CommandCall {
  readonly values: FlagValues;
  /** What stands on the command line besides flags. */
  readonly positionals: readonly string[];
  readonly process: CliProcess;
  readonly log: Logger;
  /** Takes a text that no record of the log may show from now on. */
  readonly conceal: (secret: string) => void;
}

/** One verb. */
export interface Command {
  readonly name: string;
  readonly summary: string;
  readonly flags: readonly Flag[];
  /** Words that must follow, in commander's form: "<image>", "<image...>". */
  readonly positionals: readonly string[];
  /** Gives the exit status; throws BuilderErrors. */
  readonly run: (call: CommandCall) => Promise<number>;
}
