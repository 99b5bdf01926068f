/** The project's lint rules, each on a made-up sample that breaks it and on one that does not. */
import { deepEqual, equal } from "node:assert/strict";
import plugin from "../../.ci/lint_plugin.ts";
import { bannedWord } from "../../.ci/house_rules.ts";

const CASES: readonly (readonly [name: string, path: string, text: string, ids: readonly string[]])[] = [
  ["clean file", "src/tar/read.ts", `export const SIZE_BYTES = 512;\n`, []],
  ["file past the cap", "src/tar/read.ts", "export const a = 1;\n".repeat(301), ["kiln/file-size"]],
  ["function past the cap", "src/tar/read.ts", `function f() {${"\n  f();".repeat(61)}\n}`, ["kiln/function-size"]],
  ["import to the right", "src/tar/read.ts", `import { a } from "../cli/cli.ts";`, ["kiln/import-direction"]],
  ["banned file name", "src/tar/tar_utils.ts", `export const a = 1;`, ["kiln/banned-names"]],
  ["file too deep", "src/tar/deep/read.ts", `export const a = 1;`, ["kiln/banned-names"]],
  ["file not in snake_case", "src/tar/readTar.ts", `export const a = 1;`, ["kiln/banned-names"]],
  ["banned function name", "src/tar/read.ts", `export function readHelper(): void {}`, ["kiln/banned-names"]],
  ["banned class name", "src/tar/read.ts", `export class TarManager {}`, ["kiln/banned-names"]],
  ["banned type name", "src/tar/read.ts", `export type EntryHandler = string;`, ["kiln/banned-names"]],
  ["banned constant name", "src/tar/read.ts", `const COMMON_SIZE = 1;`, ["kiln/banned-names"]],
  ["environment", "src/cli/cli.ts", `export const a = () => Deno.env.get("A");`, ["kiln/ambient-process"]],
  ["exit", "src/build/build.ts", `export function a(): void { Deno.exit(1); }`, ["kiln/ambient-process"]],
  ["exit in main", "main.ts", `Deno.exit(await run(Deno.args));`, []],
  ["bare error", "src/sys/x.ts", `export function a(): void { throw new Error("x"); }`, ["kiln/bare-error"]],
  ["error of our own", "src/sys/x.ts", `export function a(): void { throw new SystemError("x"); }`, []],
  ["misuse", "src/sys/x.ts", `export function a(): void { throw new TypeError("x"); }`, []],
  ["top-level let", "src/sys/x.ts", `let count = 0;`, ["kiln/import-time-state"]],
  ["exported top-level let", "src/sys/x.ts", `export let count = 0;`, ["kiln/import-time-state"]],
  ["top-level await", "src/sys/x.ts", `const a = await load();`, ["kiln/import-time-state"]],
  ["top-level call", "src/sys/x.ts", `register();`, ["kiln/import-time-state"]],
  ["await and let in a function", "src/sys/x.ts", `async function a() { let b = 1; b = await b; }`, []],
  ["worker that registers", "src/layer/gzip_worker.ts", `self.onmessage = () => {};`, []],
  ["Deno in a pure folder", "src/tar/x.ts", `export const a = () => Deno.cwd();`, ["kiln/pure-folders"]],
  ["fetch in a pure folder", "src/plan/x.ts", `export const a = () => fetch("http://x");`, ["kiln/pure-folders"]],
  ["clock in a pure folder", "src/plan/x.ts", `export const a = () => Date.now();`, ["kiln/pure-folders"]],
  ["member called process", "src/plan/x.ts", `export const a = (b: { process: string }) => b.process;`, []],
  ["Deno elsewhere", "src/sys/x.ts", `export const a = () => Deno.cwd();`, []],
  ["sync call in an async function", "src/sys/x.ts", `async function a() { Deno.statSync("x"); }`, [
    "kiln/sync-in-async",
  ]],
  ["sync call in a sync function", "src/sys/x.ts", `async function a() { b(() => Deno.statSync("x")); }`, []],
  ["tests are exempt", "tests/unit/tar/x_test.ts", `let a_helper = 0; throw new Error(Deno.args[0]);`, []],
  ["ci is exempt", ".ci/build.ts", `let a = 0; throw new Error(Deno.args[0]);`, []],
];

for (const [name, path, text, ids] of CASES) {
  Deno.test(`lint plugin reports [${ids}] when judging: ${name}`, () => {
    deepEqual(Deno.lint.runPlugin(plugin, path, text).map((diagnostic) => diagnostic.id), ids);
  });
}

Deno.test("lint plugin judges a file when its path is absolute", () => {
  const path = new URL("../../src/tar/x.ts", import.meta.url).pathname;
  equal(Deno.lint.runPlugin(plugin, path, "let count = 0;").length, 1);
});

Deno.test("bannedWord finds whole words only when a name merely contains their letters", () => {
  equal(bannedWord("UtilityBelt"), "utility");
  equal(bannedWord("signalHandlers"), "handlers");
  equal(bannedWord("commonality"), undefined);
  equal(bannedWord("dispatch_command"), undefined);
  equal(bannedWord("runCredentialHelper"), undefined);
  equal(bannedWord("credHelpers"), undefined);
  equal(bannedWord("credentialHelperUtil"), "util");
});
