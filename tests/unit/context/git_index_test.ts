import { deepEqual, equal } from "node:assert/strict";
import { gitIndex } from "../../../src/context/git_index.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { mustRun } from "../../support/run_command.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

Deno.test("gitIndex writes an index that git reads, sorted", async () => {
  await using folder = await makeTempDir();
  await mustRun(["git", "init", "--quiet"], { cwd: folder.path });
  const id = "0123456789abcdef0123456789abcdef01234567";
  const entries = [
    { path: rawPath("b"), kind: "file" as const, id },
    { path: rawPath("a/long-enough-to-need-other-padding"), kind: "program" as const, id },
    { path: rawPath("a-b"), kind: "symlink" as const, id },
    { path: rawPath("c"), kind: "commit" as const, id },
  ];
  await Deno.writeFile(`${folder.path}/.git/index`, await gitIndex(entries));
  const listed = await mustRun(["git", "ls-files", "--stage"], { cwd: folder.path });
  deepEqual(listed.trim().split("\n"), [
    `120000 ${id} 0\ta-b`,
    `100755 ${id} 0\ta/long-enough-to-need-other-padding`,
    `100644 ${id} 0\tb`,
    `160000 ${id} 0\tc`,
  ]);
});

Deno.test("gitIndex of nothing is a header and its digest", async () => {
  equal((await gitIndex([])).length, 12 + 20);
});
