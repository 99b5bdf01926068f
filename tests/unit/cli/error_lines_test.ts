import { equal } from "node:assert/strict";
import { errorLines } from "../../../src/cli/error_lines.ts";

Deno.test("errorLines begins a line for a record when a command has left one open", () => {
  let written = "";
  const encoder = new TextEncoder();
  const lines = errorLines((bytes) => void (written += new TextDecoder().decode(bytes)));
  const output = (text: string): void => lines.writeBytes(encoder.encode(text));
  lines.writeRecord("first\n");
  output("whole\n");
  lines.writeRecord("second\n");
  output("open");
  output("");
  lines.writeRecord("third\n");
  lines.writeRecord("fourth\n");
  equal(written, "first\nwhole\nsecond\nopen\nthird\nfourth\n");
});
