/** Checks of FROM lines; those of undeclared and default values are in `from_lines_test.ts` too. */
import { deepStrictEqual } from "node:assert/strict";
import { globalScope } from "../../../src/plan/args.ts";
import { findFromDoubts } from "../../../src/plan/from_checks.ts";
import { parseText, planOptions, type PlanRequest } from "../../support/plan_request.ts";

function find(text: string, request: PlanRequest = {}): readonly string[] {
  const dockerfile = parseText(text);
  const options = planOptions({ targetPlatform: "linux/arm64", ...request });
  return findFromDoubts(dockerfile, globalScope(dockerfile, options), options)
    .map(({ message, range }) => `${range?.startLine}: ${message}`);
}

const REDUNDANT = (word: string): string =>
  `Setting platform to predefined ${word} in FROM is redundant as this is the default behavior`;

const CASES: readonly (readonly [text: string, found: readonly string[]])[] = [
  ["FROM --platform=$TARGETPLATFORM a", [`1: ${REDUNDANT("$TARGETPLATFORM")}`]],
  ["FROM --platform=${TARGETPLATFORM} a", [`1: ${REDUNDANT("${TARGETPLATFORM}")}`]],
  ["FROM --platform=$BUILDPLATFORM a", []],
  ["FROM --platform=$TARGETOS/$TARGETARCH a", []],
  ["FROM --platform=${TARGETPLATFORM}/v8 a", []],
  ["ARG P=linux/amd64\nFROM --platform=$P a", []],
  ["FROM --platform=linux/amd64 a", ['1: FROM --platform flag should not use constant value "linux/amd64"']],
  ["FROM --platform=arm64 a AS x", ['1: FROM --platform flag should not use constant value "linux/arm64"']],
  ["FROM --platform=linux/amd64 a AS build-amd64", []],
  ["FROM --platform=linux/amd64 a AS linux-base", []],
  ["FROM --platform=a/b/c/d a", []],
  ["FROM --platform=$PLATFROM a", [
    "1: FROM argument 'PLATFROM' is not declared",
  ]],
  ["FROM a$TARGETARHC", ["1: FROM argument 'TARGETARHC' is not declared (did you mean TARGETARCH?)"]],
  ["ARG T\nFROM a:$T", ["2: Default value for ARG a:$T results in empty or invalid base image name"]],
];

for (const [text, found] of CASES) {
  Deno.test(`findFromDoubts finds ${found.length} in ${JSON.stringify(text)}`, () => {
    deepStrictEqual(find(text), found);
  });
}
