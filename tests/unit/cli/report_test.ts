import { deepEqual, equal, match } from "node:assert/strict";
import { SourceError } from "../../../src/build/source_error.ts";
import { failureFields, formatFailure } from "../../../src/cli/report.ts";
import { UsageError } from "../../../src/cli/flag.ts";
import { DockerfileError } from "../../../src/dockerfile/instruction.ts";

const SOURCE = { path: "ctx/Dockerfile", text: "FROM a\nRUN x \\\n  y\nCMD z\nUSER u\nUSER v\n" };

Deno.test("formatFailure shows the lines and marks the guilty ones when a Dockerfile is to blame", () => {
  const cause = new DockerfileError("Cannot read RUN: wrong", { startLine: 2, endLine: 3 }, { hint: "Try FOO" });
  const text = formatFailure(new SourceError(cause, SOURCE, { startLine: 2, endLine: 3 }));
  equal(
    text,
    [
      "Cannot read RUN: wrong",
      "ctx/Dockerfile:2-3",
      "  1 | FROM a",
      "> 2 | RUN x \\",
      "> 3 |   y",
      "  4 | CMD z",
      "  5 | USER u",
      "Hint: Try FOO",
    ].join("\n"),
  );
});

Deno.test("formatFailure calls it a bug when the failure is not one of ours", () => {
  match(formatFailure(new RangeError("odd")), /^This is a bug in kiln, please report it: odd\n/);
});

Deno.test("failureFields names code, file and line", () => {
  deepEqual(failureFields(new UsageError("x")), { code: "usage" });
  const cause = new DockerfileError("x", { startLine: 2, endLine: 3 });
  deepEqual(failureFields(new SourceError(cause, SOURCE, { startLine: 2, endLine: 3 })), {
    code: "dockerfile",
    file: "ctx/Dockerfile",
    line: 2,
  });
  deepEqual(failureFields(null), { code: "internal" });
});
