import { equal, throws } from "node:assert/strict";
import { FlagValues } from "../../../src/cli/flag.ts";

Deno.test("FlagValues throws when a flag is read as another kind", () => {
  const values = new FlagValues(new Map<string, string | boolean>([["a", "x"], ["b", true]]), new Set(["a"]));
  equal(values.text("a"), "x");
  equal(values.isGiven("a"), true);
  throws(() => values.isSet("a"), TypeError);
  throws(() => values.text("b"), TypeError);
  throws(() => values.list("a"), TypeError);
  throws(() => values.text("missing"), TypeError);
});
