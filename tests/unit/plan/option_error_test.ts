import { strictEqual } from "node:assert/strict";
import { OptionError } from "../../../src/plan/option_error.ts";

Deno.test("OptionError is the caller's fault", () => {
  const error = new OptionError("a", { hint: "b" });
  strictEqual(`${error.code} ${error.message} ${error.hint}`, "usage a b");
});
