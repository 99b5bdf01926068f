/** FROM. */
import assert from "node:assert/strict";
import { assertRefused, parseLine } from "./_parse_line.ts";

for (
  const { text, parsed } of [
    { text: "FROM a", parsed: { kind: "FROM", image: "a" } },
    {
      text: "from a:b@sha256:c\tAS\tName_1.x-y",
      parsed: { kind: "FROM", image: "a:b@sha256:c", stageName: "name_1.x-y" },
    },
    { text: "FROM --platform=$P ${I:-a}", parsed: { kind: "FROM", image: "${I:-a}", platform: "$P" } },
    { text: "FROM --platform= a", parsed: { kind: "FROM", image: "a", platform: "" } },
  ]
) {
  Deno.test(`parseFrom gives the parts when the line is ${text}`, () => assert.deepEqual(parseLine(text), parsed));
}

for (const text of ["FROM", "FROM a b", "FROM a AS", "FROM a to b", "FROM a AS b c", "FROM --platform=x"]) {
  Deno.test(`parseFrom throws when the line is ${text}`, () => {
    assertRefused(text, /^Cannot parse FROM: FROM requires either one or three arguments$/);
  });
}

for (const name of ["1x", "-x", "_x", "a/b", "a:b", "é", "$x", "a@b"]) {
  Deno.test(`parseFrom throws when the stage name is ${name}`, () => {
    assertRefused(`FROM a AS ${name}`, /invalid name for build stage: ".*", name can't start with a number/);
  });
}
