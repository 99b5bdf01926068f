import { equal, notEqual } from "node:assert/strict";
import fc from "fast-check";
import { type Framed, framedDigest, FramedHasher } from "../../../src/oci/framed_hash.ts";

const DIFFERENT: readonly (readonly [name: string, a: Framed, b: Framed])[] = [
  ["parts are cut elsewhere", ["ab", "c"], ["a", "bc"]],
  ["a list is nested", [["a"], "b"], ["a", ["b"]]],
  ["a text spells a frame", ["a", "b"], ["as1:b"]],
  ["a number is a text", 1, "1"],
  ["a number is a bigint", 1, 1n],
  ["a boolean is a text", true, "true"],
  ["bytes are a text", new Uint8Array([97]), "a"],
  ["nothing is an empty text", null, ""],
  ["an object is a list of its members", { a: "b" }, ["a", "b"]],
  ["a member has another name", { a: 1 }, { b: 1 }],
];

for (const [name, a, b] of DIFFERENT) {
  Deno.test(`framedDigest differs when ${name}`, () => notEqual(framedDigest(a), framedDigest(b)));
}

Deno.test("framedDigest is the same when members come in another order or are undefined", () => {
  equal(framedDigest({ a: 1, b: 2 }), framedDigest({ b: 2, c: undefined, a: 1 }));
});

Deno.test("framedDigest differs for any two different lists of texts", () => {
  const lists = fc.array(fc.string({ unit: "grapheme", maxLength: 4 }), { maxLength: 4 });
  fc.assert(fc.property(lists, lists, (a, b) => {
    equal(framedDigest(a) === framedDigest(b), JSON.stringify(a) === JSON.stringify(b));
  }));
});

Deno.test("FramedHasher gives another digest when two values were added instead of one", () => {
  const one = new FramedHasher();
  one.add("ab");
  const two = new FramedHasher();
  two.add("a");
  two.add("b");
  notEqual(one.digest(), two.digest());
});
