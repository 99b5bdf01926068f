/** The flags that say what is printed, which all commands share. */
import type { Flag } from "./flag.ts";

/** What is said, and how. */
export const LOG_FLAGS: readonly Flag[] = [
  {
    name: "verbosity",
    short: "v",
    kind: "text",
    initial: "info",
    choices: ["panic", "fatal", "error", "warn", "info", "debug", "trace"],
    summary: "Least important records to print",
  },
  {
    name: "log-format",
    kind: "text",
    initial: "text",
    choices: ["text", "color", "json"],
    summary: "How records are printed; coloured by default on a terminal only",
  },
  { name: "log-timestamp", kind: "boolean", initial: false, summary: "Print the time of each record" },
];
