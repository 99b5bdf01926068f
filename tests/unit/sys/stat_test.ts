import { deepEqual, equal, ok, throws } from "node:assert/strict";
import { closeFile, openDirectory } from "../../../src/sys/file.ts";
import { makeNode, setTimes, symlink } from "../../../src/sys/inode.ts";
import { pathBuffer } from "../../../src/sys/path_buffer.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { AT_CWD, fstat, lstat, lstatAt, StatBuffer } from "../../../src/sys/stat.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

Deno.test("lstat tells what the system's own stat tells, with nanoseconds", async () => {
  await using folder = await makeTempDir();
  const path = `${folder.path}/file`;
  await Deno.writeTextFile(path, "hello", { mode: 0o640 });
  await Deno.link(path, `${folder.path}/other`);
  setTimes(AT_CWD, rawPath(path), -1_234_567_891n);
  const inode = lstat(rawPath(path));
  const info = await Deno.lstat(path);
  equal(inode?.type, "file");
  equal(inode?.mode, 0o640);
  deepEqual([inode?.size, inode?.nlink, inode?.uid, inode?.gid], [5, 2, info.uid, info.gid]);
  equal(inode?.mtimeNs, -1_234_567_891n);
  equal(inode?.ino, BigInt(info.ino ?? 0));
  ok(inode !== undefined && inode.ctimeNs > 1_600_000_000_000_000_000n);
});

Deno.test("lstat tells each type of node without following a symlink", async () => {
  await using folder = await makeTempDir();
  const at = (name: string) => rawPath(`${folder.path}/${name}`);
  symlink(AT_CWD, at("link"), rawPath("nowhere"));
  makeNode(AT_CWD, at("fifo"), { type: "fifo", mode: 0o600, rdevMajor: 0, rdevMinor: 0 });
  using listener = Deno.listen({ transport: "unix", path: `${folder.path}/socket` });
  ok(listener.addr);
  deepEqual(["link", "fifo", "socket", "."].map((name) => lstat(at(name))?.type), [
    "symlink",
    "fifo",
    "socket",
    "directory",
  ]);
  const device = lstat(rawPath("/dev/full"));
  deepEqual([device?.type, device?.rdevMajor, device?.rdevMinor], ["char", 1, 7]);
});

Deno.test("lstat gives undefined when there is nothing, also below a file", async () => {
  await using folder = await makeTempDir();
  await Deno.writeTextFile(`${folder.path}/file`, "");
  equal(lstat(rawPath(`${folder.path}/none`)), undefined);
  equal(lstat(rawPath(`${folder.path}/file/below`)), undefined);
  throws(() => lstat(rawPath(`${folder.path}/${"x".repeat(300)}`)), { errnoName: "ENAMETOOLONG" });
});

Deno.test("lstatAt and fstat go by descriptor", async () => {
  await using folder = await makeTempDir();
  await Deno.writeTextFile(`${folder.path}/file`, "abc");
  const fd = openDirectory(AT_CWD, rawPath(folder.path));
  try {
    equal(lstatAt(fd, rawPath("file"))?.size, 3);
    deepEqual(fstat(fd), lstat(rawPath(folder.path)));
  } finally {
    closeFile(fd);
  }
});

Deno.test("StatBuffer.inode gives a copy that the next read does not change", () => {
  const buffer = new StatBuffer();
  ok(buffer.read(AT_CWD, pathBuffer(rawPath("/dev/null"))));
  const inode = buffer.inode();
  ok(buffer.read(AT_CWD, pathBuffer(rawPath("/"))));
  deepEqual([inode.type, buffer.type], ["char", "directory"]);
});
