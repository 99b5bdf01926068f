import { deepEqual, equal, ok, throws } from "node:assert/strict";
import {
  changeMode,
  changeOwner,
  hardLink,
  listXattrs,
  makeDirectory,
  makeNode,
  readLink,
  readXattr,
  readXattrs,
  removeDirectory,
  rename,
  setTimes,
  setXattr,
  symlink,
  unlink,
  withoutUmask,
} from "../../../src/sys/inode.ts";
import { joinPath, type RawPath, rawPath, rawPathFromBytes } from "../../../src/sys/raw_path.ts";
import { AT_CWD, lstat } from "../../../src/sys/stat.ts";
import { listDirectory } from "../../../src/sys/walk.ts";
import { makeTempDir } from "../../support/temp_dir.ts";

/** Runs `body` with a function that gives paths in a fresh folder. */
async function inFolder(body: (at: (name: string) => RawPath, folder: RawPath) => void): Promise<void> {
  await using folder = await makeTempDir();
  body((name) => rawPath(`${folder.path}/${name}`), rawPath(folder.path));
}

Deno.test("makeDirectory takes the mode as given when the umask is off", () =>
  inFolder((at) => {
    withoutUmask(() => makeDirectory(AT_CWD, at("d"), 0o777));
    equal(lstat(at("d"))?.mode, 0o777);
    throws(() => makeDirectory(AT_CWD, at("d"), 0o777), { errnoName: "EEXIST", message: /make directory ".*\/d"/ });
  }));

Deno.test("unlink and removeDirectory remove only their kind", () =>
  inFolder((at) => {
    makeDirectory(AT_CWD, at("d"), 0o755);
    Deno.writeTextFileSync(at("f"), "");
    throws(() => unlink(AT_CWD, at("d")), { errnoName: "EISDIR" });
    throws(() => removeDirectory(AT_CWD, at("f")), { errnoName: "ENOTDIR" });
    unlink(AT_CWD, at("f"));
    removeDirectory(AT_CWD, at("d"));
    deepEqual([lstat(at("f")), lstat(at("d"))], [undefined, undefined]);
  }));

Deno.test("symlink and readLink keep names and targets that are not UTF-8", () =>
  inFolder((_, folder) => {
    const name = rawPathFromBytes(new Uint8Array([0x61, 0xfe]));
    const target = rawPathFromBytes(new Uint8Array([0xff, 0x2f, 0x80]));
    symlink(AT_CWD, joinPath(folder, name), target);
    equal(readLink(AT_CWD, joinPath(folder, name)), target);
    deepEqual(listDirectory(folder), [name]);
  }));

Deno.test("hardLink links the symlink itself and rename replaces", () =>
  inFolder((at) => {
    symlink(AT_CWD, at("l"), rawPath("nowhere"));
    hardLink(AT_CWD, at("m"), AT_CWD, at("l"));
    equal(lstat(at("m"))?.ino, lstat(at("l"))?.ino);
    Deno.writeTextFileSync(at("f"), "text");
    rename(AT_CWD, at("f"), AT_CWD, at("m"));
    deepEqual([lstat(at("m"))?.type, lstat(at("f")), lstat(at("l"))?.nlink], ["file", undefined, 1]);
  }));

Deno.test("makeNode makes devices with large numbers", () =>
  inFolder((at) => {
    for (const [rdevMajor, rdevMinor] of [[1, 3], [259, 70_000], [4095, 0xfffff]] as const) {
      const name = at(`n${rdevMajor}`);
      makeNode(AT_CWD, name, { type: "block", mode: 0o600, rdevMajor, rdevMinor });
      const inode = lstat(name);
      deepEqual([inode?.type, inode?.rdevMajor, inode?.rdevMinor], ["block", rdevMajor, rdevMinor]);
    }
  }));

Deno.test("changeOwner and setTimes change a symlink and not what it leads to", () =>
  inFolder((at) => {
    Deno.writeTextFileSync(at("f"), "");
    symlink(AT_CWD, at("l"), at("f"));
    const before = lstat(at("f"));
    changeOwner(AT_CWD, at("l"), 12, 34);
    setTimes(AT_CWD, at("l"), 1_000_000_001n);
    const link = lstat(at("l"));
    deepEqual([link?.uid, link?.gid, link?.mtimeNs], [12, 34, 1_000_000_001n]);
    deepEqual(lstat(at("f")), before);
  }));

Deno.test("changeMode sets setuid, setgid and sticky", () =>
  inFolder((at) => {
    Deno.writeTextFileSync(at("f"), "");
    changeMode(AT_CWD, at("f"), 0o7751);
    equal(lstat(at("f"))?.mode, 0o7751);
  }));

Deno.test("setXattr and readXattrs keep names and binary values", () =>
  inFolder((at) => {
    Deno.writeTextFileSync(at("f"), "");
    deepEqual(listXattrs(at("f")), []);
    const value = new Uint8Array([0, 255, 1]);
    setXattr(at("f"), "user.one", value);
    setXattr(at("f"), "user.two", new Uint8Array());
    const all = readXattrs(at("f"));
    deepEqual([...all.keys()].sort(), ["user.one", "user.two"]);
    deepEqual(all.get("user.one"), value);
    deepEqual(readXattr(at("f"), "user.none"), undefined);
    throws(() => setXattr(at("f"), "nonsense", value), { errnoName: "EOPNOTSUPP", message: /attribute "nonsense"/ });
  }));

Deno.test("withoutUmask restores the umask when the action throws", () => {
  const before = Deno.umask();
  throws(() =>
    withoutUmask(() => {
      equal(Deno.umask(), 0);
      throw new TypeError("inside");
    }), /inside/);
  equal(Deno.umask(), before);
  ok(true);
});
