import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { ConfigInstruction } from "../../../src/plan/config_state.ts";
import { expandInstruction } from "../../../src/plan/expand_instruction.ts";
import { parseConfigStage } from "../../support/plan_request.ts";

const VARIABLES = new Map([["a", "1"], ["two", "80 81"]]);

const EXPANDED: readonly (readonly [line: string, changed: Partial<Record<string, unknown>>])[] = [
  ["ENV x$a=$a y=$x1", { pairs: [{ key: "x1", value: "1" }, { key: "y", value: "" }] }],
  ["ENV k '$a' \"$a\"", { pairs: [{ key: "k", value: "$a 1" }] }],
  ["LABEL \"$a b\"='$a'", { pairs: [{ key: "1 b", value: "$a" }] }],
  ['WORKDIR "/x $a"', { path: "/x 1" }],
  ["USER ${a}:${b:-g}", { user: "1:g" }],
  ["EXPOSE $two $a", { ports: ["1", "80", "81"] }],
  ['EXPOSE "$two"', { ports: ["80 81"] }],
  ["VOLUME /$a /$two", { paths: ["/1", "/80 81"] }],
  ['VOLUME ["/$a b"]', { paths: ["/1 b"] }],
  ["STOPSIGNAL $a", { signal: "1" }],
];

for (const [line, changed] of EXPANDED) {
  Deno.test(`expandInstruction replaces variables when told ${line}`, () => {
    const instruction = configInstruction(line);
    deepStrictEqual(expandInstruction(instruction, VARIABLES, { escape: "\\", range: { startLine: 2, endLine: 2 } }), {
      ...instruction,
      ...changed,
    });
  });
}

const UNTOUCHED = [
  'CMD echo $a "q"',
  'ENTRYPOINT ["$a"]',
  'SHELL ["$a"]',
  "HEALTHCHECK CMD $a",
  "ONBUILD RUN $a",
  "MAINTAINER $a",
];

for (const line of UNTOUCHED) {
  Deno.test(`expandInstruction leaves it as it is when told ${line}`, () => {
    const instruction = configInstruction(line);
    strictEqual(
      expandInstruction(instruction, VARIABLES, { escape: "\\", range: { startLine: 2, endLine: 2 } }),
      instruction,
    );
  });
}

Deno.test("expandInstruction throws at the range when a substitution is bad", () => {
  const range = { startLine: 4, endLine: 4 };
  throws(() => expandInstruction(configInstruction("USER ${a:=b}"), VARIABLES, { escape: "\\", range }), { range });
});

function configInstruction(line: string): ConfigInstruction {
  const [instruction] = parseConfigStage(line);
  if (instruction === undefined) throw new TypeError(`"${line}" is no instruction`);
  return instruction;
}
