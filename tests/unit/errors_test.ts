import { equal } from "node:assert/strict";
import {
  CancelledError,
  errorText,
  FormatError,
  InternalError,
  isBuilderError,
  UnsupportedError,
} from "../../src/errors.ts";

Deno.test("BuilderError keeps name, code, cause and hint of its subclass", () => {
  const cause = new RangeError("deep");
  const error = new FormatError("Cannot read x: odd", { cause, hint: "Try y" });
  equal(`${error.name} ${error.code} ${error.hint}`, "FormatError format Try y");
  equal(error.cause, cause);
  equal(new UnsupportedError("x").hint, undefined);
  equal("cause" in new InternalError("x"), false);
});

Deno.test("CancelledError names the signal", () => {
  const error = new CancelledError("SIGTERM");
  equal(`${error.code} ${error.signalName} ${error.message}`, "cancelled SIGTERM Build was stopped by SIGTERM");
});

Deno.test("isBuilderError and errorText take any thrown value", () => {
  equal(isBuilderError(new FormatError("x")), true);
  equal(isBuilderError(new Error("x")), false);
  equal(isBuilderError(undefined), false);
  equal(errorText(new Error("x")), "x");
  equal(errorText("plain"), "plain");
});
