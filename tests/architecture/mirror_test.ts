/** Tests mirror the source one to one: each file with values has its test file, and no test file has lost its source. */
import { deepEqual } from "node:assert/strict";
import { listFiles, moduleShape, readSources, type SourceFile } from "./source_files.ts";

/** Compares sources with test paths and tells, one line each, what has no counterpart. */
function mirrorGaps(sources: readonly SourceFile[], tests: readonly string[]): readonly string[] {
  const known = new Set(sources.map((file) => testPathOf(file.path)));
  const present = new Set(tests);
  const untested = sources
    .filter((file) => needsTest(file) && !present.has(testPathOf(file.path)))
    .map((file) => `${file.path} has no ${testPathOf(file.path)}`);
  const orphans = tests.filter((path) => !known.has(path)).map((path) => `${path} has no ${sourcePathOf(path)}`);
  return [...untested, ...orphans];
}

/** Type-only files have nothing to run; private files may be tested through their user; workers through their client. */
function needsTest(file: SourceFile): boolean {
  return !/\/_[^/]+$/.test(file.path) && moduleShape(file).hasRuntimeExports;
}

function testPathOf(source: string): string {
  return source.replace(/^src\//, "tests/unit/").replace(/\.ts$/, "_test.ts");
}

function sourcePathOf(test: string): string {
  return test.replace(/^tests\/unit\//, "src/").replace(/_test\.ts$/, ".ts");
}

const VALUE = "export function a(): void {}";
const CASES: readonly (readonly [name: string, path: string, text: string, gaps: readonly string[]])[] = [
  ["function", "src/tar/read.ts", VALUE, ["src/tar/read.ts has no tests/unit/tar/read_test.ts"]],
  ["constant", "src/errors.ts", "export const A = 1;", ["src/errors.ts has no tests/unit/errors_test.ts"]],
  ["class", "src/a/b.ts", "export class A {}", ["src/a/b.ts has no tests/unit/a/b_test.ts"]],
  ["list", "src/a/b.ts", "const a = 1;\nexport { a };", ["src/a/b.ts has no tests/unit/a/b_test.ts"]],
  ["types", "src/plan/plan.ts", "export interface A { readonly b: string }\nexport type B = A;", []],
  ["list of types", "src/plan/plan.ts", "interface A { readonly b: string }\nexport type { A };", []],
  ["private file", "src/tar/_octal.ts", VALUE, []],
  ["worker without exports", "src/layer/gzip_worker.ts", "self.onmessage = () => {};", []],
];

for (const [name, path, text, gaps] of CASES) {
  Deno.test(`mirrorGaps finds ${gaps.length} when a file has no test: ${name}`, () => {
    deepEqual(mirrorGaps([{ path, text }], []), gaps);
  });
}

Deno.test("mirrorGaps finds nothing when the pair is complete", () => {
  deepEqual(mirrorGaps([{ path: "src/tar/read.ts", text: VALUE }], ["tests/unit/tar/read_test.ts"]), []);
});

Deno.test("mirrorGaps names the test when its source is gone", () => {
  deepEqual(mirrorGaps([], ["tests/unit/tar/read_test.ts"]), ["tests/unit/tar/read_test.ts has no src/tar/read.ts"]);
});

Deno.test("every source with values has its unit test, and every unit test its source", async () => {
  const sources = (await readSources()).filter((file) => file.path.startsWith("src/"));
  const tests = await listFiles("tests/unit", "_test.ts");
  const gaps = mirrorGaps(sources, tests);
  deepEqual(gaps, [], `The mirror is broken:\n${gaps.join("\n")}`);
});
