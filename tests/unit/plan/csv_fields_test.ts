import { deepEqual, equal } from "node:assert/strict";
import fc from "fast-check";
import { csvFields } from "../../../src/plan/csv_fields.ts";

const CASES: readonly (readonly [text: string, fields: readonly string[] | undefined])[] = [
  ["a=b,c", ["a=b", "c"]],
  ["", [""]],
  ["a,,b,", ["a", "", "b", ""]],
  ['"a,b",c', ["a,b", "c"]],
  ['"a""b"', ['a"b']],
  ['""', [""]],
  ['a="b"', undefined],
  ['"a', undefined],
  ['"a"b', undefined],
];

for (const [text, fields] of CASES) {
  Deno.test(`csvFields gives ${JSON.stringify(fields)} when told ${JSON.stringify(text)}`, () => {
    deepEqual(csvFields(text), fields);
  });
}

Deno.test("csvFields gives back any fields that were quoted", () => {
  fc.assert(fc.property(fc.array(fc.string(), { minLength: 1 }), (fields) => {
    const text = fields.map((field) => `"${field.replaceAll('"', '""')}"`).join(",");
    deepEqual(csvFields(text), fields);
  }));
});

Deno.test("csvFields reads a long hostile text at once", () => {
  equal(csvFields('"'.repeat(100_001)), undefined);
  equal(csvFields(",".repeat(100_000))?.length, 100_001);
});
