import { deepEqual, equal, rejects } from "node:assert/strict";
import { WorkFolder } from "../../../src/build/work_folder.ts";
import { ContextError } from "../../../src/context/context_error.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

Deno.test("WorkFolder makes its parts and removes them all when it is disposed", async () => {
  await using temp = await makeTempDir();
  const parent = `${temp.path}/not/there`;
  {
    await using work = await WorkFolder.create(parent);
    equal(work.path.startsWith(`${parent}/build-`), true);
    for (const part of [work.stages, work.images, work.launch, work.layout.path]) {
      equal(Deno.lstatSync(part).isDirectory, true);
    }
    await Deno.writeTextFile(`${work.stages}/f`, "");
  }
  deepEqual([...Deno.readDirSync(parent)], []);
});

Deno.test("WorkFolder names the folder when it cannot be made", async () => {
  await using temp = await makeTempDir();
  await Deno.writeTextFile(`${temp.path}/file`, "");
  await rejects(WorkFolder.create(`${temp.path}/file/x`), (error: unknown) => {
    return error instanceof ContextError && error.message.includes(`${temp.path}/file/x`);
  });
});
