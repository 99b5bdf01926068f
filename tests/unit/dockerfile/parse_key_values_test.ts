/** ENV, LABEL and ARG, beyond the golden fixtures. */
import assert from "node:assert/strict";
import { parseArg, parsePairs } from "../../../src/dockerfile/parse_key_values.ts";
import { assertRefused, scanLine } from "./_parse_line.ts";

for (
  const { text, pairs, isLegacy } of [
    { text: "ENV a=", pairs: [["a", ""]], isLegacy: false },
    { text: "ENV a=b=c", pairs: [["a", "b=c"]], isLegacy: false },
    { text: "ENV a b=c", pairs: [["a", "b=c"]], isLegacy: true },
    { text: "ENV a  b   c ", pairs: [["a", "b   c"]], isLegacy: true },
    { text: 'ENV "a b" c', pairs: [['"a', 'b" c']], isLegacy: true },
    { text: 'ENV "a b"=c', pairs: [['"a b"', "c"]], isLegacy: false },
    { text: "ENV a=x\\ y\\\n  b='#'", pairs: [["a", "x\\ y"], ["b", "'#'"]], isLegacy: false },
    { text: "ENV a = b", pairs: [["a", "= b"]], isLegacy: true },
  ]
) {
  Deno.test(`parsePairs gives ${JSON.stringify(pairs)} when the line is ${JSON.stringify(text)}`, () => {
    const parsed = parsePairs(scanLine(text), "ENV", "\\");
    assert.deepEqual(parsed.pairs.map(({ key, value }) => [key, value]), pairs);
    assert.equal(parsed.isLegacy, isLegacy);
  });
}

Deno.test("parsePairs and parseArg cut words with the backtick when it is the escape character", () => {
  assert.deepEqual(parsePairs(scanLine("LABEL a=C:\\ b=x` y"), "LABEL", "`").pairs, [
    { key: "a", value: "C:\\" },
    { key: "b", value: "x` y" },
  ]);
  assert.deepEqual(parseArg(scanLine("ARG a=x` y b"), "`").args, [{ name: "a", value: "x` y" }, { name: "b" }]);
});

for (
  const { text, cause } of [
    { text: "ENV", cause: /ENV requires at least one argument/ },
    { text: "ENV a", cause: /ENV must have two arguments/ },
    { text: "LABEL a=b c", cause: /can't find = in "c"/ },
    { text: "LABEL =b", cause: /LABEL names can not be blank/ },
    { text: "ENV --a b=c", cause: /unknown flag: --a/ },
    { text: "ARG =b", cause: /ARG names can not be blank/ },
    { text: "ARG --x", cause: /ARG requires at least one argument/ },
  ]
) {
  Deno.test(`parseInstruction throws when the line is ${text}`, () => assertRefused(text, cause));
}
