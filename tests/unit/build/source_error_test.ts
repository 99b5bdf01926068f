import { deepEqual, equal, rejects } from "node:assert/strict";
import { atSource, SourceError } from "../../../src/build/source_error.ts";
import { DockerfileError } from "../../../src/dockerfile/instruction.ts";
import { CancelledError, FormatError } from "../../../src/errors.ts";

const SOURCE = { path: "Dockerfile", text: "" };
const STEP = { startLine: 4, endLine: 5 };
const OWN = { startLine: 2, endLine: 2 };

function thrown(range: typeof STEP | undefined, error: unknown): Promise<unknown> {
  return atSource(SOURCE, range, () => Promise.reject(error)).catch((caught: unknown) => caught);
}

Deno.test("atSource gives what the action gives when it succeeds", async () => {
  equal(await atSource(SOURCE, STEP, () => Promise.resolve(3)), 3);
});

Deno.test("atSource keeps code, text and hint and adds the lines when the action fails", async () => {
  const cause = new FormatError("bad", { hint: "try" });
  const error = await thrown(STEP, cause);
  deepEqual(error instanceof SourceError && [error.code, error.message, error.hint, error.range, error.cause], [
    "format",
    "bad",
    "try",
    STEP,
    cause,
  ]);
});

Deno.test("atSource prefers the lines that a DockerfileError names", async () => {
  const error = await thrown(STEP, new DockerfileError("bad", OWN));
  deepEqual(error instanceof SourceError && error.range, OWN);
});

Deno.test("atSource passes on what no line is to blame for", async () => {
  const errors = [
    new CancelledError("SIGTERM"),
    new RangeError("bug"),
    new SourceError(new FormatError("x"), SOURCE, OWN),
  ];
  for (const error of errors) await rejects(atSource(SOURCE, STEP, () => Promise.reject(error)), (e) => e === error);
  const unplaced = new FormatError("x");
  equal(await thrown(undefined, unplaced), unplaced);
});
