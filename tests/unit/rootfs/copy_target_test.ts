/** Where a source goes. */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { createContentHasher } from "../../../src/rootfs/content_hash.ts";
import { CopyTarget } from "../../../src/rootfs/copy_target.ts";
import { CopyWriter } from "../../../src/rootfs/copy_writer.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { CopyScene, recordingLogger, type TreeText } from "../../support/copy_scene.ts";

const PARENTS = { uid: 3, gid: 4, mode: 0o711 };
const hasher = await createContentHasher();

function writerOf(scene: CopyScene): CopyWriter {
  return new CopyWriter(scene.rootfs, {
    hasher,
    known: scene.known,
    log: recordingLogger(scene.log),
    implicitTimeNs: 0n,
  });
}

const FILES: readonly (readonly [destination: string, root: TreeText, path: string, made: TreeText])[] = [
  ["/a", {}, "/a", {}],
  ["/a/b", {}, "/a/b", { "/a": "d@711@3:4" }],
  ["/a/", {}, "/a/n", { "/a": "d@711@3:4" }],
  ["/a/.", {}, "/a/n", { "/a": "d@711@3:4" }],
  ["/", {}, "/n", {}],
  ["/a", { "/a": "d" }, "/a/n", {}],
  ["/a", { "/a": "f:" }, "/a", {}],
  ["/l", { "/l": "l:a", "/a": "d" }, "/a/n", {}],
  ["/l", { "/l": "l:a/b" }, "/a/b", { "/a": "d@711@3:4" }],
  ["/l/x", { "/l": "l:../../.." }, "/x", {}],
  ["/l/", { "/l": "l:/x/y" }, "/x/y/n", { "/x": "d@711@3:4", "/x/y": "d@711@3:4" }],
  ["/a/../b/n2", {}, "/b/n2", { "/b": "d@711@3:4" }],
];

for (const [destination, root, path, made] of FILES) {
  Deno.test(`forFile gives ${path} when the destination is ${destination} among ${Object.keys(root)}`, () => {
    using scene = new CopyScene({ root });
    const writer = writerOf(scene);
    equal(new CopyTarget(writer, destination, PARENTS).forFile(rawPath("n")), path);
    deepEqual(scene.root(), { ...root, ...made });
    deepEqual(writer.written, Object.keys(made));
  });
}

Deno.test("forDirectory makes the directory at the end of a link", () => {
  using scene = new CopyScene({ root: { "/l": "l:/x" } });
  equal(new CopyTarget(writerOf(scene), "/l", PARENTS).forDirectory(), "/x");
  equal(scene.root()["/x"], "d@711@3:4");
});

Deno.test("forDirectory refuses a file and a protected place", () => {
  using scene = new CopyScene({ root: { "/f": "f:", "/p": "d" }, protectedPaths: ["/p"] });
  const writer = writerOf(scene);
  throws(
    () => new CopyTarget(writer, "/f", PARENTS).forDirectory(),
    /Cannot copy a directory to "\/f": not a directory/,
  );
  throws(() => new CopyTarget(writer, "/p", PARENTS).forDirectory(), /Cannot copy to "\/p"/);
});

const part = fc.constantFrom("a", "b", "..", ".", "outside", "c");
const parts = fc.array(part, { minLength: 1, maxLength: 5 });

Deno.test("forFile and forDirectory make nothing outside of the rootfs, whatever its links say", () => {
  fc.assert(
    fc.property(fc.array(fc.tuple(parts, fc.boolean()), { maxLength: 3 }), parts, (links, path) => {
      using scene = new CopyScene({ root: { "/c": "d" } });
      links.forEach(([target, isAbsolute], index) => {
        const text = isAbsolute ? `${scene.folder}/${target.join("/")}` : target.join("/");
        Deno.symlinkSync(text, scene.hostPath(index === 2 ? "/c/a" : `/${["a", "b"][index]}`));
      });
      try {
        const target = new CopyTarget(writerOf(scene), `/${path.join("/")}/`, PARENTS);
        const real = Deno.realPathSync(scene.hostPath(target.forDirectory()));
        equal(`${real}/`.startsWith(`${Deno.realPathSync(scene.folder)}/root/`), true, real);
      } catch (error: unknown) {
        equal(/too many symbolic links/.test(String(error)), true, String(error));
      }
      deepEqual(scene.outside(), { "/secret": "f:secret" });
      deepEqual([...Deno.readDirSync(scene.folder)].length, 3);
    }),
    { numRuns: 100 },
  );
});
