/** Random changes to a root, carried out with plain system calls: whatever a RUN may do to its files. */
import fc from "fast-check";
import type { Rootfs } from "../../src/rootfs/rootfs.ts";
import { closeFile, createFile, openFileForReading, readFile, writeFile } from "../../src/sys/file.ts";
import {
  changeMode,
  changeOwner,
  hardLink,
  makeNode,
  rename,
  setTimes,
  setXattr,
  symlink,
  unlink,
} from "../../src/sys/inode.ts";
import { libc, SystemError } from "../../src/sys/libc.ts";
import { isWithin, joinPath, parentPath, type RawPath, rawPath } from "../../src/sys/raw_path.ts";
import { AT_CWD, lstat } from "../../src/sys/stat.ts";
import { walk } from "../../src/sys/walk.ts";
import { makeRawDirectory, writeRaw } from "./temp_root.ts";

const ACTIONS = [
  "file",
  "file",
  "directory",
  "directory",
  "symlink",
  "fifo",
  "device",
  "link",
  "link",
  "chmod",
  "chown",
  "touch",
  "capability",
  "remove",
  "move",
  "edit",
  "edit-unseen",
  "rewrite-same",
  "away-and-back",
  "replace",
  "break-link",
] as const;

/** One change. Numbers choose among what is there, modulo its count. */
export interface TreeChange {
  readonly action: typeof ACTIONS[number];
  readonly at: number;
  readonly other: number;
  readonly name: RawPath;
  readonly value: number;
}

const NAMES = ["a", "b", "c", "ab", "a.b", "a b", "[x]*", "é", "z\u0001", "new\nline", "-rf"].map(rawPath)
  .concat(["\xff\xfe" as RawPath, "bad\xc3" as RawPath]);

export const arbitraryChange: fc.Arbitrary<TreeChange> = fc.record({
  action: fc.constantFrom(...ACTIONS),
  at: fc.nat(1000),
  other: fc.nat(1000),
  name: fc.oneof(
    { weight: 20, arbitrary: fc.constantFrom(...NAMES) },
    { weight: 1, arbitrary: fc.integer({ min: 90, max: 251 }).map((length) => rawPath("n".repeat(length))) },
  ),
  value: fc.nat(1_000_000_000),
});

/** Carries out the changes; those that cannot be (a directory into itself, a taken name) are passed over. */
export function applyChanges(rootfs: Rootfs, changes: readonly TreeChange[]): void {
  for (const change of changes) {
    try {
      applyChange(rootfs, change);
    } catch (error: unknown) {
      if (!(error instanceof SystemError)) throw error;
    }
  }
}

function applyChange(rootfs: Rootfs, { action, at, other, name, value }: TreeChange): void {
  const nodes = hostPaths(rootfs);
  const pick = (list: readonly RawPath[], n: number): RawPath => list[n % Math.max(1, list.length)] ?? rootfs.path;
  const typed = (type: string): RawPath[] => nodes.filter((path) => lstat(path)?.type === type);
  const fresh = joinPath(pick([rootfs.path, ...typed("directory")], at), name);
  const node = pick(nodes, at);
  const file = pick(typed("file"), at);
  const isFile = file !== rootfs.path;
  const isNode = node !== rootfs.path;
  const text = new TextEncoder().encode(String(value).repeat(1 + value % 40));
  switch (action) {
    case "file":
      return writeRaw(fresh, value % 5 === 0 ? new Uint8Array() : text, 0o600 | (value & 0o7777));
    case "directory":
      return makeRawDirectory(fresh, 0o700 | (value & 0o7777));
    case "symlink":
      return symlink(AT_CWD, fresh, pick([rawPath("../x"), rawPath("/a/b"), "\xff" as RawPath, name], other));
    case "fifo":
      return makeNode(AT_CWD, fresh, { type: "fifo", mode: value & 0o777, rdevMajor: 0, rdevMinor: 0 });
    case "device":
      return makeNode(AT_CWD, fresh, {
        type: "char",
        mode: 0o600,
        rdevMajor: 1 + value % 300,
        rdevMinor: value % 70000,
      });
    case "link":
      return hardLink(AT_CWD, fresh, AT_CWD, pick(nodes.filter((path) => lstat(path)?.type !== "directory"), other));
    case "chmod":
      if (isNode && lstat(node)?.type !== "symlink") changeMode(AT_CWD, node, 0o700 | (value & 0o7777));
      return;
    case "chown":
      if (isNode) changeOwner(AT_CWD, node, value % 3000, other);
      return;
    case "touch":
      if (isNode) setTimes(AT_CWD, node, BigInt(value) * 1_000_000_007n - 10_000_000_000_000_000n);
      return;
    case "capability":
      if (isFile) setXattr(file, "security.capability", Uint8Array.of(1, 0, 0, 2, value & 0xff, ...new Uint8Array(15)));
      return;
    case "remove":
      if (isNode) rootfs.remove(innerPath(rootfs, node));
      return;
    case "move":
      if (isNode && !isWithin(fresh, node)) rename(AT_CWD, node, AT_CWD, fresh);
      return;
    case "edit":
      if (isFile) writeOver(file, text);
      return;
    case "edit-unseen":
      if (isFile) keepingTime(file, () => writeOver(file, contentOf(file).map((byte) => byte ^ (value & 1))));
      return;
    case "rewrite-same":
      if (isFile) keepingTime(file, () => writeOver(file, contentOf(file)));
      return;
    case "away-and-back":
      if (isNode) moveAwayAndBack(rootfs, node);
      return;
    case "replace":
      if (!isNode) return;
      rootfs.remove(innerPath(rootfs, node));
      return value % 2 === 0
        ? writeRaw(node, text)
        : value % 3 === 0
        ? makeRawDirectory(node)
        : symlink(AT_CWD, node, name);
    case "break-link":
      if (isFile) breakLink(file);
      return;
  }
}

function hostPaths(rootfs: Rootfs): RawPath[] {
  const paths: RawPath[] = [];
  const parents = [rootfs.path];
  walk(rootfs.path, {
    enter(name, stat): boolean {
      const path = joinPath(parents.at(-1) ?? rootfs.path, name);
      paths.push(path);
      if (stat.type === "directory") parents.push(path);
      return true;
    },
    leave(): void {
      parents.pop();
    },
  });
  return paths;
}

function innerPath(rootfs: Rootfs, host: RawPath): RawPath {
  return host.slice(rootfs.path.length) as RawPath;
}

function contentOf(file: RawPath): Uint8Array {
  const fd = openFileForReading(AT_CWD, file);
  const buffer = new Uint8Array(1 << 16);
  const length = readFile(fd, buffer);
  closeFile(fd);
  return buffer.slice(0, length);
}

/** Writes into the same inode: `createFile` refuses, so the descriptor comes from open(2) with O_WRONLY | O_TRUNC. */
function writeOver(file: RawPath, bytes: Uint8Array): void {
  const path = Uint8Array.from([...file].map((char) => char.charCodeAt(0)).concat(0));
  const fd = libc().openat(AT_CWD, path, 0o1001, 0);
  if (fd < 0) return;
  writeFile(fd, bytes);
  closeFile(fd);
}

function keepingTime(file: RawPath, action: () => void): void {
  const mtimeNs = lstat(file)?.mtimeNs ?? 0n;
  action();
  setTimes(AT_CWD, file, mtimeNs);
}

function moveAwayAndBack(rootfs: Rootfs, node: RawPath): void {
  const parent = parentPath(node);
  keepingTime(parent, () => {
    const away = joinPath(rootfs.path, rawPath("away~"));
    rename(AT_CWD, node, AT_CWD, away);
    rename(AT_CWD, away, AT_CWD, node);
  });
}

/** As `cp -p file new && mv new file`: the same in all but the inode. */
function breakLink(file: RawPath): void {
  const node = lstat(file);
  if (node === undefined) return;
  const copy = `${file}~` as RawPath;
  const fd = createFile(AT_CWD, copy, 0o600);
  writeFile(fd, contentOf(file));
  closeFile(fd);
  changeOwner(AT_CWD, copy, node.uid, node.gid);
  changeMode(AT_CWD, copy, node.mode);
  setTimes(AT_CWD, copy, node.mtimeNs);
  try {
    keepingTime(parentPath(file), () => rename(AT_CWD, copy, AT_CWD, file));
  } catch (error: unknown) {
    unlink(AT_CWD, copy);
    throw error;
  }
}
