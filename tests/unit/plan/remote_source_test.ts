import { strictEqual } from "node:assert/strict";
import { sourceForm } from "../../../src/plan/remote_source.ts";

const CASES: readonly (readonly [source: string, form: string])[] = [
  ["a/b", "path"],
  ["http:/x", "path"],
  ["github.com/x/y", "path"],
  ["github.com/x/y.git", "path"],
  ["user@host", "path"],
  ["http://h/f", "url"],
  ["https://h", "url"],
  ["https://h/a.git.txt", "url"],
  ["https://h/f?x=.git", "url"],
  ["https://h/r.git", "git"],
  ["https://h/r.git#main:sub", "git"],
  ["https://h/r.git?ref=v1", "git"],
  ["git://h/r", "git"],
  ["ssh://git@h/r", "git"],
  ["git@github.com:a/b.git", "git"],
];

for (const [source, form] of CASES) {
  Deno.test(`sourceForm gives ${form} when told ${source}`, () => strictEqual(sourceForm(source), form));
}
