import { deepEqual, equal } from "node:assert/strict";
import { FolderRoots } from "../../../src/rootfs/folder_roots.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

Deno.test("FolderRoots opens one folder a stage, keeps it where it is and empties what is dropped", async () => {
  await using temp = await makeTempDir();
  const roots = new FolderRoots(rawPath(temp.path));
  const first = roots.open(0);
  const second = roots.open(1);
  equal(first.path, `${temp.path}/0`);
  equal((Deno.lstatSync(first.path).mode ?? 0) & 0o777, 0o755);
  Deno.writeTextFileSync(`${first.path}/f`, "");
  Deno.mkdirSync(`${second.path}/d`);
  equal(roots.keep(first).path, first.path);
  roots.drop(second);
  deepEqual([...Deno.readDirSync(first.path)].map((entry) => entry.name), ["f"]);
  deepEqual([...Deno.readDirSync(second.path)], []);
});
