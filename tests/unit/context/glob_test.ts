/** Wildcards of one path segment. */
import { deepEqual, equal, throws } from "node:assert/strict";
import fc from "fast-check";
import { compileGlob, globTokens, hasWildcard, matchableText, tokenSource } from "../../../src/context/glob.ts";
import { FormatError } from "../../../src/errors.ts";
import { type RawPath, rawPath, rawPathFromBytes } from "../../../src/sys/raw_path.ts";

const CASES: readonly (readonly [glob: string, matching: readonly string[], others: readonly string[]])[] = [
  ["a", ["a"], ["", "aa", "b"]],
  ["*", ["", "a", ".a"], ["a/b"]],
  ["**", ["", "a", "ab"], ["a/b"]],
  ["a*", ["a", "ab"], ["b", "ba"]],
  ["*.go", [".go", "a.go"], ["ago", "a.goo"]],
  ["?", ["a", "é", "日"], ["", "ab", "/"]],
  ["a?c", ["abc", "a.c"], ["ac", "abbc"]],
  ["[a-c]", ["a", "b", "c"], ["d", "-", "ab"]],
  ["[^a-c]", ["d"], ["a"]],
  ["[a-cx]y", ["ay", "xy"], ["dy"]],
  ["arr[[]0].txt", ["arr[0].txt"], ["arr0.txt"]],
  ["a\\*", ["a*"], ["ab"]],
  ["a\\[b", ["a[b"], ["ab"]],
  ["[\\-x]", ["-", "x"], ["\\"]],
  ["[é]", ["é"], ["e"]],
  ["a.b", ["a.b"], ["axb"]],
  ["a+(b)|c", ["a+(b)|c"], ["aab"]],
];

for (const [glob, matching, others] of CASES) {
  Deno.test(`compileGlob matches whole names when the pattern is ${glob}`, () => {
    const matches = compileGlob(rawPath(glob));
    deepEqual(matching.filter((name) => !matches(rawPath(name))), []);
    deepEqual(others.filter((name) => matches(rawPath(name))), []);
  });
}

for (const glob of ["[", "[]", "[]a]", "[a", "[a-", "[a-]", "[-a]", "[^]", "a\\", "[\\", "x[a-b-c]"]) {
  Deno.test(`globTokens refuses ${glob}`, () => {
    throws(() => globTokens(rawPath(glob)), (error) => {
      equal(error instanceof FormatError && error.message, `Cannot use pattern "${glob}": syntax error in pattern`);
      return true;
    });
  });
}

Deno.test("hasWildcard sees only what no backslash escapes", () => {
  const texts = ["a*", "?", "[a]", "a", "\\*", "\\[", "\\\\*", "a]"];
  deepEqual(texts.filter(hasWildcard), ["a*", "?", "[a]", "\\\\*"]);
});

Deno.test("compileGlob matches names that are not UTF-8 when a wildcard stands for them", () => {
  const name: RawPath = rawPathFromBytes(Uint8Array.of(0x61, 0xff));
  deepEqual([compileGlob(rawPath("a*"))(name), compileGlob(rawPath("a"))(name)], [true, false]);
});

Deno.test("tokenSource never lets a star or a question mark match a slash", () => {
  equal(new RegExp(`^${tokenSource({ kind: "many" })}$`, "su").test("a/b"), false);
  equal(new RegExp(`^${tokenSource({ kind: "one" })}$`, "su").test("/"), false);
});

Deno.test("matchableText decodes UTF-8 and leaves ASCII alone", () => {
  deepEqual([matchableText(rawPath("é")), matchableText(rawPath("e"))], ["é", "e"]);
});

Deno.test("compileGlob agrees with a matcher that tries everything, whatever the stars", () => {
  const words = fc.array(fc.constantFrom("a", "b", "*", "?", "[ab]"), { maxLength: 8 });
  const names = fc.array(fc.constantFrom("a", "b", "c"), { maxLength: 8 }).map((chars) => chars.join(""));
  fc.assert(
    fc.property(words, names, (tokens, name) => {
      equal(
        compileGlob(rawPath(tokens.join("")))(rawPath(name)),
        matchesSlowly(tokens, name),
        `${tokens.join("")} ${name}`,
      );
    }),
    { numRuns: 2000 },
  );
});

Deno.test("compileGlob answers at once when many stars nearly match", () => {
  equal(compileGlob(rawPath(`${"*a".repeat(60)}*z`))(rawPath("a".repeat(200))), false);
});

function matchesSlowly(tokens: readonly string[], name: string): boolean {
  const [token, ...rest] = tokens;
  if (token === undefined) return name === "";
  if (token === "*") return matchesSlowly(rest, name) || (name !== "" && matchesSlowly(tokens, name.slice(1)));
  const isMatch = token === "?" ? name !== "" : token === "[ab]" ? /^[ab]/.test(name) : name[0] === token;
  return isMatch && matchesSlowly(rest, name.slice(1));
}
