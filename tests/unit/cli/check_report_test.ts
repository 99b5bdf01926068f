/** The report of --check, and the status it gives the process. */
import { deepEqual, equal, match } from "node:assert/strict";
import { type CheckReport } from "../../../src/build/plan_build.ts";
import { SourceError } from "../../../src/build/source_error.ts";
import { checkStatus, formatCheckJson, formatCheckText } from "../../../src/cli/check_report.ts";
import { DockerfileError } from "../../../src/dockerfile/instruction.ts";
import { UnsupportedError } from "../../../src/errors.ts";

const SOURCE = { path: "Dockerfile", text: "FROM a\nCMD é\nMAINTAINER x\n" };
const RANGE = { startLine: 2, endLine: 3 };
const DETAIL = "JSON arguments recommended for CMD to prevent unintended behavior related to OS signals";
const CLEAN: CheckReport = { source: SOURCE, warnings: [] };
const FOUND: CheckReport = {
  source: SOURCE,
  warnings: [
    { rule: "JSONArgsRecommended", message: DETAIL, range: RANGE },
    { rule: "UnknownSyntax", message: "no build check", range: RANGE },
    { message: "no rule" },
  ],
};
const FAILED: CheckReport = {
  ...FOUND,
  failure: new SourceError(new DockerfileError("Cannot parse X: bad", RANGE), SOURCE, RANGE),
};

Deno.test("formatCheckText says so when nothing was found", () => {
  equal(formatCheckText(CLEAN), "Check complete, no warnings found.\n");
});

Deno.test("formatCheckText shows each violation with its rule, page and lines", () => {
  equal(
    formatCheckText(FOUND),
    `Check complete, 1 warning has been found!

WARNING: JSONArgsRecommended - https://docs.docker.com/go/dockerfile/rule/json-args-recommended/
JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals
${DETAIL}
Dockerfile:2-3
  1 | FROM a
> 2 | CMD é
> 3 | MAINTAINER x
`,
  );
});

Deno.test("formatCheckText ends with what would stop a build", () => {
  match(formatCheckText(FAILED), /\n\nERROR: Cannot parse X: bad\nDockerfile:2-3\n/);
});

Deno.test("formatCheckJson has the members of BuildKit's lint result", () => {
  const location = { ranges: [{ start: { line: 2 }, end: { line: 3 } }] };
  const warning = {
    ruleName: "JSONArgsRecommended",
    description: "JSON arguments recommended for ENTRYPOINT/CMD to prevent unintended behavior related to OS signals",
    url: "https://docs.docker.com/go/dockerfile/rule/json-args-recommended/",
    detail: DETAIL,
    location,
  };
  const source = { filename: "Dockerfile", language: "Dockerfile", data: "RlJPTSBhCkNNRCDDqQpNQUlOVEFJTkVSIHgK" };
  deepEqual(JSON.parse(formatCheckJson(FOUND)), { warnings: [warning], sources: [source] });
  deepEqual(JSON.parse(formatCheckJson(FAILED)), {
    warnings: [warning],
    sources: [source],
    buildError: { message: "Cannot parse X: bad", location },
  });
  const unplaced = { ...CLEAN, failure: new UnsupportedError("Cannot do") };
  deepEqual(JSON.parse(formatCheckJson(unplaced)).buildError, { message: "Cannot do" });
});

Deno.test("checkStatus is 0 for a clean file, 3 for violations, the failure's own for a failure", () => {
  const unsupported = { ...CLEAN, failure: new UnsupportedError("Cannot do") };
  deepEqual([CLEAN, FOUND, FAILED, unsupported].map(checkStatus), [0, 3, 3, 8]);
  equal(checkStatus({ ...CLEAN, warnings: [{ rule: "UnknownSyntax", message: "x", range: RANGE }] }), 0);
});
