import { deepEqual, equal } from "node:assert/strict";
import { InplaceRoots } from "../../../src/rootfs/inplace_roots.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { TempRoot } from "../../support/temp_root.ts";

/** A root with files beside two protected places, one of them deep. */
function filledRoot(): { readonly temp: TempRoot; readonly roots: (wipeFirst?: boolean) => InplaceRoots } {
  const temp = new TempRoot();
  temp.file("/kiln/executor", "x");
  temp.directory("/kiln/kept");
  temp.file("/etc/hosts", "mounted");
  fill(temp);
  const roots = (wipeFirst = false): InplaceRoots =>
    new InplaceRoots({
      root: rawPath(temp.path),
      protectedPaths: [rawPath("/kiln"), rawPath("/etc/hosts")],
      keepFolder: rawPath(temp.host("/kiln/kept")),
      wipeFirst,
    });
  return { temp, roots };
}

function fill(temp: TempRoot): void {
  temp.file("/usr/bin/a", "a", 0o4755);
  Deno.linkSync(temp.host("/usr/bin/a"), temp.host("/usr/bin/b"));
  temp.file("/etc/passwd", "p");
  Deno.chmodSync(temp.host("/etc"), 0o750);
  Deno.utimeSync(temp.host("/etc"), 1000, 1000);
}

function names(path: string): string[] {
  return [...Deno.readDirSync(path)].map((entry) => entry.name).sort();
}

Deno.test("InplaceRoots leaves what is there to the first stage unless it is told to wipe", () => {
  const { temp, roots } = filledRoot();
  using _ = temp;
  equal(roots().open(0).lstat(rawPath("/usr/bin/a"))?.type, "file");
  roots(true).open(0);
  deepEqual(names(temp.path), ["etc", "kiln"]);
});

Deno.test("InplaceRoots drops everything but protected places and the directories that lead to them", () => {
  const { temp, roots } = filledRoot();
  using _ = temp;
  const inplace = roots();
  inplace.drop(inplace.open(0));
  deepEqual(names(temp.path), ["etc", "kiln"]);
  deepEqual(names(temp.host("/etc")), ["hosts"]);
  equal(temp.text("/kiln/executor"), "x");
});

Deno.test("InplaceRoots keeps a stage's files aside, unchanged, and leaves protected places where they are", () => {
  const { temp, roots } = filledRoot();
  using _ = temp;
  const inplace = roots();
  const before = Deno.lstatSync(temp.host("/usr/bin/a"));
  const kept = inplace.keep(inplace.open(0), 0);
  deepEqual(names(temp.path), ["etc", "kiln"]);
  equal(temp.text("/etc/hosts"), "mounted");
  equal(kept.path, temp.host("/kiln/kept/0"));
  deepEqual(names(kept.path), ["etc", "usr"]);
  deepEqual(names(`${kept.path}/etc`), ["passwd"]);
  const moved = kept.lstat(rawPath("/usr/bin/b"));
  deepEqual([moved?.mode, moved?.nlink, Number(moved?.ino)], [0o4755, 2, before.ino]);
  const etc = kept.lstat(rawPath("/etc"));
  deepEqual([etc?.mode, etc?.mtimeNs], [0o750, 1_000_000_000_000n]);
});

Deno.test("InplaceRoots gives the root to a second stage once the first is kept", () => {
  const { temp, roots } = filledRoot();
  using _ = temp;
  const inplace = roots();
  inplace.keep(inplace.open(0), 0);
  const second = inplace.open(1);
  fill(temp);
  inplace.keep(second, 1);
  deepEqual(names(temp.host("/kiln/kept")), ["0", "1"]);
});
