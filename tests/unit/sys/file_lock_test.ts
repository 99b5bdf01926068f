import { equal, notEqual } from "node:assert/strict";
import { tryLockFile } from "../../../src/sys/file_lock.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

Deno.test("tryLockFile gives one exclusive lock or several shared ones", async () => {
  await using folder = await makeTempDir();
  const path = rawPath(`${folder.path}/lock`);
  {
    using _exclusive = tryLockFile(path, "exclusive");
    equal(tryLockFile(path, "exclusive"), undefined);
    equal(tryLockFile(path, "shared"), undefined);
  }
  using first = tryLockFile(path, "shared");
  using second = tryLockFile(path, "shared");
  notEqual(first, undefined);
  notEqual(second, undefined);
  equal(tryLockFile(path, "exclusive"), undefined);
});

Deno.test("a lock becomes another kind only when nobody is in the way", async () => {
  await using folder = await makeTempDir();
  const path = rawPath(`${folder.path}/lock`);
  using first = tryLockFile(path, "exclusive");
  equal(first?.convert("shared"), true);
  const second = tryLockFile(path, "shared");
  equal(first?.convert("exclusive"), false);
  second?.[Symbol.dispose]();
  second?.[Symbol.dispose]();
  equal(first?.convert("exclusive"), true);
  equal(tryLockFile(path, "shared"), undefined);
});
