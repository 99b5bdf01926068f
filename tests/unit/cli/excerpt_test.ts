/** The lines of a Dockerfile in messages. */
import { deepEqual, equal } from "node:assert/strict";
import { formatExcerpt } from "../../../src/cli/excerpt.ts";

const TEXT = Array.from({ length: 12 }, (_, index) => `line ${index + 1}`).join("\n") + "\n";

function excerpt(startLine: number, endLine: number, text = TEXT): readonly string[] {
  return formatExcerpt({ path: "Dockerfile", text }, { startLine, endLine });
}

Deno.test("formatExcerpt marks the lines among their neighbours", () => {
  deepEqual(excerpt(4, 5), [
    "Dockerfile:4-5",
    "  2 | line 2",
    "  3 | line 3",
    "> 4 | line 4",
    "> 5 | line 5",
    "  6 | line 6",
    "  7 | line 7",
  ]);
});

Deno.test("formatExcerpt keeps to the file at both ends", () => {
  deepEqual(excerpt(1, 1), ["Dockerfile:1", "> 1 | line 1", "  2 | line 2", "  3 | line 3"]);
  deepEqual(excerpt(12, 12), ["Dockerfile:12", "  10 | line 10", "  11 | line 11", "> 12 | line 12"]);
  deepEqual(excerpt(1, 1, ""), ["Dockerfile:1", "> 1 |"]);
});

Deno.test("formatExcerpt shows no more than some twenty lines, and no password", () => {
  equal(excerpt(1, 90, "x\n".repeat(90)).length, 22);
  deepEqual(excerpt(1, 1, "ADD https://me:word@h/f /"), ["Dockerfile:1", "> 1 | ADD https://xxxxx:xxxxx@h/f /"]);
});
