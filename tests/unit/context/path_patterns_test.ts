/** Compiled ignore patterns against a slow, plain reading of the rules. */
import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { cleanPattern, compilePathPatterns, trimBlanks } from "../../../src/context/path_patterns.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";

/** Whether `pattern` (without escapes, and with no class but `[ab]`) matches all of `path`, by trying everything. */
function matchesNaively(pattern: string, path: string): boolean {
  if (pattern === "") return path === "";
  if (pattern.startsWith("**")) {
    const rest = pattern.slice(pattern[2] === "/" ? 3 : 2);
    if (rest === "") return true;
    if (matchesNaively(rest, path)) return true;
    return [...path].some((char, at) => char === "/" && matchesNaively(rest, path.slice(at + 1)));
  }
  if (pattern.startsWith("*")) {
    for (let taken = 0; taken <= path.length; taken++) {
      if (matchesNaively(pattern.slice(1), path.slice(taken))) return true;
      if (path[taken] === "/") return false;
    }
    return false;
  }
  if (pattern.startsWith("[ab]")) {
    return "ab".includes(path[0] ?? "/") && matchesNaively(pattern.slice(4), path.slice(1));
  }
  const isSame = pattern[0] === "?" ? path !== "" && path[0] !== "/" : pattern[0] === path[0];
  return isSame && matchesNaively(pattern.slice(1), path.slice(1));
}

function isIgnoredNaively(patterns: readonly string[], path: string): boolean {
  const parts = path.split("/");
  const prefixes = parts.map((_, index) => parts.slice(0, index + 1).join("/"));
  let isIgnored = false;
  for (const pattern of patterns) {
    const isException = pattern.startsWith("!");
    const text = cleanPattern(rawPath(isException ? pattern.slice(1) : pattern));
    if (prefixes.some((prefix) => matchesNaively(text, prefix))) isIgnored = !isException;
  }
  return isIgnored;
}

// "**" directly before a name has its own rule, which the table of cases has: here it stands alone in a segment or ends one.
const segment = fc.constantFrom("a", "b", "ab", "*", "?", "a*", "*b", "**", "a**", "[ab]", "*[ab]");
const pattern = fc.tuple(fc.boolean(), fc.array(segment, { minLength: 1, maxLength: 4 })).map(([isException, parts]) =>
  (isException ? "!" : "") + parts.join("/")
);
const path = fc.array(fc.constantFrom("a", "b", "ab", "ba", "c"), { minLength: 1, maxLength: 5 }).map((parts) =>
  parts.join("/")
);

Deno.test("compilePathPatterns decides as a naive matcher does", () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 5 }), path, (patterns, subject) => {
      const compiled = compilePathPatterns(patterns.map(rawPath));
      equal(compiled.matches(rawPath(subject)), isIgnoredNaively(patterns, subject), patterns.join(" "));
    }),
    { numRuns: 3000 },
  );
});

Deno.test("canHoldIncluded is true for every ignored directory that holds something included", () => {
  fc.assert(
    fc.property(fc.array(pattern, { maxLength: 5 }), path, path, (patterns, directory, below) => {
      const compiled = compilePathPatterns(patterns.map(rawPath));
      if (compiled.matches(rawPath(`${directory}/${below}`))) return;
      equal(compiled.canHoldIncluded(rawPath(directory)), true, patterns.join(" "));
    }),
    { numRuns: 3000 },
  );
});

const REACH: readonly (readonly [patterns: readonly string[], directory: string, canHold: boolean])[] = [
  [["a"], "b", true],
  [["a"], "a", false],
  [["a", "!a/b"], "a", true],
  [["a", "!b"], "a", false],
  [["!a/b", "a"], "a", false],
  [["a", "!a/b"], "a/c", false],
  [["a", "!a/b"], "a/b", true],
  [["*", "!a/*/c"], "a", true],
  [["*", "!a/*/c"], "a/x", true],
  [["*", "!a/*/c"], "a/x/y", false],
  [["*", "!a/*/c"], "b", false],
  [["*", "!a/**/c"], "a/x/y", true],
  [["*", "!a/**/c"], "b", false],
  [["*", "!**/c"], "b/x", true],
  [["*", "![a-b]/c"], "b", true],
  [["node_modules", "!README.md"], "node_modules", false],
  [[], "a", true],
];

for (const [patterns, directory, canHold] of REACH) {
  Deno.test(`canHoldIncluded is ${canHold} for "${directory}" when the patterns are ${patterns.join(" ")}`, () => {
    equal(compilePathPatterns(patterns.map(rawPath)).canHoldIncluded(rawPath(directory)), canHold);
  });
}

const FIFTY: Readonly<Record<string, readonly string[]>> = {
  "of every shape": Array.from(
    { length: 10 },
    (_, n) => [`**/*.o${n}`, `dir${n}/**`, `a/b/${n}`, `x*/y?/${n}`, `!keep${n}`],
  ).flat(),
  "with classes": Array.from({ length: 50 }, (_, n) => `**/[a-f]*${n}/**/*.[ch]`),
  "with many wildcards": Array.from({ length: 50 }, (_, n) => `**/a${n}*/**/b*/**/*c`),
  "that are exceptions": ["*", ...Array.from({ length: 49 }, (_, n) => `!src/**/part${n + 7}/*.t?`)],
};

for (const [shape, patterns] of Object.entries(FIFTY)) {
  Deno.test(`matches answers for 30,000 paths in under a second when there are 50 patterns ${shape}`, () => {
    equal(patterns.length, 50);
    const compiled = compilePathPatterns(patterns.map(rawPath));
    const isIgnored = patterns.includes("*");
    const paths = Array.from({ length: 30_000 }, (_, n) => rawPath(`src/module${n % 100}/part${n % 7}/file${n}.ts`));
    // The best of five, as other programs may take the processor meanwhile.
    const elapsedMs = Math.min(...Array.from({ length: 5 }, () => {
      const start = performance.now();
      equal(paths.every((subject) => compiled.matches(subject) === isIgnored), true);
      return performance.now() - start;
    }));
    equal(elapsedMs < 1000, true, `${elapsedMs} ms`);
  });
}

Deno.test("hasExceptions tells whether some pattern makes one", () => {
  const lists = [["a"], [], ["a", "!b"], ["  !b"]];
  deepEqual(lists.map((list) => compilePathPatterns(list.map(rawPath)).hasExceptions), [false, false, true, true]);
});

Deno.test("cleanPattern cleans as Go does", () => {
  const cases = {
    "": ".",
    "a/../..": "..",
    "/..": "/",
    "../a": "../a",
    "a//b/./c/": "a/b/c",
    "/a/../b": "/b",
    "!./a": "!./a",
  };
  deepEqual(Object.fromEntries(Object.keys(cases).map((text) => [text, cleanPattern(rawPath(text))])), cases);
});

Deno.test("trimBlanks removes blanks at both ends only", () => {
  equal(trimBlanks(rawPath(" \t a b\r\n")), "a b");
});
