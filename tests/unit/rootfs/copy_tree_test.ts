/** The copier below COPY: what one source node becomes. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { compilePathPatterns } from "../../../src/context/path_patterns.ts";
import { createContentHasher } from "../../../src/rootfs/content_hash.ts";
import { CopySource } from "../../../src/rootfs/copy_source.ts";
import { type CopyRules, TreeCopier } from "../../../src/rootfs/copy_tree.ts";
import { CopyWriter } from "../../../src/rootfs/copy_writer.ts";
import { closeFile, createFile } from "../../../src/sys/file.ts";
import { setXattr } from "../../../src/sys/inode.ts";
import { joinPath, rawPath, rawPathFromBytes } from "../../../src/sys/raw_path.ts";
import { AT_CWD } from "../../../src/sys/stat.ts";
import { listDirectory } from "../../../src/sys/walk.ts";
import { readXattrs } from "../../../src/sys/inode.ts";
import { CopyScene, recordingLogger } from "../../support/copy_scene.ts";

const PLAIN: CopyRules = { owner: undefined, mode: undefined, exclude: undefined };
const hasher = await createContentHasher();

interface Copier {
  readonly source: CopySource;
  readonly writer: CopyWriter;
  readonly copier: TreeCopier;
}

function copierOf(scene: CopyScene, rules: CopyRules = PLAIN): Copier {
  const source = new CopySource(scene.tree);
  const writer = new CopyWriter(scene.rootfs, {
    hasher,
    known: scene.known,
    log: recordingLogger(scene.log),
    implicitTimeNs: 0n,
  });
  return { source, writer, copier: new TreeCopier(source, writer, rules) };
}

/** Copies all that the source folder holds to the root of the rootfs. */
function copyAll({ source, copier }: Copier): number {
  return source.find("/").reduce((nodes, found) => nodes + [...copier.copyContents(found, rawPath("/"))].length, 0);
}

Deno.test("copyContents yields once a node, so that the caller can stop between them", () => {
  using scene = new CopyScene({ source: { "/a/b": "f:1", "/c": "f:2" } });
  equal(copyAll(copierOf(scene)), 3);
});

Deno.test("copyContents closes what it opened when the caller stops", () => {
  using scene = new CopyScene({ source: { "/a/b": "f:1", "/a/c": "f:2" } });
  const openFiles = (): number => [...Deno.readDirSync("/proc/self/fd")].length;
  const { source, copier } = copierOf(scene);
  const before = openFiles();
  for (const found of source.find("/")) for (const _ of copier.copyContents(found, rawPath("/"))) break;
  equal(openFiles(), before);
  deepEqual(scene.root(), { "/a": "d@700", "/a/b": "f:1" });
});

Deno.test("copyContents keeps names that are not UTF-8", () => {
  using scene = new CopyScene();
  const name = rawPathFromBytes(Uint8Array.of(0xc3, 0x28, 0xff));
  closeFile(createFile(AT_CWD, joinPath(scene.tree.root, name), 0o644));
  copyAll(copierOf(scene));
  deepEqual(listDirectory(scene.rootfs.path), [name]);
});

Deno.test("copyContents keeps capabilities of files and attributes of directories", () => {
  using scene = new CopyScene({ source: { "/s/f": "f:1@755" } });
  const capability = Uint8Array.of(1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0);
  setXattr(rawPath(scene.sourcePath("/s/f")), "security.capability", capability);
  copyAll(copierOf(scene, { ...PLAIN, owner: { uid: 5, gid: 5 } }));
  deepEqual(readXattrs(rawPath(scene.hostPath("/s/f"))).get("security.capability"), capability);
  deepEqual(scene.root(), { "/s": "d@5:5", "/s/f": "f:1@755@5:5" });
});

Deno.test("copyContents gives a file the group asked for when its directory is setgid", () => {
  using scene = new CopyScene({ source: { "/s/f": "f:1" }, root: { "/s": "d@2775@0:50" } });
  copyAll(copierOf(scene, { ...PLAIN, owner: { uid: 0, gid: 0 } }));
  equal(scene.root()["/s/f"], "f:1");
});

Deno.test("copyContents replaces a program that runs without touching the running one", async () => {
  using scene = new CopyScene({ source: { "/sleep": "f:new@755" } });
  await Deno.copyFile(await Deno.realPath("/bin/sleep"), scene.hostPath("/sleep"));
  const child = new Deno.Command(scene.hostPath("/sleep"), { args: ["60"] }).spawn();
  try {
    copyAll(copierOf(scene));
  } finally {
    child.kill("SIGKILL");
    await child.status;
  }
  deepEqual(scene.root(), { "/sleep": "f:new@755" });
});

Deno.test("copyContents copies files larger than its buffer whole", () => {
  using scene = new CopyScene();
  const bytes = new Uint8Array((2 << 20) + 17).map((_, index) => index * 31);
  Deno.writeFileSync(scene.sourcePath("/big"), bytes);
  copyAll(copierOf(scene));
  deepEqual(Deno.readFileSync(scene.hostPath("/big")), bytes);
});

Deno.test("copyContents leaves out what the excludes match, relative to the source", () => {
  using scene = new CopyScene({ source: { "/a/x": "f:1", "/a/y": "f:2", "/x": "f:3" } });
  copyAll(copierOf(scene, { ...PLAIN, exclude: compilePathPatterns([rawPath("a/x")]) }));
  deepEqual(scene.root(), { "/a": "d", "/a/y": "f:2", "/x": "f:3" });
});

Deno.test("copyNode follows no link at the destination", () => {
  using scene = new CopyScene({ source: { "/f": "f:new" }, root: { "/l": "l:../outside/secret" } });
  const { source, copier, writer } = copierOf(scene);
  for (const found of source.find("f")) copier.copyNode(found, rawPath("/l"));
  deepEqual([scene.root(), scene.outside()], [{ "/l": "f:new" }, { "/secret": "f:secret" }]);
  deepEqual(writer.written, ["/l"]);
});

Deno.test("copyNode refuses a directory in its way", () => {
  using scene = new CopyScene({ source: { "/f": "f:new" }, root: { "/d": "d" } });
  const { source, copier } = copierOf(scene);
  for (const found of source.find("f")) throws(() => copier.copyNode(found, rawPath("/d")), /a directory is there/);
});
