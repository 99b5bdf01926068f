/** The grammar of context errors. */
import { deepEqual } from "node:assert/strict";
import { ContextError } from "../../../src/context/context_error.ts";

Deno.test("ContextError says what was tried on what and why it failed", () => {
  const cause = new TypeError("x");
  const error = new ContextError({ action: "copy", source: "/a", reason: "not found" }, { hint: "Look", cause });
  deepEqual(
    [error.message, error.code, error.source, error.reason, error.hint, error.cause, error.name],
    [`Cannot copy "/a": not found`, "context", "/a", "not found", "Look", cause, "ContextError"],
  );
});
