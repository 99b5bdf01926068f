/** Keys: whatever can change a layer changes its key, and nothing else does. */
import { deepEqual, equal, notEqual, throws } from "node:assert/strict";
import fc from "fast-check";
import {
  type CacheKey,
  firstLineage,
  type LayerMaking,
  type LayerStep,
  makesLayer,
  nextKey,
  nextLineage,
  parseCacheKey,
  seedKey,
  type StepInput,
} from "../../../src/cache/cache_key.ts";
import { parseDiffId, sha256 } from "../../../src/oci/digest.ts";
import type { CopyStep, RunMount, RunStep, WorkdirStep } from "../../../src/plan/plan.ts";
import { copyStepOf, NOWHERE, runStepOf } from "../../support/stage_world.ts";

const A = sha256(new TextEncoder().encode("a"));
const B = sha256(new TextEncoder().encode("b"));
const MAKING: LayerMaking = { platform: { os: "linux", architecture: "amd64" }, compression: "gzip" };
const SEED = seedKey({ kind: "scratch" }, MAKING);
const FILES: readonly StepInput[] = [{ kind: "files", digest: A }];
const WORKDIR: WorkdirStep = { kind: "workdir", range: NOWHERE, title: "", history: "", path: "/a", user: "" };
const RUN: RunStep = runStepOf("RUN x", { argv: ["/bin/sh", "-c", "x"], env: ["A=1", "HTTP_PROXY=p"] });
const COPY: CopyStep = copyStepOf("a", "/a");

function key(step: LayerStep, inputs: readonly StepInput[] = [], parent: CacheKey = SEED): CacheKey {
  return nextKey(parent, step, inputs);
}

const CACHE: RunMount = {
  kind: "cache",
  target: "/c",
  id: "/c",
  source: "/",
  isReadOnly: false,
  sharing: "shared",
  mode: 0o755,
  uid: 0,
  gid: 0,
};

/** Each changes one thing that a layer can show. */
const COVERED: readonly (readonly [name: string, before: LayerStep, after: LayerStep])[] = [
  ["a word of the command", RUN, { ...RUN, argv: ["/bin/sh", "-c", "y"] }],
  ["the shell", RUN, { ...RUN, argv: ["/bin/bash", "-c", "x"] }],
  ["where words of the command are cut", { ...RUN, argv: ["a b"] }, { ...RUN, argv: ["a", "b"] }],
  ["a variable's value", RUN, { ...RUN, env: ["A=2", "HTTP_PROXY=p"] }],
  ["a variable's name", RUN, { ...RUN, env: ["B=1", "HTTP_PROXY=p"] }],
  ["a variable more", RUN, { ...RUN, env: [...RUN.env, "C="] }],
  ["the user", RUN, { ...RUN, user: "app" }],
  ["the working directory", RUN, { ...RUN, workdir: "/w" }],
  ["the network", RUN, { ...RUN, network: "none" }],
  ["a script's text", withScript("a"), withScript("b")],
  ["a mount", RUN, { ...RUN, mounts: [CACHE] }],
  ["a mount's access", { ...RUN, mounts: [CACHE] }, { ...RUN, mounts: [{ ...CACHE, isReadOnly: true }] }],
  ["a source", COPY, { ...COPY, patterns: ["b"] }],
  ["where sources are cut", { ...COPY, patterns: ["a b"] }, { ...COPY, patterns: ["a", "b"] }],
  ["the destination", COPY, { ...COPY, destination: "/b" }],
  ["a slash behind the destination", COPY, { ...COPY, destination: "/a/" }],
  ["--chown", COPY, { ...COPY, chown: "1:1" }],
  ["--chmod", COPY, { ...COPY, chmod: "600" }],
  ["--exclude", COPY, { ...COPY, exclude: ["*.o"] }],
  ["--parents", COPY, { ...COPY, parents: true }],
  ["--link", COPY, { ...COPY, link: true }],
  ["unpacking", COPY, { ...COPY, unpack: true }],
  ["COPY and ADD", COPY, { ...COPY, instruction: "ADD" }],
  ["a heredoc's name", withFile("a", "x"), withFile("b", "x")],
  ["a heredoc's text", withFile("a", "x"), withFile("a", "y")],
  ["where a heredoc's name ends", withFile("a", "bc"), withFile("ab", "c")],
  ["the path of WORKDIR", WORKDIR, { ...WORKDIR, path: "/b" }],
  ["the user of WORKDIR", WORKDIR, { ...WORKDIR, user: "1" }],
  ["the kind", WORKDIR, RUN],
];

function withScript(content: string): RunStep {
  return { ...RUN, script: { name: "EOF", content } };
}

function withFile(name: string, content: string): CopyStep {
  return { ...COPY, inlineFiles: [{ name, content }] };
}

for (const [name, before, after] of COVERED) {
  Deno.test(`nextKey differs when the change is ${name}`, () => notEqual(key(before), key(after)));
}

const EXCLUDED: readonly (readonly [name: string, before: LayerStep, after: LayerStep])[] = [
  ["the line", RUN, { ...RUN, range: { startLine: 7, endLine: 9 } }],
  ["the title", RUN, { ...RUN, title: "RUN  x # y" }],
  ["the history", RUN, { ...RUN, history: "else" }],
  ["the value of a proxy", withProxy("http://a"), withProxy("http://b")],
  ["a proxy at all", withProxy("http://a"), { ...RUN, env: ["A=1"] }],
  ["the number of the source stage", fromStage(0), fromStage(1)],
];

function withProxy(value: string): RunStep {
  return { ...RUN, env: ["A=1", `HTTP_PROXY=${value}`], proxyNames: ["HTTP_PROXY"] };
}

function fromStage(stageIndex: number): CopyStep {
  return { ...COPY, source: { kind: "stage", stageIndex } };
}

for (const [name, before, after] of EXCLUDED) {
  Deno.test(`nextKey is the same when the change is ${name}`, () => equal(key(before), key(after)));
}

Deno.test("nextKey keeps a proxy variable that the Dockerfile sets", () => {
  notEqual(key(RUN), key({ ...RUN, env: ["A=1", "HTTP_PROXY=q"] }));
});

Deno.test("nextKey differs when the key before it, or what the step takes, differs", () => {
  const inputs: readonly (readonly StepInput[])[] = [
    [],
    [{ kind: "none" }],
    [{ kind: "files", digest: A }],
    [{ kind: "files", digest: B }],
    [{ kind: "image", digest: A }],
    [{ kind: "stage", key: parseCacheKey(A.slice(7)) }],
    [{ kind: "files", digest: A }, { kind: "files", digest: B }],
    [{ kind: "files", digest: B }, { kind: "files", digest: A }],
  ];
  const keys = inputs.map((list) => key(COPY, list));
  equal(new Set(keys).size, inputs.length);
  notEqual(key(COPY, FILES), key(COPY, FILES, key(WORKDIR)));
});

Deno.test("nextKey tells two commands from one that spells both", () => {
  const run = (text: string): RunStep => ({ ...RUN, argv: ["/bin/sh", "-c", text] });
  notEqual(key(run("b"), [], key(run("a"))), key(run("a-RUN b")));
});

const SEEDS: readonly (readonly [name: string, seed: CacheKey])[] = [
  ["another base", seedKey({ kind: "image", digest: A }, MAKING)],
  ["another digest of the base", seedKey({ kind: "image", digest: B }, MAKING)],
  ["another platform", seedKey({ kind: "scratch" }, { ...MAKING, platform: { os: "linux", architecture: "arm64" } })],
  [
    "another variant",
    seedKey({ kind: "scratch" }, { ...MAKING, platform: { os: "linux", architecture: "arm", variant: "v7" } }),
  ],
  ["another compression", seedKey({ kind: "scratch" }, { ...MAKING, compression: "zstd" })],
  ["another level", seedKey({ kind: "scratch" }, { ...MAKING, level: 9 })],
  ["a latest time", seedKey({ kind: "scratch" }, { ...MAKING, latestSeconds: 0 })],
  ["an epoch", seedKey({ kind: "scratch" }, { ...MAKING, epochSeconds: 0 })],
];

Deno.test("seedKey differs when base, platform or the making of layers differ", () => {
  equal(new Set([SEED, ...SEEDS.map(([, seed]) => seed)]).size, SEEDS.length + 1);
});

Deno.test("seedKey is the same when one platform is written in two ways", () => {
  const arm = (more: { readonly variant?: string }): CacheKey =>
    seedKey({ kind: "scratch" }, { ...MAKING, platform: { os: "linux", architecture: "arm64", ...more } });
  equal(arm({}), arm({ variant: "v8" }));
});

const text = fc.string({ maxLength: 3 });
const runs = fc.record({ argv: fc.array(text, { maxLength: 3 }), env: fc.array(text, { maxLength: 3 }), user: text });

Deno.test("nextKey is the same for equal commands and differs for all others", () => {
  fc.assert(fc.property(runs, runs, (a, b) => {
    equal(key({ ...RUN, ...a }) === key({ ...RUN, ...b }), JSON.stringify(a) === JSON.stringify(b));
  }));
});

Deno.test("nextLineage differs by layer and by what came before", () => {
  const [a, b] = [parseDiffId(A), parseDiffId(B)];
  const first = firstLineage();
  const all = [first, nextLineage(first, a), nextLineage(first, b), nextLineage(nextLineage(first, a), b)];
  equal(new Set(all).size, all.length);
});

Deno.test("makesLayer is false for metadata alone", () => {
  const label = { kind: "metadata", range: NOWHERE, title: "", history: "" } as const;
  deepEqual([RUN, COPY, WORKDIR, label].map(makesLayer), [true, true, true, false]);
});

Deno.test("parseCacheKey takes 64 hex digits and nothing else", () => {
  equal(parseCacheKey("0f".repeat(32)), "0f".repeat(32));
  for (const bad of ["", "0f", "0F".repeat(32), `${"0f".repeat(32)}\n`]) {
    throws(() => parseCacheKey(bad), /Cannot read cache key/);
  }
});
