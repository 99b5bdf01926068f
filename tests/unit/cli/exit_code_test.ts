import { equal } from "node:assert/strict";
import { SourceError } from "../../../src/build/source_error.ts";
import { exitCode } from "../../../src/cli/exit_code.ts";
import { UsageError } from "../../../src/cli/flag.ts";
import { DockerfileError } from "../../../src/dockerfile/instruction.ts";
import { type BuilderError, CancelledError, FormatError, UnsupportedError } from "../../../src/errors.ts";
import { RunError } from "../../../src/runner/runner.ts";

const RANGE = { startLine: 1, endLine: 1 };

function inSource(cause: BuilderError): SourceError {
  return new SourceError(cause, { path: "Dockerfile", text: "" }, RANGE);
}

Deno.test("exitCode says who must act", () => {
  const cases: readonly [unknown, number][] = [
    [new UsageError("x"), 2],
    [new DockerfileError("x", RANGE), 3],
    [inSource(new DockerfileError("x", RANGE)), 3],
    [new FormatError("x"), 7],
    [new UnsupportedError("x"), 8],
    [new CancelledError("SIGINT"), 130],
    [new CancelledError("SIGTERM"), 143],
    [new TypeError("x"), 70],
  ];
  for (const [error, code] of cases) equal(exitCode(error), code, String(error));
});

Deno.test("exitCode passes on the status of a RUN that failed", () => {
  const failed = new RunError("x", { exitCode: 42, lastLines: [] });
  equal(exitCode(failed), 42);
  equal(exitCode(inSource(failed)), 42);
  equal(exitCode(inSource(new RunError("x", { exitCode: 137, signalName: "SIGKILL", lastLines: [] }))), 137);
});
