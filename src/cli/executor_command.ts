/** The build: what runs when no verb is named. */
import { build } from "../build/build.ts";
import { buildRequest } from "./build_request.ts";
import type { Command, CommandCall } from "./command.ts";
import { EXECUTOR_FLAGS } from "./executor_flags.ts";

/** Builds an image; its digest, or with --dryrun the plan, goes to stdout. */
export const EXECUTOR_COMMAND: Command = {
  name: "executor",
  summary: "Builds a container image from a Dockerfile, without a daemon and without privileges.",
  flags: EXECUTOR_FLAGS,
  positionals: [],
  run: runBuild,
};

async function runBuild({ values, process, log }: CommandCall): Promise<number> {
  const outcome = await build(buildRequest(values, process.env), {
    log,
    signal: process.signal,
    nowMs: Date.now,
    env: process.env,
    selfCommand: process.selfCommand,
    currentDirectory: process.currentDirectory,
    stepOutput: (_stream, bytes) => process.writeErr(bytes),
  });
  process.writeOut(outcome.kind === "planned" ? outcome.text : `${outcome.result.digest}\n`);
  return 0;
}
