import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { symlink } from "../../../src/sys/inode.ts";
import { isWithin, type RawPath, rawPath } from "../../../src/sys/raw_path.ts";
import { resolveInRoot } from "../../../src/sys/resolve_in_root.ts";
import { AT_CWD, lstat } from "../../../src/sys/stat.ts";
import { makeTempDir, type TempDir } from "../../support/temp_dir.ts";

/** A root with files, folders and symlinks, some of which try to lead out. */
async function makeRoot(): Promise<TempDir> {
  const folder = await makeTempDir();
  await Deno.mkdir(`${folder.path}/usr/bin`, { recursive: true });
  await Deno.mkdir(`${folder.path}/etc`);
  await Deno.writeTextFile(`${folder.path}/usr/bin/tool`, "");
  const links = {
    bin: "usr/bin",
    abs: "/usr",
    out: "../../../../../../etc/passwd",
    "usr/up": "../../../..",
    loop: "loop",
    "etc/far": "/nowhere/else",
    self: "/proc/self/root",
  };
  for (const [name, target] of Object.entries(links)) {
    symlink(AT_CWD, rawPath(`${folder.path}/${name}`), rawPath(target));
  }
  return folder;
}

Deno.test("resolveInRoot follows symlinks as if the folder were the root", async () => {
  await using folder = await makeRoot();
  const root = rawPath(folder.path);
  const cases: [string, string, string | undefined][] = [
    ["/", "/", "directory"],
    ["bin/tool", "/usr/bin/tool", "file"],
    ["/abs/bin/./../bin/tool", "/usr/bin/tool", "file"],
    ["/out", "/etc/passwd", undefined],
    ["/usr/up/usr", "/usr", "directory"],
    ["/../../usr", "/usr", "directory"],
    ["/etc/far", "/nowhere/else", undefined],
    ["/etc/far/../x", "/nowhere/x", undefined],
    ["/self/etc", "/proc/self/root/etc", undefined],
    ["/none/../bin", "/usr/bin", "directory"],
  ];
  for (const [path, inside, type] of cases) {
    const resolved = resolveInRoot(root, rawPath(path));
    deepEqual([resolved.inside, resolved.inode?.type], [inside, type], path);
    equal(resolved.outside, inside === "/" ? root : `${root}${inside}`);
  }
});

Deno.test("resolveInRoot refuses loops and files used as directories", async () => {
  await using folder = await makeRoot();
  throws(() => resolveInRoot(rawPath(folder.path), rawPath("/loop/x")), { errnoName: "ELOOP", message: /"\/loop\/x"/ });
  throws(() => resolveInRoot(rawPath(folder.path), rawPath("/bin/tool/x")), { errnoName: "ENOTDIR" });
});

Deno.test("resolveInRoot resolves in the real root when the root is /", () => {
  const { inside, outside, inode } = resolveInRoot(rawPath("/"), rawPath("/proc/../dev/null"));
  deepEqual([inside, outside, inode?.type], ["/dev/null", "/dev/null", "char"]);
});

Deno.test("resolveInRoot never leads out and never to a symlink, whatever the path", async () => {
  await using folder = await makeRoot();
  const root = rawPath(folder.path);
  const part = fc.constantFrom("bin", "abs", "out", "usr", "up", "etc", "far", "self", "..", ".", "none");
  fc.assert(fc.property(fc.array(part, { maxLength: 8 }), (parts) => {
    const resolved = attempt(root, rawPath(parts.join("/")));
    if (resolved === undefined) return;
    equal(isWithin(resolved, root), true);
    equal(resolved.split("/").includes(".."), false);
    equal(lstat(resolved)?.type === "symlink", false);
  }));
});

function attempt(root: RawPath, path: RawPath): RawPath | undefined {
  try {
    return resolveInRoot(root, path).outside;
  } catch {
    return undefined; // a refusal leads nowhere
  }
}
