/** Dispatch, and the instructions that are parsed there. */
import assert from "node:assert/strict";
import { assertRefused, parseLine, scanLine } from "./_parse_line.ts";
import { parseInstruction } from "../../../src/dockerfile/parse_instruction.ts";

for (
  const { text, parsed } of [
    { text: "workdir  /a b ", parsed: { kind: "WORKDIR", path: "/a b" } },
    { text: 'User $u:"g"', parsed: { kind: "USER", user: '$u:"g"' } },
    { text: "STOPSIGNAL --x=1 9", parsed: { kind: "STOPSIGNAL", signal: "9" } },
    { text: "MAINTAINER a <b>", parsed: { kind: "MAINTAINER", author: "a <b>" } },
    { text: "EXPOSE 9 10 1-2/udp", parsed: { kind: "EXPOSE", ports: ["1-2/udp", "10", "9"] } },
    { text: "VOLUME /b /a", parsed: { kind: "VOLUME", paths: ["/b", "/a"] } },
    { text: "ONBUILD\tRUN a  b ", parsed: { kind: "ONBUILD", trigger: "RUN a  b " } },
    { text: 'SHELL ["a"]', parsed: { kind: "SHELL", argv: ["a"] } },
  ]
) {
  Deno.test(`parseInstruction gives ${parsed.kind} when the line is ${JSON.stringify(text)}`, () => {
    assert.deepEqual(parseLine(text), parsed);
  });
}

Deno.test("parseInstruction keeps the joined line and its range when the line was continued", () => {
  const { raw, range } = parseInstruction(scanLine("\nUSER a\\\n b"), "\\");
  assert.deepEqual([raw, range], ["USER a b", { startLine: 2, endLine: 3 }]);
});

for (
  const { text, cause, hint } of [
    {
      text: "WORKDR /a",
      cause: /^Cannot parse instruction "WORKDR": unknown instruction$/,
      hint: 'Did you mean "WORKDIR"?',
    },
    { text: "usr a", cause: /unknown instruction/, hint: 'Did you mean "user"?' },
    { text: "constructor a", cause: /unknown instruction/ },
    { text: "__proto__", cause: /unknown instruction/ },
    { text: "WORKDIR --x /a", cause: /unknown flag: --x/ },
    { text: "USER", cause: /USER requires exactly one argument/ },
    { text: "EXPOSE", cause: /EXPOSE requires at least one argument/ },
    { text: 'VOLUME [""]', cause: /VOLUME specified can not be an empty string/ },
    { text: "onbuild OnBuild RUN x", cause: /chaining ONBUILD/ },
    { text: "ONBUILD from x", cause: /FROM isn't allowed as an ONBUILD trigger/ },
  ]
) {
  Deno.test(`parseInstruction throws when the line is ${text}`, () => assertRefused(text, cause, hint));
}
