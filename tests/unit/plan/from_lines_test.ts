import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { formatPlatform } from "../../../src/oci/platform.ts";
import { formatReference } from "../../../src/oci/reference.ts";
import { globalScope } from "../../../src/plan/args.ts";
import { type Origin, type Origins, readOrigins, readReference } from "../../../src/plan/from_lines.ts";
import { parseText, planOptions, type PlanRequest } from "../../support/plan_request.ts";

const ORIGINS: readonly (readonly [name: string, text: string, origins: readonly string[]])[] = [
  ["an image has neither tag nor digest", "FROM busybox", ["index.docker.io/library/busybox:latest for linux/arm64"]],
  ["the name comes from ARGs", "ARG N=box\nARG T=1\nFROM h:5/$N:${T}", ["h:5/box:1 for linux/arm64"]],
  ["a platform is given", "FROM --platform=$BUILDPLATFORM a", ["index.docker.io/library/a:latest for linux/amd64"]],
  ["it is scratch", "FROM --platform=linux/386 scratch", ["scratch for linux/386"]],
  ["it is an earlier stage", "FROM scratch AS A\nFROM a", ["scratch for linux/arm64", "stage 0"]],
  ["a stage shadows an image", "FROM b AS b\nFROM b", ["index.docker.io/library/b:latest for linux/arm64", "stage 0"]],
  ["the stage comes later", "FROM b\nFROM scratch AS b", [
    "index.docker.io/library/b:latest for linux/arm64",
    "scratch for linux/arm64",
  ]],
  ["a stage has the name scratch", "FROM a AS scratch\nFROM scratch", [
    "index.docker.io/library/a:latest for linux/arm64",
    "stage 0",
  ]],
];

for (const [name, text, origins] of ORIGINS) {
  Deno.test(`readOrigins reads FROM when ${name}`, () => deepStrictEqual(origins, read(text).origins.map(describe)));
}

const FAULTS: readonly (readonly [text: string, message: string, hint: string | undefined])[] = [
  ["FROM $none", 'Cannot use base image "$none": the name is blank once expanded', undefined],
  ["FROM --platform=$none a", 'Cannot use platform "$none": it is empty once expanded', undefined],
  ["FROM --platform=a/b/c/d a", 'Cannot read platform "a/b/c/d": expected os/arch or os/arch/variant', undefined],
  [
    "FROM Upper",
    'Cannot read image reference "Upper": repository "Upper" must be lower case',
    undefined,
  ],
];

for (const [text, message, hint] of FAULTS) {
  Deno.test(`readOrigins throws at the line, needed or not, when it says ${text}`, () => {
    throws(() => read(`FROM a\n${text}\nFROM b`), { message, hint, range: { startLine: 2, endLine: 2 } });
  });
}

Deno.test("readOrigins tells the stage's name when FROM has it in another case", () => {
  throws(() => read("FROM scratch AS Base\nFROM Base"), { hint: 'The stage of that name is "base" for FROM' });
});

const WARNINGS: readonly (readonly [
  name: string,
  text: string,
  request: PlanRequest,
  warnings: readonly (readonly [rule: string, line: number, message: string])[],
])[] = [
  ["nothing is doubtful", "ARG T=1\nFROM a:$T\nFROM b", {}, []],
  ["a name is not declared", "ARG TAG=1\nFROM a${TGA}", {}, [
    ["UndefinedArgInFrom", 2, "FROM argument 'TGA' is not declared (did you mean TAG?)"],
  ]],
  ["a declared name has no value", "ARG TAG\nFROM a$TAG", {}, []],
  ["an unset name is provided for", "FROM a:${TAG:-1}", {}, []],
  ["only a build-arg makes the name right", "ARG TAG\nFROM a:$TAG", { buildArgs: { TAG: "1" } }, [
    ["InvalidDefaultArgInFrom", 2, "Default value for ARG a:$TAG results in empty or invalid base image name"],
  ]],
  ["the default is a stage", "ARG S=st\nFROM a AS st\nFROM $S", {}, []],
  ["the default cannot be expanded", "ARG T=${X:?no}\nFROM a:$T", { buildArgs: { T: "1" } }, []],
];

for (const [name, text, request, warnings] of WARNINGS) {
  Deno.test(`readOrigins warns ${warnings.length} times when ${name}`, () => {
    deepStrictEqual(
      read(text, request).warnings.map(({ rule, range, message }) => [rule, range?.startLine, message]),
      warnings,
    );
  });
}

Deno.test("readReference throws at the range, with the hint, when the name is impossible", () => {
  const range = { startLine: 3, endLine: 5 };
  strictEqual(formatReference(readReference("a", range)), "index.docker.io/library/a:latest");
  throws(() => readReference("a b", range, "try"), { name: "DockerfileError", range, hint: "try" });
});

Deno.test("readOrigins gives the context where one stands in for the stage or the image", () => {
  const contexts = { b: "folder", "docker.io/library/img": "docker-image://other:1", scratch2: "x" };
  const { origins, names } = read("FROM scratch AS b\nFROM img:latest\nFROM scratch\nFROM b\n", { contexts });
  deepStrictEqual(origins.map(describe), [
    "context b for linux/arm64",
    "index.docker.io/library/other:1 for linux/arm64",
    "scratch for linux/arm64",
    "stage 0",
  ]);
  deepStrictEqual(names, ["scratch", "img:latest", "scratch", "b"]);
});

function read(text: string, request: PlanRequest = {}): Origins {
  const dockerfile = parseText(text);
  const options = planOptions({ targetPlatform: "linux/arm64", ...request });
  return readOrigins(dockerfile, globalScope(dockerfile, options), options);
}

function describe(origin: Origin): string {
  switch (origin.kind) {
    case "stage":
      return `stage ${origin.stageIndex}`;
    case "scratch":
      return `scratch for ${formatPlatform(origin.platform)}`;
    case "image":
      return `${formatReference(origin.reference)} for ${formatPlatform(origin.platform)}`;
    case "named":
      return `context ${origin.name} for ${formatPlatform(origin.platform)}`;
  }
}
