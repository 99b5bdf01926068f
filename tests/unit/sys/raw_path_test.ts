import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import {
  baseName,
  cleanPath,
  comparePaths,
  isWithin,
  joinPath,
  parentPath,
  pathComponents,
  pathText,
  rawPath,
  rawPathBytes,
  rawPathFromBytes,
} from "../../../src/sys/raw_path.ts";

Deno.test("rawPathFromBytes gives bytes back when they are not UTF-8", () => {
  fc.assert(fc.property(fc.uint8Array({ maxLength: 20_000 }), (bytes) => {
    deepEqual(rawPathBytes(rawPathFromBytes(bytes)), bytes);
  }));
});

Deno.test("pathText gives the text back that rawPath took", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => equal(pathText(rawPath(text)), text)));
  equal(pathText(rawPathFromBytes(new Uint8Array([0x61, 0xff]))), "a\ufffd");
});

Deno.test("joinPath puts one slash between", () => {
  const cases: [string, string, string][] = [["", "a", "a"], ["/", "a", "/a"], ["/a", "b", "/a/b"], ["a/", "b", "a/b"]];
  for (const [parent, name, expected] of cases) equal(joinPath(rawPath(parent), rawPath(name)), expected);
});

Deno.test("parentPath and baseName split at the last slash", () => {
  const cases: [string, string, string][] = [["/a/b", "/a", "b"], ["/a", "/", "a"], ["a", "", "a"], ["a/b", "a", "b"]];
  for (const [path, parent, base] of cases) {
    deepEqual([parentPath(rawPath(path)), baseName(rawPath(path))], [parent, base], path);
  }
});

Deno.test("pathComponents drops empty parts and dots but keeps double dots", () => {
  deepEqual(pathComponents(rawPath("//a/./../b/")), ["a", "..", "b"]);
});

Deno.test("cleanPath stays below the root and does not change a clean path", () => {
  equal(cleanPath(rawPath("../../a/./b//../c/")), "/a/c");
  const part = fc.constantFrom("a", "b", "..", ".", "");
  fc.assert(fc.property(fc.array(part), (parts) => {
    const clean = cleanPath(rawPath(parts.join("/")));
    equal(clean[0], "/");
    equal(clean.split("/").includes(".."), false);
    equal(cleanPath(clean), clean);
  }));
});

Deno.test("isWithin goes by whole components", () => {
  const cases: [string, string, boolean][] = [
    ["/a", "/a", true],
    ["/a/b", "/a", true],
    ["/ab", "/a", false],
    ["/", "/a", false],
    ["/a", "/", true],
    ["a/b", "a", true],
    ["a", "", true],
  ];
  for (const [path, ancestor, expected] of cases) {
    equal(isWithin(rawPath(path), rawPath(ancestor)), expected, `${path} in ${ancestor}`);
  }
});

Deno.test("comparePaths orders as a walk: by components, each by bytes", () => {
  const name = fc.stringMatching(/^[!-.0-~]{1,3}$/);
  const path = fc.array(name, { minLength: 1, maxLength: 4 });
  fc.assert(fc.property(path, path, (a, b) => {
    const index = a.findIndex((part, i) => part !== b[i]);
    const [x, y] = index < 0 ? ["", ""] : [a[index] ?? "", b[index] ?? ""];
    const expected = index < 0 ? a.length - b.length : x < y ? -1 : 1;
    equal(Math.sign(comparePaths(rawPath(a.join("/")), rawPath(b.join("/")))), Math.sign(expected));
  }));
});
