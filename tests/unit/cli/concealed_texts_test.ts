import { equal } from "node:assert/strict";
import { ConcealedTexts } from "../../../src/cli/concealed_texts.ts";

Deno.test("ConcealedTexts masks whole values, their lines, and how JSON spells them", () => {
  const concealed = new ConcealedTexts();
  concealed.add('first line\nsecond "quoted"\n');
  concealed.add("first");
  equal(concealed.mask("a first line b"), "a **** b");
  equal(concealed.mask("a first b"), "a **** b");
  equal(concealed.mask(JSON.stringify({ msg: 'second "quoted"' })), '{"msg":"****"}');
  equal(concealed.mask("nothing of it"), "nothing of it");
});

Deno.test("ConcealedTexts leaves texts alone that are too short to be told from words", () => {
  const concealed = new ConcealedTexts();
  concealed.add("abc");
  concealed.add("\n\n");
  equal(concealed.mask("abc\n"), "abc\n");
});
