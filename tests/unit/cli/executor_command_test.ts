import { deepEqual, equal, match } from "node:assert/strict";
import { EXECUTOR_COMMAND } from "../../../src/cli/executor_command.ts";
import { EXECUTOR_FLAGS } from "../../../src/cli/executor_flags.ts";
import { runCli } from "../../support/cli_world.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

Deno.test("EXECUTOR_COMMAND prints the plan of a dry run, and builds nothing", async () => {
  await using folder = await makeTempDir();
  await Deno.writeTextFile(`${folder.path}/Dockerfile`, "FROM scratch\nCOPY Dockerfile /x\n");
  const { code, out, err } = await runCli(["--dryrun", `--context=${folder.path}`, "--no-push"]);
  equal(code, 0, err);
  match(out, /COPY Dockerfile \/x/);
});

Deno.test("EXECUTOR_COMMAND takes the executor's flags and no other words", async () => {
  deepEqual(EXECUTOR_COMMAND.flags, EXECUTOR_FLAGS);
  equal((await runCli(["--no-push", "word"])).code, 2);
});
