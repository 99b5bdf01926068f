/** "Did you mean" and the distance behind it. */
import assert from "node:assert/strict";
import fc from "fast-check";
import { levenshtein, suggest, suggestHint } from "../../../src/dockerfile/suggest.ts";

const WORDS = ["FROM", "RUN", "COPY", "ENTRYPOINT"];

for (
  const { word, found } of [
    { word: "FORM", found: "FROM" },
    { word: "frm", found: "from" },
    { word: "Copi", found: "COPY" },
    { word: "ENTRYPONT", found: "ENTRYPOINT" },
    { word: "RUN", found: undefined },
    { word: "XYZZY", found: undefined },
    { word: "", found: undefined },
    { word: "ENTRY", found: undefined },
  ]
) {
  Deno.test(`suggest gives ${found} when the word is ${JSON.stringify(word)}`, () => {
    assert.equal(suggest(word, WORDS), found);
  });
}

Deno.test("suggest gives the nearest word when several are near", () => {
  assert.equal(suggest("typ", ["tops", "type", "type2"]), "type");
});

Deno.test("suggestHint asks a question when a word is near", () => {
  assert.equal(suggestHint("typ", ["type"]), 'Did you mean "type"?');
  assert.equal(suggestHint("size", ["type"]), undefined);
});

for (const [a, b, distance] of [["", "", 0], ["a", "", 1], ["ab", "ba", 2], ["kiten", "sittin", 3]] as const) {
  Deno.test(`levenshtein counts ${distance} edits when ${a} becomes ${b}`, () =>
    assert.equal(levenshtein(a, b), distance));
}

Deno.test("levenshtein is symmetric when lengths are near", () => {
  fc.assert(fc.property(fc.string(), fc.string(), (a, b) => assert.equal(levenshtein(a, b), levenshtein(b, a))));
});
