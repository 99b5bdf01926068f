import { deepEqual, equal, throws } from "node:assert/strict";
import {
  formatGitReference,
  type GitReference,
  isCommitId,
  isCommitPrefix,
  isGitReference,
  parseGitReference,
} from "../../../src/context/git_reference.ts";

const ID = "0123456789abcdef0123456789abcdef01234567";
const R = { transport: "http", remote: "https://h/r.git" } as const;

const CASES: readonly (readonly [text: string, reference: GitReference, shown: string])[] = [
  ["https://h/r.git", R, "https://h/r.git"],
  ["https://h/r.git#", R, "https://h/r.git"],
  ["https://h/r.git#v1", { ...R, ref: "v1" }, "https://h/r.git#v1"],
  ["https://h/r.git#v1:a/b", { ...R, ref: "v1", subdir: "a/b" }, "https://h/r.git#v1:a/b"],
  ["https://h/r.git#:a", { ...R, subdir: "a" }, "https://h/r.git#:a"],
  ["https://h/r.git?ref=v1&subdir=a", { ...R, ref: "v1", subdir: "a" }, "https://h/r.git#v1:a"],
  ["https://h/r.git?ref=v1#v1:a", { ...R, ref: "v1", subdir: "a" }, "https://h/r.git#v1:a"],
  ["https://h/r.git?tag=v1", { ...R, ref: "refs/tags/v1" }, "https://h/r.git#refs/tags/v1"],
  ["https://h/r.git?branch=refs/heads/x", { ...R, ref: "refs/heads/x" }, "https://h/r.git#refs/heads/x"],
  [`https://h/r.git?commit=${ID}`, { ...R, ref: ID, commit: ID }, `https://h/r.git#${ID}`],
  ["https://h/r.git?ref=a&checksum=ABCDEF1", { ...R, ref: "a", commit: "abcdef1" }, "https://h/r.git#a"],
  [
    `https://h/r.git?ref=a&commit=${ID}&fetch-by-commit=1`,
    { ...R, ref: "a", commit: ID, fetchByCommit: true },
    "https://h/r.git#a",
  ],
  [
    "https://h/r.git?keep-git-dir=true&submodules=0&mtime=commit",
    { ...R, keepGitDir: true, submodules: false, mtime: "commit" },
    "https://h/r.git",
  ],
  ["http://u:p@h/r.git", { transport: "http", remote: "http://u:p@h/r.git" }, "http://xxxxx:xxxxx@h/r.git"],
  ["git://h/r#a", { transport: "git", remote: "git://h/r", ref: "a" }, "git://h/r#a"],
  ["ssh://git@h:22/r", { transport: "ssh", remote: "ssh://git@h:22/r" }, "ssh://git@h:22/r"],
  ["git@h:a/b#c:d", { transport: "ssh", remote: "git@h:a/b", ref: "c", subdir: "d" }, "git@h:a/b#c:d"],
];

for (const [text, reference, shown] of CASES) {
  Deno.test(`parseGitReference and formatGitReference understand ${text}`, () => {
    equal(isGitReference(text), true);
    deepEqual(parseGitReference(text), reference);
    equal(formatGitReference(reference), shown);
  });
}

const FAULTS: readonly (readonly [text: string, message: RegExp])[] = [
  ["https://h/r", /^Cannot read git repository "https:\/\/h\/r": expected a URL of http, https, git or ssh/],
  ["https://h:x/r.git", /: it is not a valid URL$/],
  [
    "https://u:p@h/r.git?x=1",
    /^Cannot read git repository "https:\/\/xxxxx:xxxxx@h\/r.git\?\*\*\*": .*unknown key "x"$/,
  ],
  ["https://h/r.git?ref=a#b", /two values for "ref": "b" and "a"$/],
  ["https://h/r.git?ref=a&tag=a", /two values for "ref"/],
  ["https://h/r.git?tag=a&branch=a", /two values for "ref"/],
  ["https://h/r.git?subdir=a#:b", /two values for "subdir"/],
  ["https://h/r.git?commit=1234567&checksum=7654321", /two values for "commit"/],
  ["https://h/r.git?ref=a&ref=a", /"ref" stands twice/],
  ["https://h/r.git?ref=", /"ref" of its query has no value/],
  ["https://h/r.git?commit=xyz", /"xyz" is not a commit/],
  ["https://h/r.git?mtime=now", /"mtime" is "now"/],
  ["https://h/r.git?submodules=maybe", /"maybe" is neither true nor false/],
  ["https://h/r.git?ref=a&commit=1234567&fetch-by-commit=true", /needs "commit" with all its digits/],
];

for (const [text, message] of FAULTS) {
  Deno.test(`parseGitReference throws when told ${text}`, () => {
    throws(() => parseGitReference(text), { name: "FormatError", message });
  });
}

Deno.test("isGitReference is false when the text is a path or a plain URL", () => {
  for (const text of ["a/b", "github.com/a/b.git", "https://h/f", "https://h?x.git", "git:", "ftp://h/r.git", "a@b"]) {
    equal(isGitReference(text), false, text);
  }
});

Deno.test("isCommitId and isCommitPrefix go by length", () => {
  deepEqual([ID, ID.slice(1), ID.toUpperCase()].map(isCommitId), [true, false, false]);
  deepEqual([ID, "0123456", "012345", "0123xyz"].map(isCommitPrefix), [true, true, false, false]);
});
