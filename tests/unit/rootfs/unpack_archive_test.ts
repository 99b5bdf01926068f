/** Unpacking what ADD names: archives from friends and from enemies. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import fc from "fast-check";
import { ContextError } from "../../../src/context/context_error.ts";
import { createContentHasher } from "../../../src/rootfs/content_hash.ts";
import { CopyWriter } from "../../../src/rootfs/copy_writer.ts";
import { unpackArchive } from "../../../src/rootfs/unpack_archive.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import type { TarHeader } from "../../../src/tar/header.ts";
import { type TarEntry, writeTar } from "../../../src/tar/write.ts";
import { CopyScene, recordingLogger, type SceneOptions, type TreeText } from "../../support/copy_scene.ts";
import { tarHeader } from "../../support/tar_headers.ts";
import { readAll } from "../../support/tar_members.ts";

type Member = readonly [path: string, changes: Partial<TarHeader>, text?: string];

const MTIME = 1_234_567_890_000_000_000n;
const hasher = await createContentHasher();

function entryOf([path, changes, text = ""]: Member): TarEntry {
  const body = new TextEncoder().encode(text);
  const mode = changes.type === "directory" ? 0o755 : 0o644;
  return { header: tarHeader(path, { mode, mtimeNs: MTIME, ...changes, size: body.length }), body: [body] };
}

function link(target: string, type: "symlink" | "hardlink" = "symlink"): Partial<TarHeader> {
  return { type, linkPath: rawPath(target) };
}

async function unpack(scene: CopyScene, members: readonly Member[], destination = "/"): Promise<readonly string[]> {
  const writer = new CopyWriter(scene.rootfs, {
    hasher,
    known: scene.known,
    log: recordingLogger(scene.log),
    implicitTimeNs: 0n,
  });
  const request = {
    archive: "/x.tar",
    destination: rawPath(destination),
    owner: undefined,
    signal: new AbortController().signal,
  };
  await unpackArchive(writeTar(members.map(entryOf)), request, writer);
  return writer.written;
}

interface Case extends SceneOptions {
  readonly name: string;
  readonly members: readonly Member[];
  readonly destination?: string;
  readonly gives: TreeText;
}

const DIRECTORY: Partial<TarHeader> = { type: "directory" };

const CASES: readonly Case[] = [
  {
    name: "files with owners and modes",
    members: [["d", { ...DIRECTORY, mode: 0o1700, uid: 3, gid: 4 }], ["d/f", { mode: 0o4755, uid: 5, gid: 6 }, "x"]],
    gives: { "/d": "d@1700@3:4", "/d/f": "f:x@4755@5:6" },
  },
  {
    name: "missing parents as 0755 root",
    members: [["a/b/f", { uid: 5 }, "x"]],
    gives: { "/a": "d", "/a/b": "d", "/a/b/f": "f:x@5:0" },
  },
  {
    name: "below the destination",
    destination: "/p",
    root: { "/p": "d@711" },
    members: [["f", {}, "x"], ["./g", {}, "y"], ["/h", {}, "z"]],
    gives: { "/p": "d@711", "/p/f": "f:x", "/p/g": "f:y", "/p/h": "f:z" },
  },
  {
    name: "not the archive's own root",
    destination: "/p",
    root: { "/p": "d@711" },
    members: [[".", { ...DIRECTORY, mode: 0o777, uid: 9 }]],
    gives: { "/p": "d@711" },
  },
  {
    name: "through links that lead from the destination as their root",
    destination: "/p",
    root: { "/p/l": "l:/t", "/p/u": "l:../../t", "/t": "d" },
    members: [["l/f", {}, "x"], ["u/g", {}, "y"], ["h", link("l/f", "hardlink")]],
    gives: {
      "/p": "d",
      "/p/h": "f:x",
      "/p/l": "l:/t",
      "/p/t": "d",
      "/p/t/f": "h:/p/h",
      "/p/t/g": "f:y",
      "/p/u": "l:../../t",
      "/t": "d",
    },
  },
  {
    name: "names with .. that stay inside",
    members: [["a/../f", {}, "x"], ["/../g", {}, "y"]],
    gives: { "/f": "f:x", "/g": "f:y" },
  },
  {
    name: "links and hard links",
    members: [["f", {}, "x"], ["s", link("f")], ["h", link("f", "hardlink")], ["o", link("../../out")]],
    gives: { "/f": "f:x", "/h": "h:/f", "/o": "l:../../out", "/s": "l:f" },
  },
  {
    name: "fifos and devices",
    members: [["p", { type: "fifo", mode: 0o600 }], ["n", { type: "char", devMajor: 1, devMinor: 3, mode: 0o666 }]],
    gives: { "/n": "c:1,3@666", "/p": "p@600" },
  },
  {
    name: "into existing directories, which take the archive's metadata",
    root: { "/d": "d@700@1:1", "/d/o": "f:o" },
    members: [["d", { ...DIRECTORY, mode: 0o711 }], ["d/f", {}, "x"]],
    gives: { "/d": "d@711", "/d/f": "f:x", "/d/o": "f:o" },
  },
  {
    name: "over files, links and directories",
    root: { "/a": "f:o", "/b": "l:/c", "/c/x": "f:keep", "/d/x": "f:o" },
    members: [["a", {}, "1"], ["b", {}, "2"], ["d", {}, "3"]],
    gives: { "/a": "f:1", "/b": "f:2", "/c": "d", "/c/x": "f:keep", "/d": "f:3" },
  },
  {
    name: "a directory over a link replaces the link",
    root: { "/l": "l:/t", "/t": "d" },
    members: [["l", DIRECTORY], ["l/f", {}, "x"]],
    gives: { "/l": "d", "/l/f": "f:x", "/t": "d" },
  },
  {
    name: "through links of the image, inside the root",
    root: { "/lib": "l:/usr/lib", "/usr/lib": "d" },
    members: [["lib/f", {}, "x"]],
    gives: { "/lib": "l:/usr/lib", "/usr": "d", "/usr/lib": "d", "/usr/lib/f": "f:x" },
  },
  { name: "the last of two entries of one name", members: [["f", {}, "1"], ["f", {}, "22"]], gives: { "/f": "f:22" } },
  {
    name: "over one of two hard links without touching the other",
    root: { "/a": "f:old", "/b": "h:/a" },
    members: [["a", {}, "new"]],
    gives: { "/a": "f:new", "/b": "f:old" },
  },
  {
    name: "whiteouts as plain files",
    root: { "/f": "f:o" },
    members: [[".wh.f", {}, ""]],
    gives: { "/.wh.f": "f:", "/f": "f:o" },
  },
  {
    name: "not to protected places",
    root: { "/proc": "d" },
    protectedPaths: ["/proc"],
    members: [["proc", DIRECTORY], ["proc/x", {}, "x"], ["f", {}, "y"]],
    gives: { "/f": "f:y", "/proc": "d" },
  },
  // Hostile links: all stays inside.
  {
    name: "through a link it brought, clamped to the root",
    members: [["l", link("../../../../outside")], ["l/f", {}, "x"]],
    gives: { "/l": "l:../../../../outside", "/outside": "d", "/outside/f": "f:x" },
  },
  {
    name: "over a link it brought, not through it",
    members: [["l", link("../outside/secret")], ["l", {}, "x"]],
    gives: { "/l": "f:x" },
  },
];

for (const { name, members, destination, gives, ...options } of CASES) {
  Deno.test(`unpackArchive unpacks ${name}`, async () => {
    using scene = new CopyScene(options);
    const written = await unpack(scene, members, destination);
    deepEqual(scene.root(), gives);
    equal(new Set(written).size, written.length);
    deepEqual(scene.outside(), { "/secret": "f:secret" });
  });
}

const HOSTILE: readonly (readonly [name: string, members: readonly Member[], reason: string])[] = [
  ["..", [["../f", {}, "x"]], `entry "../f": "../f" leads out of the destination`],
  [".. in the middle", [["a/../../f", {}, "x"]], `entry "a/../../f": "a/../../f" leads out of the destination`],
  [
    "a hard link out",
    [["h", link("../../outside/secret", "hardlink")]],
    `entry "h": "../../outside/secret" leads out of the destination`,
  ],
  ["a hard link to nothing", [["h", link("none", "hardlink")]], `entry "h": its link target "none" is not there`],
  [
    "a hard link to a directory",
    [["d", DIRECTORY], ["h", link("d", "hardlink")]],
    `entry "h": its link target "d" is directory`,
  ],
  [
    "a hard link to itself",
    [["h", {}, "x"], ["h", link("h", "hardlink")]],
    `entry "h": its link target "h" is not there`,
  ],
  [
    "a hard link through a link out",
    [["l", link("../../outside")], ["h", link("l/secret", "hardlink")]],
    `entry "h": its link target "l/secret" is not there`,
  ],
];

for (const [name, members, reason] of HOSTILE) {
  Deno.test(`unpackArchive refuses ${name}`, async () => {
    using scene = new CopyScene({ root: { "/d2": "d" } });
    await rejects(unpack(scene, members, "/d2"), (error) => {
      equal(error instanceof ContextError && error.message, `Cannot unpack "/x.tar": ${reason}`);
      return true;
    });
    deepEqual(scene.outside(), { "/secret": "f:secret" });
  });
}

Deno.test("unpackArchive sets the times of directories after all that is in them", async () => {
  using scene = new CopyScene();
  await unpack(scene, [["d", DIRECTORY], ["d/e", DIRECTORY], ["d/e/f", {}, "x"], ["d/l", link("e")]]);
  for (const path of ["/d", "/d/e", "/d/e/f", "/d/l"]) equal(scene.node(path)?.mtimeNs, MTIME, path);
});

Deno.test("unpackArchive closes its file when the archive is cut", async () => {
  using scene = new CopyScene();
  const openFiles = async (): Promise<number> => (await Array.fromAsync(Deno.readDir("/proc/self/fd"))).length;
  const bytes = await readAll(writeTar([entryOf(["f", {}, "x".repeat(2000)])]));
  const writer = new CopyWriter(scene.rootfs, {
    hasher,
    known: scene.known,
    log: recordingLogger(scene.log),
    implicitTimeNs: 0n,
  });
  const request = { archive: "/x", destination: rawPath("/"), owner: undefined, signal: new AbortController().signal };
  const before = await openFiles();
  await rejects(unpackArchive(new Blob([bytes.slice(0, 1000)]).stream(), request, writer), /truncated/);
  equal(await openFiles(), before);
});

const part = fc.constantFrom("a", "b", "..", "outside", "secret", ".");
const path = fc.array(part, { minLength: 1, maxLength: 5 }).map((parts) => parts.join("/"));
const type = fc.constantFrom("file", "directory", "symlink", "hardlink");

Deno.test("unpackArchive touches nothing outside of the rootfs, whatever the archive says", async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(fc.tuple(type, path, path, fc.boolean()), { maxLength: 6 }), async (made) => {
      using scene = new CopyScene({ root: { "/d": "d" } });
      const members = made.map(([kind, name, target, isAbsolute]): Member => {
        const linkPath = rawPath(isAbsolute ? `${scene.folder}/${target}` : target);
        if (kind === "symlink" || kind === "hardlink") return [name, { type: kind, linkPath }];
        return kind === "directory" ? [name, DIRECTORY] : [name, {}, "evil"];
      });
      await unpack(scene, members, "/d").catch((error: unknown) =>
        equal(/Cannot /.test(String(error)), true, String(error))
      );
      deepEqual(scene.outside(), { "/secret": "f:secret" });
      deepEqual((await Array.fromAsync(Deno.readDir(scene.folder))).length, 3);
    }),
    { numRuns: 100 },
  );
});
