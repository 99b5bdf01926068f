import { deepEqual } from "node:assert/strict";
import { ImplicitDirectories } from "../../../src/rootfs/implicit_directories.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { TempRoot } from "../../support/temp_root.ts";

const OWNERSHIP = { uid: 0, gid: 0, mode: 0o755 };

function seconds(temp: TempRoot, ...paths: readonly string[]): number[] {
  return paths.map((path) => (Deno.lstatSync(temp.host(path)).mtime?.getTime() ?? 0) / 1000);
}

Deno.test("ImplicitDirectories gives what it makes its time and leaves that of what was there", () => {
  using temp = new TempRoot();
  temp.directory("/old");
  Deno.utimeSync(temp.host("/old"), 77, 77);
  const directories = new ImplicitDirectories(temp.rootfs, 5_000_000_000n);
  deepEqual(directories.make(rawPath("/old/new/deep"), OWNERSHIP), ["/old/new", "/old/new/deep"]);
  temp.file("/old/new/deep/f");
  deepEqual(directories.make(rawPath("/old/new/deep"), OWNERSHIP), []);
  directories.finish();
  deepEqual(seconds(temp, "/old", "/old/new", "/old/new/deep"), [77, 5, 5]);
});

Deno.test("ImplicitDirectories lets a step's own time stand", () => {
  using temp = new TempRoot();
  temp.directory("/old");
  const directories = new ImplicitDirectories(temp.rootfs, 5_000_000_000n);
  directories.make(rawPath("/old/new"), OWNERSHIP);
  directories.setTime(rawPath("/old/new"), 9_000_000_000n);
  directories.finish();
  deepEqual(seconds(temp, "/old/new"), [9]);
});
