import { deepEqual, equal } from "node:assert/strict";
import {
  type ContentHash,
  ContentHasher,
  createContentHasher,
  type KnownContents,
} from "../../../src/rootfs/content_hash.ts";
import type { Tree } from "../../../src/rootfs/tree.ts";
import { contentOf } from "../../../src/snapshot/content_of.ts";
import { diffTrees } from "../../../src/snapshot/diff_trees.ts";
import { scanTree } from "../../../src/snapshot/scan_tree.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { lstat } from "../../../src/sys/stat.ts";
import { mustRun } from "../../support/run_command.ts";
import { TempRoot } from "../../support/temp_root.ts";

const HOUR_NS = 3_600_000_000_000n;

function nowNs(): bigint {
  return BigInt(Date.now()) * 1_000_000n;
}

function paths(tree: Tree): string[] {
  return Array.from({ length: tree.length }, (_, index) => tree.path(index));
}

/** A scan that knows all contents, as after unpacking. `aheadNs` moves the clock, so that all files count as settled. */
async function baseline(root: TempRoot, aheadNs = 0n): Promise<Tree> {
  const hasher = await createContentHasher();
  const first = scanTree(root.rootfs, { known: new Map(), hasher, nowNs: nowNs() + aheadNs });
  const known: KnownContents = new Map();
  for (let index = 0; index < first.length; index++) {
    if (first.type(index) === "file") known.set(first.ino(index), contentOf(root.rootfs, first.path(index), hasher));
  }
  return first.withContents(known);
}

async function changes(root: TempRoot, before: Tree): Promise<string[]> {
  const hasher = await createContentHasher();
  const after = scanTree(root.rootfs, { previous: before, known: new Map(), hasher, nowNs: nowNs() });
  return diffTrees(before, after).map(({ kind, path }) => (kind === "write" ? "+" : "-") + path);
}

Deno.test("scanTree records all nodes in walk order, but protected places and sockets", async () => {
  using root = new TempRoot(["/proc", "/a/my [vol] "]);
  for (const path of ["/a/x", "/a/my [vol] /secret", "/a.b", "/proc/1/maps", "/z/y"]) root.file(path);
  root.symlink("/a/link", "../z");
  await mustRun(["mkfifo", root.host("/fifo")]);
  const listener = Deno.listen({ transport: "unix", path: root.host("/socket") });
  const tree = scanTree(root.rootfs, { known: new Map(), hasher: await createContentHasher(), nowNs: 1n });
  listener.close();
  deepEqual(paths(tree), ["/a", "/a/link", "/a/x", "/a.b", "/fifo", "/z", "/z/y"]);
  equal(tree.linkTarget(1), "../z");
  equal(tree.end(0), 3);
  equal(tree.scannedAtNs, 1n);
});

Deno.test("scanTree takes known contents over and clears them", async () => {
  using root = new TempRoot();
  root.file("/a", "x");
  root.file("/b", "x");
  const known: KnownContents = new Map([[root.rootfs.lstat(rawPath("/a"))?.ino ?? 0n, "hash" as ContentHash]]);
  const tree = scanTree(root.rootfs, { known, hasher: await createContentHasher(), nowNs: nowNs() });
  deepEqual([tree.content(0), tree.content(1), known.size], ["hash", undefined, 0]);
});

Deno.test("scanTree reads nothing when all files are settled, also not where contents are unknown", async () => {
  using root = new TempRoot();
  for (const path of ["/a/x", "/a/y", "/b"]) root.file(path, path);
  root.symlink("/l", "/a");
  const before = await baseline(root, HOUR_NS);
  const unreadable = new ContentHasher(null as unknown as ConstructorParameters<typeof ContentHasher>[0]);
  const after = scanTree(root.rootfs, {
    previous: before,
    known: new Map(),
    hasher: unreadable,
    nowNs: nowNs() + HOUR_NS,
  });
  deepEqual([1, 2, 3].map((index) => after.content(index)), [1, 2, 3].map((index) => before.content(index)));
  deepEqual(diffTrees(before, after), []);
  const unknown = scanTree(root.rootfs, { known: new Map(), hasher: unreadable, nowNs: nowNs() + HOUR_NS });
  const again = scanTree(root.rootfs, {
    previous: unknown,
    known: new Map(),
    hasher: unreadable,
    nowNs: nowNs() + HOUR_NS,
  });
  deepEqual([again.content(1), diffTrees(unknown, again)], [undefined, []]);
});

Deno.test("scanTree reads young files again, so that a change within a tick is found", async () => {
  using root = new TempRoot();
  root.file("/a", "one");
  const before = await baseline(root, -HOUR_NS);
  const after = scanTree(root.rootfs, {
    previous: before,
    known: new Map(),
    hasher: await createContentHasher(),
    nowNs: 0n,
  });
  equal(after.content(0), before.content(0));
  const wrong = before.withContents(new Map([[before.ino(0), "other" as ContentHash]]));
  deepEqual(await changes(root, wrong), ["+/a"]);
});

Deno.test("scanTree believes a coarse clock for two seconds", async () => {
  using root = new TempRoot();
  root.file("/a", "one");
  const hasher = await createContentHasher();
  equal(scanTree(root.rootfs, { known: new Map(), hasher, nowNs: 1n }).tickNs, 20_000_000n);
  equal(scanTree(root.rootfs, { known: new Map(), hasher, nowNs: 1n, tickNs: 5n }).tickNs, 5n);
  root.rootfs.wipe();
  equal(scanTree(root.rootfs, { known: new Map(), hasher, nowNs: 1n }).tickNs, 2_000_000_000n);
});

/** Writes until the kernel's clock for file times has moved on. */
function awaitTick(root: TempRoot): void {
  const write = (): number => {
    Deno.writeTextFileSync(`${root.base}/tick`, "");
    return Number(lstat(rawPath(`${root.base}/tick`))?.ctimeNs);
  };
  for (const first = write(); write() === first;);
}

/** Shell commands in a root with d/a ("data"), d/b, a link d/c of d/b, s -> d/a, and times put back by `keep`. */
const EDITS: readonly (readonly [name: string, script: string, expected: string[]])[] = [
  ["nothing is done", ":", []],
  ["files are read", "cat d/* > /dev/null; ls -lR > /dev/null", []],
  ["a file moves away and back", "mv d/a x; mv x d/a; keep d", []],
  ["a file is rewritten as it was", "cp -p d/a ../t; echo data > d/a; touch -r ../t d/a", []],
  ["a file is replaced by its equal", "cp -p d/a ../t; rm d/a; cp -p ../t d/a; keep d", []],
  ["a mode goes away and comes back", "chmod 600 d/a; chmod 644 d/a", []],
  ["size and time stay but content does not", "cp -p d/a ../t; echo DATA > d/a; touch -r ../t d/a", ["+/d", "+/d/a"]],
  ["a file with another's size and time moves over it", "echo DATA > x; touch -r d/a x; mv x d/a; keep d", [
    "+/d",
    "+/d/a",
  ]],
  ["a file is touched", "touch d/a", ["+/d", "+/d/a"]],
  ["a mode changes", "chmod 4755 d/a", ["+/d", "+/d/a"]],
  ["an owner changes", "chown 5:6 d/a", ["+/d", "+/d/a"]],
  ["a symlink's owner changes", "chown -h 5 s", ["+/s"]],
  ["a symlink is made anew", "touch ../t; touch -h -r s ../t; ln -sfn d/a s; touch -h -r ../t s", []],
  ["a symlink changes its target", "ln -sfn d/b s", ["+/s"]],
  ["a capability is given", "setcap cap_net_raw+ep d/a", ["+/d", "+/d/a"]],
  ["a user attribute is given", "setfattr -n user.x -v y d/a", []],
  ["a link is made", "ln d/a x", ["+/d", "+/d/a", "+/x"]],
  ["a link is removed", "rm d/b; keep d", ["+/d", "-/d/b"]],
  ["a link is broken", "cp -p d/b x; mv x d/b; keep d", ["+/d", "+/d/b"]],
  ["a directory becomes a file", "rm -r d; echo x > d", ["+/d"]],
  ["a file becomes a directory", "rm d/a; mkdir d/a; keep d", ["+/d", "+/d/a"]],
  ["a tree moves", "mv d e", ["-/d", "+/e", "+/e/a", "+/e/b", "+/e/c"]],
  ["a directory is emptied", "rm d/*", ["+/d", "-/d/a", "-/d/b", "-/d/c"]],
];

for (const [name, script, expected] of EDITS) {
  for (const [age, aheadNs] of [["young", 0n], ["settled", HOUR_NS]] as const) {
    Deno.test(`scanTree and diffTrees find exactly what changed when ${name} (${age} files)`, async () => {
      using root = new TempRoot();
      const setUp = 'mkdir d; echo data > d/a; echo more > d/b; ln d/b d/c; ln -s d/a s; touch -r d "$0/../dir"';
      await mustRun(["sh", "-ec", setUp, root.path], { cwd: root.path });
      const before = await baseline(root, aheadNs);
      if (aheadNs > 0n) awaitTick(root);
      const keep = 'base="$0"; keep() { touch -r "$base/../dir" "$1"; };';
      await mustRun(["sh", "-ec", `${keep} ${script}`, root.path], { cwd: root.path });
      deepEqual(await changes(root, before), expected);
    });
  }
}
