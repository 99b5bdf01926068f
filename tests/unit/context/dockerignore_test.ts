/** Reading .dockerignore files, and what they ignore. */
import { deepEqual, equal, throws } from "node:assert/strict";
import { dockerignorePatterns, IGNORE_NOTHING, parseDockerignore } from "../../../src/context/dockerignore.ts";
import { FormatError } from "../../../src/errors.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";

const CASES = new URL("../../../fixtures/dockerignore/cases.txt", import.meta.url);

interface Case {
  readonly line: number;
  readonly file: string;
  readonly path: string;
  readonly verdict: string;
}

async function readCases(): Promise<readonly Case[]> {
  const lines = (await Deno.readTextFile(CASES)).split("\n");
  return lines.flatMap((text, index) => {
    const parts = text.split(" | ");
    if (parts.length !== 3) return [];
    const [patterns = "", path = "", verdict = ""] = parts;
    const file = patterns.replaceAll(";", "\n").replaceAll("~", " ");
    return [{ line: index + 1, file, path, verdict }];
  });
}

function parseText(text: string): ReturnType<typeof parseDockerignore> {
  return parseDockerignore(new TextEncoder().encode(text));
}

Deno.test("parseDockerignore ignores what the table of cases says", async () => {
  const cases = await readCases();
  equal(cases.length >= 120, true, `only ${cases.length} cases`);
  const wrong = cases.filter(({ file, path, verdict }) => {
    return (parseText(file).matches(rawPath(path)) ? "ignored" : "included") !== verdict;
  });
  deepEqual(wrong, []);
});

const LINES: readonly (readonly [name: string, text: string, patterns: readonly string[]])[] = [
  ["a byte order mark", "\ufeffa\nb", ["a", "b"]],
  ["a byte order mark before a comment", "\ufeff# a\nb", ["b"]],
  ["carriage returns", "a\r\nb\r\n", ["a", "b"]],
  ["comments in the first column only", "# a\n  # b\nc # d", ["# b", "c # d"]],
  ["blank lines", "\n  \n\t\na", ["a"]],
  ["exceptions with blanks", "!  a/ \n! ./b", ["!a", "!b"]],
  ["one leading slash", "/a\n!/b\n/", ["a", "!b", "/"]],
  ["a lone exclamation mark", "!", ["!"]],
];

for (const [name, text, patterns] of LINES) {
  Deno.test(`dockerignorePatterns reads ${name}`, () => {
    deepEqual(dockerignorePatterns(new TextEncoder().encode(text)).map(({ pattern }) => pattern), patterns);
  });
}

const BAD: readonly (readonly [text: string, message: string])[] = [
  ["a\n!", `Cannot use pattern of .dockerignore:2, "!": illegal exclusion pattern: "!"`],
  ["[", `Cannot use pattern of .dockerignore:1, "[": syntax error in pattern`],
  ["#\n\na[]b", `Cannot use pattern of .dockerignore:3, "a[]b": syntax error in pattern`],
  ["![a-", `Cannot use pattern of .dockerignore:1, "[a-": syntax error in pattern`],
  ["a\\", `Cannot use pattern of .dockerignore:1, "a\\": syntax error in pattern`],
];

for (const [text, message] of BAD) {
  Deno.test(`parseDockerignore names the line when it reads ${JSON.stringify(text)}`, () => {
    throws(() => parseText(text), (error) => {
      equal(error instanceof FormatError && error.message, message);
      return true;
    });
  });
}

Deno.test("parseDockerignore keeps patterns that are not UTF-8 as bytes", () => {
  const ignore = parseDockerignore(Uint8Array.of(0x61, 0xff, 0x0a));
  const name = (last: string): ReturnType<typeof rawPath> => ("a" + last) as ReturnType<typeof rawPath>;
  deepEqual([ignore.matches(name("\xff")), ignore.matches(name("\xfe"))], [true, false]);
});

Deno.test("IGNORE_NOTHING ignores nothing and lets every directory be walked", () => {
  deepEqual([IGNORE_NOTHING.matches(rawPath("a")), IGNORE_NOTHING.canHoldIncluded(rawPath("a"))], [false, true]);
});
