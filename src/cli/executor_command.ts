/** The build: what runs when no verb is named. */
import { build } from "../build/build.ts";
import { buildRequest } from "./build_request.ts";
import { checkStatus, formatCheckJson, formatCheckText } from "./check_report.ts";
import type { Command, CommandCall } from "./command.ts";
import { EXECUTOR_FLAGS } from "./executor_flags.ts";
import type { FlagValues } from "./flag.ts";

/** Builds an image; its digest, or with --dryrun the plan, with --check what it found, goes to stdout. */
export const EXECUTOR_COMMAND: Command = {
  name: "executor",
  summary: "Builds a container image from a Dockerfile, without a daemon and without privileges.",
  flags: EXECUTOR_FLAGS,
  positionals: [],
  run: runBuild,
};

async function runBuild({ values, process, log, conceal }: CommandCall): Promise<number> {
  const outcome = await build(buildRequest(values, process.env), {
    log,
    signal: process.signal,
    nowMs: Date.now,
    env: process.env,
    selfCommand: process.selfCommand,
    currentDirectory: process.currentDirectory,
    conceal,
    stepOutput: (_stream, bytes) => process.writeErr(bytes),
  });
  switch (outcome.kind) {
    case "built":
      process.writeOut(`${outcome.result.digest}\n`);
      return 0;
    case "planned":
      process.writeOut(outcome.text);
      return 0;
    case "checked": {
      const { report } = outcome;
      process.writeOut(wantsJson(values) ? formatCheckJson(report) : formatCheckText(report));
      return checkStatus(report);
    }
  }
}

function wantsJson(values: FlagValues): boolean {
  const check = values.text("check");
  return check === "json" || (check !== "text" && values.text("log-format") === "json");
}
