/** Sizes: files of at most 300 lines, functions of at most 60, one folder level below `src/`. */
import { deepEqual, equal } from "node:assert/strict";
import plugin from "../../.ci/lint_plugin.ts";
import { MAX_FILE_LINES, MAX_FUNCTION_LINES } from "../../.ci/house_rules.ts";
import { readSources, type SourceFile } from "./source_files.ts";

/** Every file or function past its cap, as `path:line: message`. */
function tooLarge(file: SourceFile): readonly string[] {
  const { "file-size": fileSize, "function-size": functionSize } = plugin.rules;
  if (fileSize === undefined || functionSize === undefined) throw new TypeError("the size rules are gone");
  const rules = { "file-size": fileSize, "function-size": functionSize };
  return Deno.lint.runPlugin({ name: "size", rules }, file.path, file.text).map((diagnostic) => {
    const line = file.text.slice(0, diagnostic.range[0]).split("\n").length;
    return `${file.path}:${line}: ${diagnostic.message}`;
  });
}

Deno.test("tooLarge accepts a file at the cap and reports one line more", () => {
  const line = "export const a = 1;\n";
  deepEqual(tooLarge({ path: "src/tar/x.ts", text: line.repeat(MAX_FILE_LINES) }), []);
  deepEqual(tooLarge({ path: "src/tar/x.ts", text: line.repeat(MAX_FILE_LINES + 1) }), [
    "src/tar/x.ts:1: File has 301 lines, more than 300: split it by noun",
  ]);
});

const BODIES: readonly (readonly [name: string, open: string, close: string])[] = [
  ["function", "function f(): void {", "}"],
  ["arrow", "export const f = (): void => {", "};"],
  ["method", "class A { m(): void {", "} }"],
];

for (const [name, open, close] of BODIES) {
  Deno.test(`tooLarge reports a ${name} when it is one line past the cap`, () => {
    const body = (lines: number): string => `\n${open}\n${"  f();\n".repeat(lines - 2)}${close}\n`;
    deepEqual(tooLarge({ path: "src/tar/x.ts", text: body(MAX_FUNCTION_LINES) }), []);
    deepEqual(tooLarge({ path: "src/tar/x.ts", text: body(MAX_FUNCTION_LINES + 1) }), [
      "src/tar/x.ts:2: Function spans 61 lines, more than 60",
    ]);
  });
}

Deno.test("every file and function of the program is within its cap", async () => {
  const found = (await readSources()).flatMap(tooLarge);
  equal(found.length, 0, `Past the caps:\n${found.join("\n")}`);
});

Deno.test("every source lies in a folder directly below src", async () => {
  const deep = (await readSources()).filter((file) => file.path.split("/").length > 3);
  deepEqual(deep.map((file) => file.path), []);
});
