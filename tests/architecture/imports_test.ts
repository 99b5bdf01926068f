/** Import direction: a folder imports only from folders to its left, packages only where their concern lives. */
import { deepEqual, equal } from "node:assert/strict";
import { importViolation } from "../../.ci/house_rules.ts";
import { moduleShape, readSources, type SourceFile } from "./source_files.ts";

/** Every forbidden import as one line: `src/tar/read.ts -> ../plan/plan.ts: why`. */
function forbiddenImports(files: readonly SourceFile[]): readonly string[] {
  const edges = files.flatMap((file) => moduleShape(file).imports);
  const forbidden = edges.flatMap((edge) => {
    const violation = importViolation(edge);
    return violation === undefined ? [] : [`${edge.from} -> ${edge.specifier}: ${violation}`];
  });
  return [...forbidden, ...secondHashers(files)];
}

/** The content hash is computed in one place: a second importer of hash-wasm is a violation. */
function secondHashers(files: readonly SourceFile[]): readonly string[] {
  const importers = files.filter((file) => moduleShape(file).imports.some((edge) => edge.specifier === "hash-wasm"));
  return importers.slice(1).map((file) => `${file.path} -> hash-wasm: ${importers[0]?.path} imports it already`);
}

const CASES: readonly (readonly [name: string, path: string, text: string, violations: number])[] = [
  ["left neighbour", "src/tar/read.ts", `import { a } from "../errors.ts";`, 0],
  ["right neighbour", "src/tar/read.ts", `import { a } from "../plan/plan.ts";`, 1],
  ["type import of a right neighbour", "src/tar/read.ts", `import type { A } from "../plan/plan.ts";`, 1],
  ["export from the right", "src/oci/digest.ts", `export { a } from "../sys/libc.ts";`, 1],
  ["export of everything from the right", "src/oci/digest.ts", `export * from "../sys/libc.ts";`, 1],
  ["lazy import from the right", "src/oci/digest.ts", `export const load = () => import("../cli/cli.ts");`, 1],
  ["worker from the right", "src/tar/x.ts", `export const u = new URL("../layer/w.ts", import.meta.url);`, 1],
  ["worker of the same folder", "src/layer/x.ts", `export const u = new URL("./w.ts", import.meta.url);`, 0],
  ["tar and blob are side by side", "src/blob/x.ts", `import { a } from "../tar/read.ts";`, 1],
  ["plan takes raw_path from sys", "src/plan/x.ts", `import { a } from "../sys/raw_path.ts";`, 0],
  ["plan takes nothing else from sys", "src/plan/x.ts", `import { a } from "../sys/libc.ts";`, 1],
  ["rootfs knows no cache", "src/rootfs/x.ts", `import { a } from "../cache/cache_key.ts";`, 1],
  ["log as a type", "src/tar/x.ts", `import type { Logger } from "../log/logger.ts";`, 0],
  ["log as a marked type", "src/tar/x.ts", `import { type Logger } from "../log/logger.ts";`, 0],
  ["log as a value", "src/build/x.ts", `import { makeLogger } from "../log/logger.ts";`, 1],
  ["cli constructs the log", "src/cli/x.ts", `import { makeLogger } from "../log/logger.ts";`, 0],
  ["log takes errors", "src/log/x.ts", `import { a } from "../errors.ts";`, 0],
  ["log takes nothing of the pipeline", "src/log/x.ts", `import { a } from "../plan/plan.ts";`, 1],
  ["main imports cli", "main.ts", `import { run } from "./src/cli/cli.ts";`, 0],
  ["build imports no cli", "src/build/x.ts", `import { a } from "../cli/cli.ts";`, 1],
  ["private file of another folder", "src/plan/x.ts", `import { a } from "../oci/_hex.ts";`, 1],
  ["private file of its own folder", "src/oci/x.ts", `import { a } from "./_hex.ts";`, 0],
  ["file outside src", "src/oci/x.ts", `import { a } from "../../tests/support/a.ts";`, 1],
  ["unknown folder", "src/oci/x.ts", `import { a } from "../tools/a.ts";`, 1],
  ["no suffix", "src/tar/x.ts", `import { a } from "../errors";`, 1],
  ["zod", "src/oci/x.ts", `import * as z from "zod/mini";`, 0],
  ["commander in build", "src/build/x.ts", `import { Command } from "commander";`, 1],
  ["hash-wasm in layer", "src/layer/x.ts", `import { createXXHash128 } from "hash-wasm";`, 1],
  ["hash-wasm where it belongs", "src/snapshot/content_hash.ts", `import { createXXHash128 } from "hash-wasm";`, 0],
  ["node module in sys", "src/sys/x.ts", `import fs from "node:fs";`, 0],
  ["node module in plan", "src/plan/x.ts", `import fs from "node:fs";`, 1],
  ["zlib in compression", "src/layer/compression.ts", `import zlib from "node:zlib";`, 0],
  ["unknown package", "src/sys/x.ts", `import a from "left-pad";`, 1],
  ["package by its full name", "src/oci/x.ts", `import a from "npm:zod@4/mini";`, 1],
];

for (const [name, path, text, violations] of CASES) {
  Deno.test(`forbiddenImports finds ${violations} when judging: ${name}`, () => {
    const found = forbiddenImports([{ path, text }]);
    equal(found.length, violations, found.join("\n"));
  });
}

Deno.test("forbiddenImports names the second importer when two files hash contents", () => {
  const text = `import { createXXHash128 } from "hash-wasm";`;
  const files = ["src/rootfs/content_hash.ts", "src/snapshot/content_hash.ts"].map((path) => ({ path, text }));
  deepEqual(forbiddenImports(files), [
    "src/snapshot/content_hash.ts -> hash-wasm: src/rootfs/content_hash.ts imports it already",
  ]);
});

Deno.test("every import of the program goes to the left", async () => {
  const files = await readSources();
  equal(files.length > 5, true, "the sources were not found");
  const found = forbiddenImports(files);
  equal(found.length, 0, `Forbidden imports:\n${found.join("\n")}`);
});
