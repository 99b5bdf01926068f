import { deepEqual } from "node:assert/strict";
import { LOG_FLAGS } from "../../../src/cli/log_flags.ts";

Deno.test("LOG_FLAGS has kaniko's names", () => {
  deepEqual(
    LOG_FLAGS.map((flag) => [flag.name, flag.kind === "list" ? undefined : flag.initial]),
    [["verbosity", "info"], ["log-format", "text"], ["log-timestamp", false]],
  );
});
