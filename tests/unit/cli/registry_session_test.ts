import { equal, throws } from "node:assert/strict";
import type { CommandCall } from "../../../src/cli/command.ts";
import { UsageError } from "../../../src/cli/flag.ts";
import { parseFlags } from "../../../src/cli/parse_flags.ts";
import { REGISTRY_FLAGS } from "../../../src/cli/registry_flag_table.ts";
import { openRegistry } from "../../../src/cli/registry_session.ts";
import { recordingLogger } from "../../support/registry_world.ts";

function call(args: readonly string[]): CommandCall {
  const parsed = parseFlags(args, REGISTRY_FLAGS, { name: "x", summary: "" });
  if (parsed.kind !== "values") throw new TypeError("help was not asked for");
  const process: CommandCall["process"] = {
    args,
    env: {},
    version: "",
    writeOut: () => {},
    writeErr: () => {},
    readIn: () => Promise.resolve(""),
    signal: new AbortController().signal,
    selfCommand: [],
    currentDirectory: "/",
  };
  return { values: parsed.values, positionals: [], process, log: recordingLogger([]), conceal: () => {} };
}

Deno.test("openRegistry makes the registries of commands that have no push flags, and refuses wrong values", () => {
  using registry = openRegistry(call(["--registry-mirror=m.io"]));
  equal(registry.localPaths().length, 0);
  throws(() => openRegistry(call(["--registry-concurrency=0"])), UsageError);
  throws(
    () => openRegistry(call(["--registries-conf=/nonexistent"])),
    /Cannot read "\/nonexistent", the registries\.conf/,
  );
  throws(() => openRegistry(call(["--credential-helpers=aws"])), /expected env, google, ecr, acr, gitlab/);
});
