import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { parseDigest } from "../../../src/oci/digest.ts";
import { type RemoteSource, sourceForm, splitSources } from "../../../src/plan/remote_source.ts";

const FORMS: readonly (readonly [source: string, form: string])[] = [
  ["a/b", "path"],
  ["http:/h/f", "path"],
  ["github.com/x/y", "path"],
  ["ftp://h/f", "path"],
  ["http://h/f", "url"],
  ["HTTPS://h/f", "url"],
  ["https://h/f.git/x", "url"],
  ["https://h/f?x=.git", "url"],
  ["https://h/f.git", "git"],
  ["https://h/f.git?ref=a#b", "git"],
  ["git://h/f", "git"],
  ["ssh://git@h/f", "git"],
  ["git@h:f", "git"],
];

for (const [source, form] of FORMS) {
  Deno.test(`sourceForm gives ${form} when the source is ${source}`, () => strictEqual(sourceForm(source), form));
}

const DIGEST = `sha256:${"0".repeat(64)}`;
const FLAGS = { kind: "ADD", range: { startLine: 2, endLine: 2 } } as const;

Deno.test("splitSources keeps the order of paths and remote sources", () => {
  const { patterns, remotes } = splitSources(["http://h/1", "a", "b", "https://h/r.git", "http://h/2"], "", FLAGS);
  deepStrictEqual(patterns, ["a", "b"]);
  deepStrictEqual(remotes.map(({ kind, position }) => [kind, position]), [["url", 0], ["git", 2], ["url", 2]]);
});

const REMOTES: readonly (readonly [word: string, checksum: string, flags: object, remote: RemoteSource])[] = [
  ["http://h/f", "", {}, { kind: "url", position: 0, url: "http://h/f", unpack: false }],
  ["http://h/f", DIGEST, { unpack: true }, {
    kind: "url",
    position: 0,
    url: "http://h/f",
    checksum: parseDigest(DIGEST),
    unpack: true,
  }],
  ["git@h:r#v1", "0123ABC", { keepGitDir: true }, {
    kind: "git",
    position: 0,
    reference: { transport: "ssh", remote: "git@h:r", ref: "v1", commit: "0123abc", keepGitDir: true },
  }],
  ["git@h:r?keep-git-dir=1", "", { keepGitDir: true }, {
    kind: "git",
    position: 0,
    reference: { transport: "ssh", remote: "git@h:r", keepGitDir: true },
  }],
];

for (const [word, checksum, flags, remote] of REMOTES) {
  Deno.test(`splitSources reads ${word} with ${JSON.stringify(flags)} and checksum "${checksum.slice(0, 10)}"`, () => {
    deepStrictEqual<unknown>(splitSources([word], checksum, { ...FLAGS, ...flags }).remotes, [remote]);
  });
}

const FAULTS: readonly (readonly [words: string, checksum: string, flags: object, message: RegExp])[] = [
  [
    "http://u:p@h/f",
    "",
    { kind: "COPY" },
    /^Cannot copy "http:\/\/xxxxx:xxxxx@h\/f": a source of COPY cannot be a URL$/,
  ],
  ["https://h/f.git", "", { kind: "COPY" }, /: a source of COPY cannot be a git repository$/],
  ["http://h:x/f", "", {}, /^Cannot add "http:\/\/h:x\/f": it is not a valid URL$/],
  ["a", DIGEST, {}, /^Cannot use ADD --checksum: it is for URLs and git repositories$/],
  ["a", DIGEST, { kind: "COPY" }, /^Cannot use COPY --checksum: it is for URLs/],
  ["http://h/a http://h/b", DIGEST, {}, /^Cannot use ADD --checksum: it is for one source, not for several$/],
  ["http://h/a", "sha512:00", {}, /^Cannot use ADD --checksum="sha512:00": expected "sha256:" and 64 hex digits$/],
  ["git@h:r", "012345", {}, /^Cannot use ADD --checksum="012345": expected 7 to 64 hex digits of a commit$/],
  ["git@h:r?commit=7654321", "0123456", {}, /--checksum is "0123456" and the URL's commit is "7654321"$/],
  ["git@h:r?keep-git-dir=0", "", { keepGitDir: true }, /contradict each other$/],
  [
    "https://u:p@h/r.git?reff=x",
    "",
    {},
    /^Cannot read git repository "https:\/\/xxxxx:xxxxx@h\/r.git\?\*\*\*": its query/,
  ],
];

for (const [words, checksum, flags, message] of FAULTS) {
  Deno.test(`splitSources throws when told ${words} with checksum "${checksum.slice(0, 10)}"`, () => {
    const split = (): unknown => splitSources(words.split(" "), checksum, { ...FLAGS, ...flags });
    throws(split, { name: "DockerfileError", message });
  });
}
