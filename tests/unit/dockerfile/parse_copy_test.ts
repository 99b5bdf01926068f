/** COPY and ADD, beyond the golden fixtures. */
import assert from "node:assert/strict";
import type { CopyInstruction } from "../../../src/dockerfile/instruction.ts";
import { parseCopy, parsePathWords } from "../../../src/dockerfile/parse_copy.ts";
import { assertRefused, scanLine } from "./_parse_line.ts";

function copy(text: string): CopyInstruction {
  return parseCopy(scanLine(text), "COPY");
}

Deno.test("parseCopy takes the last body when a heredoc name is used twice", () => {
  const { heredocs, sources } = copy("COPY <<-A x <<'A' /d\n\t1\n\tA\n2\nA");
  assert.deepEqual(sources, ["x"]);
  assert.deepEqual(heredocs, [
    { name: "A", content: "2\n", expand: true, stripTabs: true, fd: 0 },
    { name: "A", content: "2\n", expand: false, stripTabs: false, fd: 0 },
  ]);
});

Deno.test("parseCopy takes a heredoc word for a path when it stands in JSON", () => {
  const { heredocs, sources } = copy('COPY ["<<A", "/d"]');
  assert.deepEqual([heredocs, sources], [[], ["<<A"]]);
});

Deno.test("parseCopy leaves words unexpanded and quotes in place when they have some", () => {
  assert.deepEqual(copy(`COPY $a "b" 'c' d\\ e /f/`).sources, ["$a", '"b"', "'c'", "d\\", "e"]);
});

for (
  const { text, cause } of [
    { text: "COPY --unpack a b", cause: /unknown flag: --unpack/ },
    { text: "COPY --keep-git-dir a b", cause: /unknown flag: --keep-git-dir/ },
    { text: "ADD --parents a b", cause: /unknown flag: --parents/ },
    { text: "ADD --from=x a b", cause: /unknown flag: --from/ },
    { text: "COPY --from=a$b a b", cause: /variable expansion is not supported for --from/ },
    { text: "ADD a <<E\nE", cause: /ADD cannot accept a heredoc as a destination/ },
    { text: "COPY a", cause: /COPY requires at least two arguments, but only one was provided/ },
    { text: 'COPY ["a", 1]', cause: /comprised of strings only/ },
  ]
) {
  Deno.test(`parseCopy throws when the line is ${JSON.stringify(text)}`, () => assertRefused(text, cause));
}

Deno.test("parsePathWords splits at blanks when the text is not JSON", () => {
  assert.deepEqual(parsePathWords(scanLine("VOLUME a  [b] \tc")), ["a", "[b]", "c"]);
  assert.deepEqual(parsePathWords(scanLine('VOLUME ["a b"]')), ["a b"]);
  assert.deepEqual(parsePathWords(scanLine("VOLUME")), []);
});
