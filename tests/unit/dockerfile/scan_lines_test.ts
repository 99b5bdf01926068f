/** Logical lines: what the golden fixtures do not show, since the tree has no room for it. */
import assert from "node:assert/strict";
import { DockerfileError } from "../../../src/dockerfile/instruction.ts";
import { scanLines } from "../../../src/dockerfile/scan_lines.ts";

Deno.test("scanLines gives keyword, flags and rest when an instruction spans lines", () => {
  assert.deepEqual(scanLines("\n  Run --a='b c' \\\n # no\n\n x \\\n--y\n").lines, [{
    keyword: "Run",
    flags: ["--a=b c"],
    rest: "x --y",
    raw: "Run --a='b c'  x --y",
    heredocs: [],
    comments: [],
    hasEmptyContinuation: true,
    range: { startLine: 2, endLine: 6 },
  }]);
});

Deno.test("scanLines collects the comments right above an instruction when no blank line parts them", () => {
  const source = "# syntax=x\n# a\n#\n#  b \n  # c\nFROM x\n# d\n\nRUN y\n# e\nRUN z \\\n# f\n z\n";
  assert.deepEqual(scanLines(source).lines.map(({ comments }) => comments), [["b", "c"], [], ["e"]]);
});

Deno.test("scanLines reads directives only when nothing comes before them", () => {
  assert.deepEqual(scanLines("# check=skip=all\n# escape=`\nFROM a\n").directives.map(({ key }) => key), [
    "check",
    "escape",
  ]);
  for (const before of ["# x", "", "# unknown=1", "ARG A"]) {
    const { directives, escape } = scanLines(`${before}\n# escape=\`\nFROM a`);
    assert.deepEqual([directives, escape], [[], "\\"], before);
  }
});

for (
  const { source, raw } of [
    { source: "R a\\\nb", raw: ["R ab"] },
    { source: "R a\\ \t\nb", raw: ["R ab"] },
    { source: "R a\\\\\nb", raw: ["R a\\\\", "b"] },
    { source: "R a\\x\nb", raw: ["R a\\x", "b"] },
    { source: "R a\\\r\nb\r\n", raw: ["R ab"] },
    { source: "R a \\\n  b", raw: ["R a   b"] },
    { source: "R a \\\n\\\nb", raw: ["R a b"] },
    { source: "R a \\", raw: ["R a "] },
    { source: "R a \\\n# b \\\n#c\n", raw: ["R a "] },
    { source: "R a\\ # b\nc", raw: ["R a\\ # b", "c"] },
    { source: "R a `\nb", raw: ["R a `", "b"] },
    { source: "# escape=`\nR a `\nb\\\nc", raw: ["R a b\\", "c"] },
    { source: "\u00a0R a", raw: ["R a"] },
  ]
) {
  Deno.test(`scanLines gives ${JSON.stringify(raw)} when it reads ${JSON.stringify(source)}`, () => {
    assert.deepEqual(scanLines(source).lines.map((line) => line.raw), raw);
  });
}

Deno.test("scanLines takes heredoc bodies as they are when they look like anything else", () => {
  const [run, next] = scanLines("RUN <<A <<-B\n# c\n\nB \\\n\tA\nA\n\t\tB\nRUN x").lines;
  assert.deepEqual(run?.heredocs.map(({ content }) => content), ["# c\n\nB \\\n\tA\n", ""]);
  assert.deepEqual(run?.range, { startLine: 1, endLine: 7 });
  assert.equal(next?.raw, "RUN x");
});

for (
  const { line, takes } of [
    { line: "RUN cat <<E", takes: true },
    { line: "add <<E /x", takes: true },
    { line: "onbuild Copy --link <<E /x", takes: true },
    { line: 'COPY ["<<E", "/x"]', takes: false },
    { line: 'ONBUILD RUN --network=none ["<<E"]', takes: false },
    { line: "ONBUILD ONBUILD RUN <<E", takes: false },
    { line: "ENV a=<<E", takes: false },
    { line: "CMD cat <<E", takes: false },
  ]
) {
  Deno.test(`scanLines ${takes ? "takes" : "leaves"} the lines after a heredoc word when it stands in ${line}`, () => {
    assert.equal(scanLines(`${line}\nE\n`).lines.length, takes ? 1 : 2);
  });
}

for (
  const { source, message, range } of [
    { source: "# escape=x\n", message: /must be ` or \\/, range: [1, 1] },
    { source: "#check=skip=a\n# check=skip=b", message: /only one check parser directive/, range: [2, 2] },
    { source: "\nRUN a \\\n <<E\nx\n", message: /unterminated heredoc/, range: [2, 4] },
    { source: `RUN a\nRUN ${"x".repeat(65535)}`, message: /line 2: it is longer/, range: [2, 2] },
  ]
) {
  Deno.test(`scanLines throws at lines ${range.join("-")} when it reads ${JSON.stringify(source.slice(0, 40))}`, () => {
    assert.throws(() => scanLines(source), (error: unknown) => {
      assert.ok(error instanceof DockerfileError);
      assert.match(error.message, message);
      assert.deepEqual([error.range?.startLine, error.range?.endLine], range);
      return true;
    });
  });
}

Deno.test("scanLines refuses bytes that are not UTF-8 when they are part of the build, not of a comment", () => {
  const bytes = (text: string): Uint8Array => Uint8Array.from(text, (character) => character.charCodeAt(0));
  assert.equal(scanLines(bytes("# \xff\nRUN a \\\n# \xff\n b\n")).lines.length, 1);
  assert.throws(() => scanLines(bytes("RUN \xff\n")), /line 1: it is not valid UTF-8/);
  assert.throws(() => scanLines(bytes("RUN <<E\n\n\xff\nE\n")), /line 3: it is not valid UTF-8/);
});
