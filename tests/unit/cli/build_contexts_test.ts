import { deepEqual, throws } from "node:assert/strict";
import { buildContexts } from "../../../src/cli/build_contexts.ts";
import { formatReference } from "../../../src/oci/reference.ts";
import type { NamedContext } from "../../../src/plan/named_contexts.ts";

const DIGEST = `sha256:${"a".repeat(64)}`;

const CASES: readonly (readonly [text: string, name: string, shown: string])[] = [
  ["a=b", "a", "folder b"],
  ["a=/b=c", "a", "folder /b=c"],
  ["a=dir:///b", "a", "folder /b"],
  ["docker.io/library/A:latest=b", "a", "folder b"],
  ["a:1=docker-image://b:2", "a:1", "image index.docker.io/library/b:2"],
  [`a=docker-image://h:5/b@${DIGEST}`, "a", `image h:5/b@${DIGEST}`],
  ["a=oci-layout:///b:t", "a", "image oci-layout:///b:t"],
  [`a=oci-layout://b:t@${DIGEST}`, "a", `image oci-layout://b@${DIGEST}`],
  ["a=http://h/b.tgz", "a", "url http://h/b.tgz"],
  ["a=https://h/b.git#v1", "a", "git https://h/b.git"],
  ["a=git@h:b", "a", "git git@h:b"],
  ["a=github.com/b/c", "a", "folder github.com/b/c"],
];

for (const [text, name, shown] of CASES) {
  Deno.test(`buildContexts reads ${text}`, () => {
    deepEqual([...buildContexts([text])].map(([key, context]) => [key, describe(context)]), [[name, shown]]);
  });
}

Deno.test("buildContexts takes the last of equal names", () => {
  deepEqual([...buildContexts(["a=b", "A:latest=c"]).values()], [{ kind: "folder", path: "c" }]);
});

const FAULTS: readonly (readonly [text: string, message: RegExp, hint?: string])[] = [
  ["a", /^Cannot use "a" for --build-context: expected NAME=SOURCE$/],
  ["=b", /expected NAME=SOURCE$/],
  ["a=", /expected NAME=SOURCE$/],
  ["a b=c", /^Cannot use "a b" for --build-context: /],
  ["scratch=a", /^Cannot use "scratch" for --build-context: the name means something else and cannot be replaced$/],
  ["context=a", /cannot be replaced$/],
  ["a=docker-image://B", /must be lower case$/],
  ["a=docker-imag://b", /scheme "docker-imag:\/\/" is not supported$/, 'Did you mean "docker-image"?'],
  [
    "a=ftp://u:p@h/b",
    /^Cannot use "ftp:\/\/xxxxx:xxxxx@h\/b" for --build-context: scheme "ftp:\/\/" is not supported$/,
  ],
  ["a=target:b", /targets of bake are not supported yet$/],
  ["a=https://h:x/", /it is not a valid URL$/],
  [
    "a=https://u:p@h/r.git?x=y",
    /^Cannot use "https:\/\/xxxxx:xxxxx@h\/r.git\?\*\*\*" for --build-context: .*unknown key "x"$/,
  ],
];

for (const [text, message, hint] of FAULTS) {
  Deno.test(`buildContexts throws when told ${text}`, () => {
    throws(() => buildContexts([text]), { name: "UsageError", message, ...hint !== undefined && { hint } });
  });
}

function describe(context: NamedContext): string {
  switch (context.kind) {
    case "folder":
      return `folder ${context.path}`;
    case "url":
      return `url ${context.url}`;
    case "git":
      return `git ${context.reference.remote}`;
    case "image":
      return `image ${formatReference(context.reference)}`;
  }
}
