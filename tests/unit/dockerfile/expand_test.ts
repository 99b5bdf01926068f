/**
 * The table of `fixtures/expand/cases.txt`, reports of undefined variables, and properties of expansion.
 */
import assert from "node:assert/strict";
import fc from "fast-check";
import { expandHeredoc, expandWord, expandWords } from "../../../src/dockerfile/expand.ts";
import { DockerfileError, type Heredoc } from "../../../src/dockerfile/instruction.ts";

const CASES = new URL("../../../fixtures/expand/cases.txt", import.meta.url);
const PLACEHOLDERS: ReadonlyMap<string, string> = new Map([
  ["_SP_", " "],
  ["_TAB_", "\t"],
  ["_LF_", "\n"],
  ["_BAR_", "|"],
  ["_SEMI_", ";"],
  ["_HASH_", "#"],
]);
const HEREDOC: Heredoc = { name: "E", content: "", expand: true, stripTabs: false, fd: 0 };
const RANGE = { startLine: 3, endLine: 4 };

interface ExpandCase {
  readonly line: number;
  readonly input: string;
  readonly variables: ReadonlyMap<string, string>;
  readonly mode: string;
  readonly expected: string;
}

function readCases(): readonly ExpandCase[] {
  const lines = Deno.readTextFileSync(CASES).split("\n");
  return lines.flatMap((text, index) => {
    if (text === "" || text.startsWith("#")) return [];
    const fields = text.split("|").map((field) => field.trim());
    assert.equal(fields.length, 4, `line ${index + 1} has four fields`);
    const [input = "", variables = "", mode = "", expected = ""] = fields;
    return [{
      line: index + 1,
      input: fill(input),
      variables: readVariables(variables),
      mode,
      expected: fill(expected),
    }];
  });
}

function fill(field: string): string {
  return field.replace(/_[A-Z]+_/g, (mark) => PLACEHOLDERS.get(mark) ?? mark);
}

function readVariables(field: string): ReadonlyMap<string, string> {
  const pairs = field === "" ? [] : field.split(";");
  return new Map(pairs.map((pair) => {
    const equals = pair.indexOf("=");
    return [pair.slice(0, equals), fill(pair.slice(equals + 1))];
  }));
}

function outcome({ input, variables, mode }: ExpandCase): string {
  try {
    if (mode === "heredoc") return expandHeredoc({ ...HEREDOC, content: input }, variables, { range: RANGE });
    if (mode === "words") {
      const words = expandWords(input, variables, { escape: "\\", range: RANGE });
      return words.length === 0 ? "" : `words: ${words.join(",")}`;
    }
    assert.ok(mode === "\\" || mode === "`", `mode ${mode} is known`);
    return expandWord(input, variables, { escape: mode, range: RANGE });
  } catch (error: unknown) {
    if (!(error instanceof DockerfileError)) throw error;
    return `error: ${error.message}`;
  }
}

const cases = readCases();

Deno.test("the table of expansions has at least 200 cases", () => {
  assert.ok(cases.length >= 200, `${cases.length} cases`);
});

for (const expansion of cases) {
  const { line, input, mode, expected } = expansion;
  Deno.test(`expansion gives ${JSON.stringify(expected)} when line ${line} reads ${JSON.stringify(input)} as ${mode}`, () => {
    const actual = outcome(expansion);
    if (!expected.startsWith("error: ")) return assert.equal(actual, expected === "(empty)" ? "" : expected);
    assert.ok(actual.startsWith("error: Cannot expand "), actual);
    assert.ok(actual.includes(expected.slice("error: ".length)), actual);
  });
}

Deno.test("expandWord throws at the range of its options when the text is broken", () => {
  assert.throws(
    () => expandWord("${x:?need x}", new Map(), { escape: "\\", range: RANGE }),
    (error: unknown) => {
      assert.ok(error instanceof DockerfileError);
      assert.equal(error.message, 'Cannot expand "${x:?need x}": x: need x');
      assert.deepEqual(error.range, RANGE);
      return true;
    },
  );
});

Deno.test("expandWord reports the variables that are neither set nor provided for when asked to", () => {
  const names: string[] = [];
  const text = "$a ${b} ${c:-x} ${d+x} ${e#x} ${f/x/y} $set '$quoted' ${g:-$h} ${set:-$i}";
  expandWord(text, new Map([["set", ""]]), { escape: "\\", range: RANGE, onUndefined: (name) => names.push(name) });
  assert.deepEqual(names, ["a", "b", "e", "f", "h", "i"]);
});

Deno.test("expandHeredoc strips leading tabs alone when the operator was <<-", () => {
  const heredoc = { ...HEREDOC, stripTabs: true, content: "\t\ta\tb\n  \tc\n\t$x\n" };
  assert.equal(expandHeredoc(heredoc, new Map([["x", "\tv"]]), { range: RANGE }), "a\tb\n  \tc\n\tv\n");
});

Deno.test("expandHeredoc changes nothing when the delimiter was quoted", () => {
  const content = "$a \\$b ${ \\\n";
  assert.equal(expandHeredoc({ ...HEREDOC, content, expand: false }, new Map([["a", "1"]]), { range: RANGE }), content);
});

Deno.test("expandWord refuses to go on when the result would fill the memory", () => {
  const variables = new Map([["a", "x".repeat(1024 * 1024)]]);
  assert.equal(expandWord("$a".repeat(16), variables, { escape: "\\", range: RANGE }).length, 16 * 1024 * 1024);
  assert.throws(
    () => expandWord("$a".repeat(17), variables, { escape: "\\", range: RANGE }),
    /the result is longer than/,
  );
  assert.throws(() =>
    expandWord("${b//?/$a}", new Map([["a", "y".repeat(9 << 20)], ["b", "bb"]]), { escape: "\\", range: RANGE })
  );
});

Deno.test("expandWord refuses to go on when substitutions are nested beyond reason", () => {
  const nested = (depth: number): string => "${a:-".repeat(depth) + "x" + "}".repeat(depth);
  assert.equal(expandWord(nested(100), new Map(), { escape: "\\", range: RANGE }), "x");
  assert.throws(
    () => expandWord(nested(50_000), new Map(), { escape: "\\", range: RANGE }),
    /nested more than 100 deep/,
  );
});

Deno.test("expandWord ends when a pattern would make a backtracking matcher run for ever", () => {
  const variables = new Map([["a", "a".repeat(20_000)]]);
  assert.equal(expandWord(`\${a##${"*a".repeat(500)}b}`, variables, { escape: "\\", range: RANGE }).length, 20_000);
  assert.throws(
    () => expandWord(`\${a//*${"?".repeat(2000)}b/x}`, variables, { escape: "\\", range: RANGE }),
    /takes too long/,
  );
});

const fragments = fc.constantFrom(
  ..."a|$a|${a|${|}|:-|:+|:?|#|##|%|/|//|*|?|\\|`|'|\"| |$|<<|\n|한|👽|\ud800".split("|"),
);
const source = fc.array(fc.oneof(fragments, fc.string()), { maxLength: 12 }).map((parts) => parts.join(""));

Deno.test("expandWord gives text or throws DockerfileError when it reads anything", () => {
  fc.assert(
    fc.property(source, source, fc.constantFrom("\\" as const, "`" as const), (text, value, escape) => {
      try {
        assert.equal(typeof expandWord(text, new Map([["a", value]]), { escape, range: RANGE }), "string");
      } catch (error: unknown) {
        assert.ok(error instanceof DockerfileError, String(error));
      }
    }),
    { numRuns: 5000 },
  );
});

Deno.test("expandWord gives back any text when it stands in single quotes", () => {
  fc.assert(fc.property(fc.string({ unit: "grapheme" }), (text) => {
    const quoted = `'${text.replaceAll("'", `'"'"'`)}'`;
    assert.equal(expandWord(quoted, new Map(), { escape: "\\", range: RANGE }), text);
  }));
});

Deno.test("expandWord strips what was put before or after a value when the pattern is that text", () => {
  const plain = fc.stringMatching(/^[a-z.[\]+]{0,8}$/);
  fc.assert(fc.property(plain, plain, (value, part) => {
    const variables = new Map([["front", part + value], ["back", value + part], ["part", part]]);
    assert.equal(expandWord("${front#$part}", variables, { escape: "\\", range: RANGE }), value);
    assert.equal(expandWord("${back%$part}", variables, { escape: "\\", range: RANGE }), value);
  }));
});

/** The pattern as a regular expression, which is safe for the short texts below. */
function toRegExp(
  pattern: string,
  options: { readonly star: string; readonly anchor: string; readonly flags: string },
): RegExp {
  const body = pattern.replaceAll("?", "[^\n]").replaceAll("*", `[^\n]${options.star}`);
  return new RegExp(options.anchor + body, options.flags);
}

function reverse(text: string): string {
  return [...text].reverse().join("");
}

Deno.test("expandWord agrees with regular expressions when patterns have stars, marks and line feeds", () => {
  const value = fc.string({ unit: fc.constantFrom("a", "b", "\n"), maxLength: 10 });
  const pattern = fc.string({ unit: fc.constantFrom("a", "b", "?", "*", "\n"), maxLength: 6 });
  fc.assert(
    fc.property(value, pattern, (a, p) => {
      const expand = (text: string): string =>
        expandWord(text, new Map([["a", a], ["p", p]]), { escape: "\\", range: RANGE });
      const shortest = { star: "*?", anchor: "^", flags: "" };
      const longest = { star: "*", anchor: "^", flags: "" };
      assert.equal(expand("${a#$p}"), a.replace(toRegExp(p, shortest), ""));
      assert.equal(expand("${a##$p}"), a.replace(toRegExp(p, longest), ""));
      assert.equal(expand("${a%$p}"), reverse(reverse(a).replace(toRegExp(reverse(p), shortest), "")));
      assert.equal(expand("${a%%$p}"), reverse(reverse(a).replace(toRegExp(reverse(p), longest), "")));
      assert.equal(expand("${a/$p/<>}"), a.replace(toRegExp(p, { ...longest, anchor: "" }), "<>"));
      if (/[^*]/.test(p)) {
        assert.equal(expand("${a//$p/<>}"), a.replace(toRegExp(p, { star: "*", anchor: "", flags: "g" }), "<>"));
      }
    }),
    { numRuns: 5000 },
  );
});
