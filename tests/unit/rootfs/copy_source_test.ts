/** Finding sources, and that no link leads out of the tree. */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { parseDockerignore } from "../../../src/context/dockerignore.ts";
import { CopySource } from "../../../src/rootfs/copy_source.ts";
import { closeFile, createFile } from "../../../src/sys/file.ts";
import { joinPath, rawPath, rawPathFromBytes } from "../../../src/sys/raw_path.ts";
import { AT_CWD } from "../../../src/sys/stat.ts";
import { CopyScene, type SceneOptions } from "../../support/copy_scene.ts";

const CASES: readonly (readonly [name: string, scene: SceneOptions, pattern: string, found: readonly string[]])[] = [
  ["the root", {}, ".", ["/ as "]],
  ["the root above the root", {}, "../..", ["/ as "]],
  ["a path", { source: { "/a/b": "f:" } }, "./a//b/", ["/a/b as b"]],
  ["a path through links", { source: { "/l": "l:a", "/a/b": "l:../c", "/c": "f:" } }, "l/b", ["/c as b"]],
  ["an absolute link as one inside", { source: { "/l": "l:/a/b", "/a/b": "f:" } }, "l", ["/a/b as l"]],
  ["matches in byte order", { source: { "/b": "f:", "/a": "f:", "/B": "f:" } }, "?", ["/B as B", "/a as a", "/b as b"]],
  ["matches below a linked literal", { source: { "/l": "l:a", "/a/x": "f:" } }, "l/*", ["/a/x as x"]],
  ["no matches below a link that matches", { source: { "/l": "l:a", "/a/x": "f:" } }, "[l]/*", []],
  ["no matches below a file", { source: { "/a": "f:" } }, "a/*", []],
  ["no matches in a missing directory", {}, "a/*", []],
  ["hidden files by wildcard", { source: { "/.a": "f:", "/b": "f:" } }, "*", ["/.a as .a", "/b as b"]],
];

for (const [name, options, pattern, found] of CASES) {
  Deno.test(`find gives ${name}`, () => {
    using scene = new CopyScene(options);
    const nodes = new CopySource(scene.tree).find(pattern);
    deepEqual(nodes.map((node) => `${node.path} as ${node.name}`), found);
  });
}

Deno.test("find matches names that are not UTF-8", () => {
  using scene = new CopyScene();
  const name = rawPathFromBytes(Uint8Array.of(0x61, 0xff, 0x62));
  closeFile(createFile(AT_CWD, joinPath(scene.tree.root, name), 0o644));
  deepEqual(new CopySource(scene.tree).find("a*b").map((node) => node.name), [name]);
});

Deno.test("hides and canHoldVisible tell what the filter says", () => {
  using scene = new CopyScene();
  const filter = parseDockerignore(new TextEncoder().encode("a\nb\n!b/c"));
  const source = new CopySource({ ...scene.tree, filter });
  const paths = ["/", "/a", "/b", "/b/c", "/x"].map(rawPath);
  deepEqual(paths.map((path) => source.hides(path)), [false, true, true, false, false]);
  deepEqual(["/a", "/b"].map((path) => source.canHoldVisible(rawPath(path))), [false, true]);
});

const name = fc.constantFrom("a", "b", "c", "d");
const target = fc.array(fc.constantFrom("..", "a", "b", "c", "d", "outside", "secret", "."), {
  minLength: 1,
  maxLength: 6,
});
const links = fc.array(fc.tuple(name, target, fc.boolean()), { minLength: 1, maxLength: 4 });

Deno.test("find never leads out of the tree, whatever its links say", () => {
  fc.assert(
    fc.property(links, fc.array(name, { minLength: 1, maxLength: 4 }), (made, path) => {
      using scene = new CopyScene({ source: { "/d/a": "f:in" } });
      for (const [from, parts, isAbsolute] of made) {
        const text = isAbsolute ? `${scene.folder}/${parts.join("/")}` : parts.join("/");
        try {
          Deno.symlinkSync(text, scene.sourcePath(`/${from}`));
        } catch (error: unknown) {
          if (!(error instanceof Deno.errors.AlreadyExists)) throw error;
        }
      }
      const source = new CopySource(scene.tree);
      try {
        for (const node of source.find(path.join("/"))) {
          const real = Deno.realPathSync(scene.sourcePath(node.path));
          equal(`${real}/`.startsWith(`${Deno.realPathSync(scene.folder)}/source/`), true, real);
        }
      } catch (error: unknown) {
        equal(/not found|too many symbolic links/.test(String(error)), true, String(error));
      }
    }),
    { numRuns: 100 },
  );
});

Deno.test("find gives not found for links to the neighbour of the tree", () => {
  using scene = new CopyScene();
  const targets = ["../outside/secret", `${scene.folder}/outside/secret`, "/proc/self/root/etc/passwd", "/etc/passwd"];
  targets.forEach((text, index) => {
    Deno.symlinkSync(text, scene.sourcePath(`/l${index}`));
    throws(() => new CopySource(scene.tree).find(`l${index}`), /not found/);
  });
});
