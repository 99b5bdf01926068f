/** What the digest of a COPY's files sees, and what it does not. */
import { equal, notEqual, rejects } from "node:assert/strict";
import { copyDigest, type CopySelection, FileDigests } from "../../../src/rootfs/copy_digest.ts";
import { type CopyScene, CopyScene as Scene, type SceneOptions, type TreeText } from "../../support/copy_scene.ts";

const SIGNAL = new AbortController().signal;
const ALL: CopySelection = { patterns: ["."], exclude: [], parents: false };

async function digest(options: SceneOptions, step: Partial<CopySelection> = {}): Promise<string> {
  using scene = new Scene(options);
  return await digestOf(scene, step);
}

async function digestOf(scene: CopyScene, step: Partial<CopySelection> = {}): Promise<string> {
  return await copyDigest({ ...ALL, ...step }, scene.tree, new FileDigests(), SIGNAL);
}

const TREE: TreeText = { "/a": "f:one", "/d/b": "f:two", "/d/l": "l:b" };

const SEEN: readonly (readonly [name: string, before: TreeText, after: TreeText, step?: Partial<CopySelection>])[] = [
  ["a content", TREE, { ...TREE, "/a": "f:ONE" }],
  ["a file's mode", TREE, { ...TREE, "/a": "f:one@755" }],
  ["a directory's mode", { "/d": "d" }, { "/d": "d@700" }],
  ["a link's target", TREE, { ...TREE, "/d/l": "l:a" }],
  ["a type", { "/a": "l:x" }, { "/a": "f:x" }],
  ["a name", { "/a": "f:x" }, { "/b": "f:x" }],
  ["a file more", TREE, { ...TREE, "/z": "f:" }],
  ["an empty directory more", TREE, { ...TREE, "/z": "d" }],
  ["where a file lies", { "/d/a": "f:x", "/e": "d" }, { "/e/a": "f:x", "/d": "d" }],
  ["a hard link", { "/a": "f:x", "/b": "f:x" }, { "/a": "f:x", "/b": "h:/a" }],
  ["which files are hard links", { "/a": "f:x", "/b": "h:/a", "/c": "f:x" }, {
    "/a": "f:x",
    "/b": "f:x",
    "/c": "h:/a",
  }],
  ["a name that a wildcard matches", { "/a1": "f:x" }, { "/a2": "f:x" }, { patterns: ["a*"] }],
  ["contents swapped", { "/a1": "f:x", "/a2": "f:y" }, { "/a1": "f:y", "/a2": "f:x" }, { patterns: ["a*"] }],
  ["files named one by one swapped", { "/a": "f:x", "/b": "f:y" }, { "/a": "f:y", "/b": "f:x" }, {
    patterns: ["a", "b"],
  }],
  ["the file behind a link", { "/l": "l:a", "/a": "f:x" }, { "/l": "l:a", "/a": "f:y" }, { patterns: ["l"] }],
  ["a directory that becomes a file", { "/a": "d" }, { "/a": "f:" }, { patterns: ["a"] }],
];

for (const [name, before, after, step] of SEEN) {
  Deno.test(`copyDigest differs when the change is ${name}`, async () => {
    notEqual(await digest({ source: before }, step), await digest({ source: after }, step));
  });
}

const UNSEEN: readonly (readonly [name: string, before: TreeText, after: TreeText, step?: Partial<CopySelection>])[] = [
  ["the owner in a context", TREE, { ...TREE, "/a": "f:one@5:6" }],
  ["a mode under --chmod", TREE, { ...TREE, "/a": "f:one@664", "/d": "d@775" }, { chmod: "u=rwX,go=rX" }],
  ["a file that is not copied", TREE, { ...TREE, "/a": "f:else" }, { patterns: ["d"] }],
  ["an excluded file", TREE, { ...TREE, "/d/x.o": "f:else" }, { exclude: ["**/*.o"] }],
  ["the name of a directory that is copied", { "/d1/a": "f:x" }, { "/d2/a": "f:x" }, { patterns: ["d*"] }],
];

for (const [name, before, after, step] of UNSEEN) {
  Deno.test(`copyDigest is the same when the change is ${name}`, async () => {
    equal(await digest({ source: before }, step), await digest({ source: after }, step));
  });
}

Deno.test("copyDigest is the same when times differ", async () => {
  using scene = new Scene({ source: TREE });
  const before = await digestOf(scene);
  Deno.utimeSync(scene.sourcePath("/a"), 1, 1);
  Deno.utimeSync(scene.sourcePath("/d"), 1, 1);
  equal(await digestOf(scene), before);
});

Deno.test("copyDigest is the same when the program's umask differs", async () => {
  using scene = new Scene({ source: TREE });
  const before = await digestOf(scene);
  const umask = Deno.umask(0o077);
  try {
    equal(await digestOf(scene), before);
  } finally {
    Deno.umask(umask);
  }
});

Deno.test("copyDigest sees the owner of a stage's files unless --chown replaces it", async () => {
  const before = { source: TREE, isStage: true };
  const after = { source: { ...TREE, "/a": "f:one@5:6" }, isStage: true };
  notEqual(await digest(before), await digest(after));
  equal(await digest(before, { chown: "7" }), await digest(after, { chown: "7" }));
});

Deno.test("copyDigest does not see what .dockerignore hides", async () => {
  const ignore = ["*.o", "!keep.o"];
  const before = { source: TREE, ignore };
  equal(await digest(before), await digest({ source: { ...TREE, "/x.o": "f:" }, ignore }));
  notEqual(await digest(before), await digest({ source: { ...TREE, "/keep.o": "f:" }, ignore }));
});

Deno.test("copyDigest tells trees apart whose paths and contents spell the same text", async () => {
  notEqual(await digest({ source: { "/d/ab": "f:c" } }), await digest({ source: { "/d/a": "f:bc" } }));
});

Deno.test("copyDigest with --parents sees the directories on the way and what is selected", async () => {
  const step = { patterns: ["d/./*/x"], parents: true };
  const before: TreeText = { "/d/a/x": "f:1", "/d/b/y": "f:2" };
  notEqual(await digest({ source: before }, step), await digest({ source: { ...before, "/d/a": "d@700" } }, step));
  equal(await digest({ source: before }, step), await digest({ source: { ...before, "/d/b/y": "f:3" } }, step));
});

Deno.test("copyDigest fails as copying would when a source is not there", async () => {
  await rejects(digest({ source: TREE }, { patterns: ["missing"] }), /Cannot copy "\/missing": not found/);
});

Deno.test("FileDigests reads a file again when it was written in between", async () => {
  using scene = new Scene({ source: TREE });
  const files = new FileDigests();
  const before = await copyDigest(ALL, scene.tree, files, SIGNAL);
  equal(await copyDigest(ALL, scene.tree, files, SIGNAL), before);
  Deno.writeTextFileSync(scene.sourcePath("/a"), "ONE");
  notEqual(await copyDigest(ALL, scene.tree, files, SIGNAL), before);
});
