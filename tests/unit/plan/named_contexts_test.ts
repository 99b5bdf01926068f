import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import {
  contextName,
  contextStep,
  findContext,
  mentionedNames,
  type NamedContext,
  RESERVED_NAMES,
  unusedContexts,
  withoutReplacedStages,
} from "../../../src/plan/named_contexts.ts";
import { parseText } from "../../support/plan_request.ts";

const NAMES: readonly (readonly [text: string, name: string])[] = [
  ["alpine", "alpine"],
  ["Alpine", "alpine"],
  ["alpine:latest", "alpine"],
  ["docker.io/library/alpine:latest", "alpine"],
  ["alpine:3.17", "alpine:3.17"],
  ["me/app:V2", "me/app:V2"],
  ["h.example:5000/a/b", "h.example:5000/a/b"],
];

for (const [text, name] of NAMES) {
  Deno.test(`contextName gives ${name} when told ${text}`, () => strictEqual(contextName(text), name));
}

Deno.test("contextName throws when the name is no reference", () => {
  throws(() => contextName("a b"), { name: "FormatError" });
});

const FOLDER: NamedContext = { kind: "folder", path: "x" };
const CONTEXTS = new Map([["alpine", FOLDER], ["stage", FOLDER], ["scratch", FOLDER]]);

Deno.test("findContext goes by the one spelling, and never replaces what is reserved", () => {
  deepStrictEqual(findContext(CONTEXTS, "docker.io/library/alpine"), { name: "alpine", context: FOLDER });
  for (const name of ["alpine:2", "other", "not a name", ...RESERVED_NAMES]) {
    strictEqual(findContext(CONTEXTS, name), undefined, name);
  }
  strictEqual(findContext(undefined, "alpine"), undefined);
});

const FILE = parseText("FROM alpine AS Stage\nRUN x\nFROM b\nCOPY --from=tools a b\nRUN --mount=from=m,target=/x y\n");

Deno.test("withoutReplacedStages empties the stages that a context replaces", () => {
  const counts = withoutReplacedStages(FILE, CONTEXTS).stages.map(({ instructions }) => instructions.length);
  deepStrictEqual(counts, [0, 2]);
  strictEqual(withoutReplacedStages(FILE, undefined), FILE);
});

Deno.test("mentionedNames lists bases, stages and sources of files", () => {
  deepStrictEqual(mentionedNames(FILE, ["alpine", "b"]), ["alpine", "b", "stage", "tools", "m"]);
});

Deno.test("unusedContexts asks whether a near name was meant", () => {
  const contexts = new Map([["tool", FOLDER], ["m", FOLDER], ["faraway", FOLDER]]);
  deepStrictEqual(unusedContexts(contexts, mentionedNames(FILE, ["alpine", "b"])), [
    'Build context "tool" is not used: no FROM, --from or mount names it (did you mean "tools"?)',
    'Build context "faraway" is not used: no FROM, --from or mount names it',
  ]);
});

Deno.test("contextStep copies all files of the context to the root", () => {
  const { source, patterns, destination } = contextStep({ name: "n", files: FOLDER }, { startLine: 1, endLine: 1 });
  deepStrictEqual<unknown>({ source, patterns, destination }, {
    source: { kind: "named", name: "n", files: FOLDER },
    patterns: ["/"],
    destination: "/",
  });
});
