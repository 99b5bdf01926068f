import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { ArgInstruction } from "../../../src/dockerfile/instruction.ts";
import {
  assignEnv,
  declareArgs,
  globalScope,
  historyArgs,
  inheritScope,
  isDeclared,
  proxyVariables,
  runEnv,
  type StageScope,
  startScope,
  unusedBuildArgs,
} from "../../../src/plan/args.ts";
import { parseOne, parseStage, parseText, planOptions, type PlanRequest } from "../../support/plan_request.ts";

interface ArgCase {
  readonly name: string;
  readonly arg: string;
  readonly globals?: string;
  readonly buildArgs?: Readonly<Record<string, string>>;
  readonly env: readonly string[];
  readonly history: string;
}

const ARG_CASES: readonly ArgCase[] = [
  { name: "it has a default", arg: "ARG a=1", env: ["E=0", "a=1"], history: "ARG a=1" },
  { name: "it has none", arg: "ARG a", env: ["E=0"], history: "ARG a" },
  { name: "a build-arg is empty", arg: "ARG a=1", buildArgs: { a: "" }, env: ["E=0", "a="], history: "ARG a=" },
  {
    name: "a build-arg spares a failing default",
    arg: "ARG a=${b:?no}",
    buildArgs: { a: "x" },
    env: ["E=0", "a=x"],
    history: "ARG a=x",
  },
  { name: "only a global gives a value", globals: "ARG a=g", arg: "ARG a", env: ["E=0", "a=g"], history: "ARG a=g" },
  {
    name: "a default stands against a global",
    globals: "ARG a=g",
    arg: "ARG a=s",
    env: ["E=0", "a=s"],
    history: "ARG a=s",
  },
  {
    name: "a build-arg beats global and default",
    globals: "ARG a=g",
    arg: "ARG a=s",
    buildArgs: { a: "b" },
    env: ["E=0", "a=b"],
    history: "ARG a=b",
  },
  { name: "pairs follow each other", arg: "ARG a=1 b=$a$E", env: ["E=0", "a=1", "b=10"], history: "ARG a=1 b=10" },
  { name: "the name was an ENV", arg: "ARG E=2", env: ["E=2"], history: "ARG E=2" },
  {
    name: "an automatic value is asked for",
    arg: "ARG TARGETOS",
    env: ["E=0", "TARGETOS=linux"],
    history: "ARG TARGETOS=linux",
  },
  {
    name: "it speaks to the builder alone",
    arg: "ARG BUILDKIT_SBOM_SCAN_STAGE=true",
    env: ["E=0"],
    history: "ARG BUILDKIT_SBOM_SCAN_STAGE=true",
  },
];

for (const { name, arg, globals, buildArgs, env, history } of ARG_CASES) {
  Deno.test(`declareArgs assigns in order when ${name}`, () => {
    const change = declare(startScope(["E=0"]), arg, { globals, buildArgs });
    deepStrictEqual(runEnv(change.scope, new Map()), env);
    strictEqual(change.history, history);
  });
}

Deno.test("declareArgs throws at the ARG when its default cannot be expanded", () => {
  throws(() => declare(startScope([]), "ARG a=${b:?no b}", {}), { range: { startLine: 2, endLine: 2 } });
});

Deno.test("globalScope expands ARGs with earlier ones, automatic ones and build-args", () => {
  const request = { buildArgs: { a: "9", TARGETARCH: "riscv64" }, targetPlatform: "linux/arm/v7" };
  const { values, declared } = scope("ARG a=1\nARG b=$a-$TARGETARCH c=${b}c d\nFROM scratch AS last", request);
  deepStrictEqual(["a", "b", "c", "d"].map((name) => values.get(name)), ["9", "9-riscv64", "9-riscv64c", undefined]);
  strictEqual(declared.has("d"), true);
  deepStrictEqual(
    ["TARGETPLATFORM", "TARGETVARIANT", "BUILDPLATFORM", "BUILDVARIANT", "TARGETOSVERSION", "TARGETSTAGE"]
      .map((name) => values.get(name)),
    ["linux/arm/v7", "v7", "linux/amd64", "", "", "last"],
  );
});

Deno.test("globalScope names the target stage as asked, else by its name, else default", () => {
  strictEqual(scope("FROM scratch", {}).values.get("TARGETSTAGE"), "default");
  strictEqual(scope("FROM scratch AS a", {}).values.get("TARGETSTAGE"), "a");
  strictEqual(scope("FROM scratch AS a\nFROM scratch AS b", { target: "A" }).values.get("TARGETSTAGE"), "A");
});

Deno.test("assignEnv and startScope let the last assignment win and go last", () => {
  const assigned = assignEnv(startScope(["a=1", "b=2", "a=3", "bare"]), [["b", "4"], ["c", "5"]]);
  deepStrictEqual(runEnv(assigned, new Map()), ["a=3", "bare=", "b=4", "c=5"]);
});

Deno.test("inheritScope keeps ARGs and assigns the config's environment anew", () => {
  const parent = declare(startScope(["X=env"]), "ARG X=arg Y=y", {}).scope;
  const child = inheritScope(parent, ["X=env"]);
  deepStrictEqual(runEnv(child, new Map()), ["Y=y", "X=env"]);
  deepStrictEqual(historyArgs(child), ["|2", "X=env", "Y=y"]);
});

Deno.test("historyArgs folds duplicates and shows today's values in order of first declaration", () => {
  const first = declare(startScope([]), "ARG foo=1 bar=2 foo=3 none", {}).scope;
  deepStrictEqual(historyArgs(assignEnv(first, [["bar", "env"]])), ["|3", "foo=3", "bar=env", "none="]);
  deepStrictEqual(historyArgs(startScope(["a=b"])), []);
});

Deno.test("isDeclared holds for ARGs without value and for the builder's own", () => {
  const { scope: declared } = declare(startScope([]), "ARG a", {});
  deepStrictEqual(["a", "b", "BUILDKIT_SBOM_SCAN_CONTEXT"].map((name) => isDeclared(declared, name)), [
    true,
    false,
    true,
  ]);
});

Deno.test("runEnv puts proxies last, in both cases, over what the stage has", () => {
  const buildArgs = new Map([["no_Proxy", "n"], ["HTTP_PROXY", "h"], ["ftp_proxy", ""], ["MY_PROXY", "m"]]);
  deepStrictEqual(runEnv(startScope(["http_proxy=mine", "a=b"]), buildArgs), [
    "a=b",
    "HTTP_PROXY=h",
    "http_proxy=h",
    "NO_PROXY=n",
    "no_proxy=n",
  ]);
  deepStrictEqual(proxyVariables(new Map([["a", "b"]])), []);
});

Deno.test("unusedBuildArgs names those that no ARG declares and nothing else gives a meaning", () => {
  const names = ["g", "s", "typo", "HTTPS_PROXY", "BUILDKIT_SYNTAX", "SOURCE_DATE_EPOCH", "TARGETARCH"];
  const buildArgs = new Map(names.map((name) => [name, "1"]));
  deepStrictEqual(unusedBuildArgs(buildArgs, scope("ARG g\nFROM scratch", {}), parseStage("ARG s\nENV typo=1")), [
    "typo",
  ]);
});

function scope(text: string, request: PlanRequest): ReturnType<typeof globalScope> {
  return globalScope(parseText(text), planOptions(request));
}

function declare(
  start: StageScope,
  arg: string,
  { globals = "", buildArgs = {} }: {
    readonly globals?: string | undefined;
    readonly buildArgs?: Readonly<Record<string, string>> | undefined;
  },
): ReturnType<typeof declareArgs> {
  const instruction: ArgInstruction = parseOne("ARG", arg);
  const options = planOptions({ buildArgs });
  const global = globalScope(parseText(`${globals}\nFROM scratch`), options);
  const expand = { escape: "\\", range: instruction.range } as const;
  return declareArgs(start, instruction, { global, buildArgs: options.buildArgs, expand });
}
