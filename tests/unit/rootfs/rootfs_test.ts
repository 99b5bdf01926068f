import { deepEqual, equal, throws } from "node:assert/strict";
import { Rootfs } from "../../../src/rootfs/rootfs.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { TempRoot, UNTOUCHED } from "../../support/temp_root.ts";

Deno.test("hostPath joins root and inner path", () => {
  const rows: readonly (readonly [root: string, inner: string, host: string])[] = [
    ["/", "/", "/"],
    ["/", "/a/b", "/a/b"],
    ["/work/root", "/", "/work/root"],
    ["/work/root", "/a/b", "/work/root/a/b"],
  ];
  for (const [root, inner, host] of rows) equal(new Rootfs(rawPath(root), []).hostPath(rawPath(inner)), host);
});

const PLACES: readonly (readonly [path: string, isProtected: boolean, holdsProtected: boolean])[] = [
  ["/", false, true],
  ["/a", false, true],
  ["/a/b c[1]", true, false],
  ["/a/b c[1]/d/e", true, false],
  ["/a/b c[1]x", false, false],
  ["/a/b", false, false],
  ["/ab", false, false],
  ["/proc", true, false],
];

for (const [path, isProtected, holdsProtected] of PLACES) {
  Deno.test(`isProtected and holdsProtected know what ${path} is`, () => {
    const rootfs = new Rootfs(rawPath("/r"), ["/proc", "/a/b c[1]"].map(rawPath));
    deepEqual([rootfs.isProtected(rawPath(path)), rootfs.holdsProtected(rawPath(path))], [isProtected, holdsProtected]);
  });
}

const RESOLUTIONS: readonly (readonly [path: string, followed: string, notFollowed: string])[] = [
  ["/", "/", "/"],
  ["/dir/file", "/dir/file", "/dir/file"],
  ["dir/./file//", "/dir/file", "/dir/file"],
  ["/missing/x/y", "/missing/x/y", "/missing/x/y"],
  ["/../../dir", "/dir", "/dir"],
  ["/dir/..", "/", "/"],
  ["/absolute", "/dir", "/absolute"],
  ["/absolute/file", "/dir/file", "/dir/file"],
  ["/dir/up", "/dir", "/dir/up"],
  ["/dir/up/file", "/dir/file", "/dir/file"],
  ["/out", "/etc/passwd", "/out"],
  ["/out/x", "/etc/passwd/x", "/etc/passwd/x"],
  ["/chain/file", "/dir/file", "/dir/file"],
  ["/dangling/x", "/nowhere/at/all/x", "/nowhere/at/all/x"],
  ["/loop", "ELOOP", "/loop"],
  ["/loop/x", "ELOOP", "ELOOP"],
  ["/grow/x", "ELOOP", "ELOOP"],
  ["/absolute/../file", "/file", "/file"],
];

for (const [path, followed, notFollowed] of RESOLUTIONS) {
  Deno.test(`resolve stays inside the root for ${path}`, () => {
    using root = new TempRoot();
    root.file("/dir/file");
    const links = { absolute: "/dir", "dir/up": "../../../dir/.", out: "../../../../etc/passwd", chain: "absolute" };
    for (const [name, target] of Object.entries(links)) root.symlink(`/${name}`, target);
    root.symlink("/dangling", "/nowhere/at/all");
    root.symlink("/loop", "loop");
    root.symlink("/grow", "grow/grow");
    for (const [followLast, expected] of [[true, followed], [false, notFollowed]] as const) {
      const resolve = (): string => root.rootfs.resolve(rawPath(path), followLast);
      if (expected === "ELOOP") throws(resolve, { name: "SystemError", errnoName: "ELOOP" });
      else equal(resolve(), expected);
    }
  });
}

Deno.test("resolve follows 255 symlinks and no more", () => {
  using root = new TempRoot();
  for (let i = 0; i < 256; i++) root.symlink(`/${i}`, String(i + 1));
  equal(root.rootfs.resolve(rawPath("/1"), true), "/256");
  throws(() => root.rootfs.resolve(rawPath("/0"), true), { errnoName: "ELOOP", message: /"\/0"/ });
});

Deno.test("makeDirectories makes what is missing with owner and mode, and says what", () => {
  using root = new TempRoot();
  root.directory("/a", 0o700);
  const made = root.rootfs.makeDirectories(rawPath("/a/b/c/"), { uid: 5, gid: 6, mode: 0o2777 });
  deepEqual(made, ["/a/b", "/a/b/c"]);
  const { mode, uid, gid } = root.rootfs.lstat(rawPath("/a/b/c")) ?? {};
  deepEqual([mode, uid, gid, root.rootfs.lstat(rawPath("/a"))?.mode], [0o2777, 5, 6, 0o700]);
  deepEqual(root.rootfs.makeDirectories(rawPath("/a/b/c"), { uid: 0, gid: 0, mode: 0o755 }), []);
  deepEqual(root.rootfs.makeDirectories(rawPath("/"), { uid: 0, gid: 0, mode: 0o755 }), []);
});

Deno.test("makeDirectories throws ENOTDIR when a file or symlink is in the way", () => {
  using root = new TempRoot();
  root.file("/f");
  root.symlink("/s", "/");
  const ownership = { uid: 0, gid: 0, mode: 0o755 };
  for (const path of ["/f", "/f/x", "/s/x"]) {
    throws(() => root.rootfs.makeDirectories(rawPath(path), ownership), { name: "SystemError", errnoName: "ENOTDIR" });
  }
});

Deno.test("remove takes a tree away and follows no link", () => {
  using root = new TempRoot();
  root.file("/d/e/f");
  root.symlink("/d/out", `${root.base}/outside`);
  root.symlink("/d/e/up", "..");
  root.file("/kept");
  equal(root.rootfs.remove(rawPath("/d")), true);
  equal(root.rootfs.remove(rawPath("/d")), true);
  deepEqual([root.has("/d"), root.has("/kept"), root.outside()], [false, true, UNTOUCHED]);
});

Deno.test("remove leaves protected places and the directories that lead to them", () => {
  using root = new TempRoot(["/a/b/mount", "/a/f"]);
  for (const path of ["/a/b/mount/x", "/a/b/y", "/a/f", "/a/c/d", "/z"]) root.file(path);
  equal(root.rootfs.remove(rawPath("/a")), false);
  equal(root.rootfs.remove(rawPath("/a/b/mount/x")), false);
  const left = ["/a/b/mount/x", "/a/b/y", "/a/f", "/a/c", "/z"].map((path) => root.has(path));
  deepEqual(left, [true, false, true, false, true]);
});

Deno.test("remove leaves what is to be kept and the directories that lead there", () => {
  using root = new TempRoot();
  for (const path of ["/a/b/keep", "/a/b/lose", "/a/c/x", "/a/d/x"]) root.file(path);
  const kept = ["/a/b/keep", "/a/d"];
  equal(root.rootfs.remove(rawPath("/a"), (inner) => kept.includes(inner)), false);
  const left = ["/a/b/keep", "/a/b/lose", "/a/c", "/a/d", "/a/d/x"].map((path) => root.has(path));
  deepEqual(left, [true, false, false, true, false]);
});

Deno.test("removeChildren empties a directory and says whether it did", () => {
  using root = new TempRoot(["/p/in"]);
  for (const path of ["/a/b/c", "/p/in/x", "/p/y"]) root.file(path);
  deepEqual([root.rootfs.removeChildren(rawPath("/a")), root.has("/a"), root.has("/a/b")], [true, true, false]);
  deepEqual([root.rootfs.removeChildren(rawPath("/p")), root.has("/p/in/x"), root.has("/p/y")], [false, true, false]);
  deepEqual([root.rootfs.removeChildren(rawPath("/p/in")), root.has("/p/in/x")], [false, true]);
});

Deno.test("wipe removes all but protected places", () => {
  using root = new TempRoot(["/kaniko", "/vol/a b"]);
  for (const path of ["/kaniko/executor", "/vol/a b/c", "/vol/d", "/etc/passwd"]) root.file(path);
  root.rootfs.wipe();
  root.rootfs.wipe();
  const left = ["/kaniko/executor", "/vol/a b/c", "/vol/d", "/etc"].map((path) => root.has(path));
  deepEqual(left, [true, true, false, false]);
  equal(root.outside(), UNTOUCHED);
});
