import { deepEqual, throws } from "node:assert/strict";
import { parseGitCommit, parseGitTag, parseGitTree } from "../../../src/context/git_objects.ts";

const ID = "0123456789abcdef0123456789abcdef01234567";
const encoder = new TextEncoder();

function tree(...entries: readonly (readonly [mode: string, name: string])[]): Uint8Array {
  const id = ID.match(/../g)?.map((pair) => Number.parseInt(pair, 16)) ?? [];
  return Uint8Array.from(entries.flatMap(([mode, name]) => [...encoder.encode(`${mode} ${name}\0`), ...id]));
}

Deno.test("parseGitTree reads every kind of entry", () => {
  const modes = ["100644", "100755", "120000", "40000", "160000", "100664"];
  deepEqual<unknown>(parseGitTree(tree(...modes.map((mode, index) => [mode, `n${index}`] as const))), [
    { kind: "file", name: "n0", id: ID },
    { kind: "program", name: "n1", id: ID },
    { kind: "symlink", name: "n2", id: ID },
    { kind: "tree", name: "n3", id: ID },
    { kind: "commit", name: "n4", id: ID },
    { kind: "file", name: "n5", id: ID },
  ]);
  deepEqual(parseGitTree(new Uint8Array()), []);
});

for (const name of ["", ".", "..", "a/b", ".git", ".GiT"]) {
  Deno.test(`parseGitTree throws when a name is "${name}"`, () => {
    throws(() => parseGitTree(tree(["100644", name])), { name: "FormatError", message: /is not a name for a file$/ });
  });
}

Deno.test("parseGitTree throws when the tree is cut off or has no mode", () => {
  const whole = tree(["100644", "a"]);
  for (let end = 1; end < whole.length; end++) {
    throws(() => parseGitTree(whole.subarray(0, end)), { name: "FormatError" });
  }
  throws(() => parseGitTree(tree(["x", "a"])), /has no mode$/);
});

Deno.test("parseGitCommit reads tree and time from the header alone", () => {
  const text =
    `tree ${ID}\nparent ${ID}\nauthor a <b> 1 +0000\ncommitter c > d <e> 1700000000 +0200\n\ntree x\ncommitter c <d> 5 +0000\n`;
  deepEqual(parseGitCommit(encoder.encode(text)), { tree: ID, committedAt: 1700000000 });
  throws(() => parseGitCommit(encoder.encode(`\n\ntree ${ID}\n`)), {
    message: "Cannot read git commit: it names no tree",
  });
});

Deno.test("parseGitTag reads the object", () => {
  deepEqual(parseGitTag(encoder.encode(`object ${ID}\ntype commit\ntag v1\n\nm`)), ID);
  throws(() => parseGitTag(encoder.encode("tag v1\n")), { message: "Cannot read git tag: it names no object" });
});
