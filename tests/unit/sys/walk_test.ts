import { deepEqual, equal, throws } from "node:assert/strict";
import { closeFile, openDirectory } from "../../../src/sys/file.ts";
import { comparePaths, type RawPath, rawPath, rawPathFromBytes } from "../../../src/sys/raw_path.ts";
import { symlink } from "../../../src/sys/inode.ts";
import { SystemError } from "../../../src/sys/libc.ts";
import { AT_CWD, type StatBuffer } from "../../../src/sys/stat.ts";
import { directoryNames, listDirectory, walk } from "../../../src/sys/walk.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

/** All paths below `root` in the order of the walk; `isEntered` says where to descend. */
function pathsOf(root: string, isEntered: (path: string) => boolean = () => true): string[] {
  const paths: string[] = [];
  const open: RawPath[] = [];
  walk(rawPath(root), {
    enter(name: RawPath, stat: StatBuffer): boolean {
      const path = [...open, name].join("/");
      paths.push(path);
      if (stat.type !== "directory" || !isEntered(path)) return false;
      open.push(name);
      return true;
    },
    leave: () => void open.pop(),
  });
  equal(open.length, 0);
  return paths;
}

Deno.test("walk reports parents before children in byte order", async () => {
  await using folder = await makeTempDir();
  for (const name of ["a/b", "a.b", "b/c/d", "empty"]) await Deno.mkdir(`${folder.path}/${name}`, { recursive: true });
  await Deno.writeTextFile(`${folder.path}/b/file`, "x");
  symlink(AT_CWD, rawPath(`${folder.path}/link`), rawPath("b"));
  const paths = pathsOf(folder.path);
  deepEqual(paths, ["a", "a/b", "a.b", "b", "b/c", "b/c/d", "b/file", "empty", "link"]);
  deepEqual(paths, [...paths].sort((x, y) => comparePaths(rawPath(x), rawPath(y))));
});

Deno.test("walk does not descend where the visitor says no", async () => {
  await using folder = await makeTempDir();
  await Deno.mkdir(`${folder.path}/a/b`, { recursive: true });
  await Deno.mkdir(`${folder.path}/c/d`, { recursive: true });
  deepEqual(pathsOf(folder.path, (path) => path !== "a"), ["a", "c", "c/d"]);
});

Deno.test("walk sees every entry of a directory that is larger than its buffer", async () => {
  await using folder = await makeTempDir();
  const names = Array.from({ length: 3000 }, (_, index) => `${"n".repeat(60)}${String(index).padStart(4, "0")}`);
  await Promise.all(names.map((name) => Deno.writeTextFile(`${folder.path}/${name}`, "")));
  deepEqual(pathsOf(folder.path), names);
});

Deno.test("listDirectory and directoryNames give names that are not UTF-8", async () => {
  await using folder = await makeTempDir();
  const name = rawPathFromBytes(new Uint8Array([0xc3, 0x28, 0x0a]));
  symlink(AT_CWD, `${folder.path}/${name}` as RawPath, rawPath("x"));
  deepEqual(listDirectory(rawPath(folder.path)), [name]);
  const fd = openDirectory(AT_CWD, rawPath(folder.path));
  deepEqual(directoryNames(fd), [name]);
  closeFile(fd);
});

Deno.test("walk refuses a root that is a symlink or not there", async () => {
  await using folder = await makeTempDir();
  symlink(AT_CWD, rawPath(`${folder.path}/l`), rawPath("/etc"));
  throws(() => pathsOf(`${folder.path}/l`), { errnoName: "ENOTDIR" });
  throws(() => pathsOf(`${folder.path}/none`), { errnoName: "ENOENT" });
});

Deno.test("walk reaches 1500 directories deep, and says so when a tree is deeper than a path can be", async () => {
  await using temp = await makeTempDir();
  const script = "import os, sys\nfor i in range(int(sys.argv[1])): os.mkdir('d'); os.chdir('d')";
  for (const [name, depth] of [["deep", 1500], ["deeper", 2300]] as const) {
    const cwd = `${temp.path}/${name}`;
    await Deno.mkdir(cwd);
    const { success } = await new Deno.Command("python3", { args: ["-c", script, String(depth)], cwd }).output();
    equal(success, true);
  }
  let count = 0;
  const visitor = { enter: (): boolean => ++count > 0, leave: (): void => {} };
  walk(rawPath(`${temp.path}/deep`), visitor);
  equal(count, 1500);
  throws(() => walk(rawPath(`${temp.path}/deeper`), visitor), SystemError);
});
