/** Flags against their table. */
import assert from "node:assert/strict";
import { DockerfileError } from "../../../src/dockerfile/instruction.ts";
import { type FlagTable, parseFlags } from "../../../src/dockerfile/parse_flags.ts";
import { scanLine } from "./_parse_line.ts";

const TABLE: FlagTable = { from: "text", exclude: "list", link: "boolean" };

Deno.test("parseFlags gives what was written when all flags are known", () => {
  const flags = parseFlags(scanLine("COPY --exclude=a --from=x=y --link --exclude= a b"), TABLE);
  assert.equal(flags.text("from"), "x=y");
  assert.deepEqual(flags.list("exclude"), ["a", ""]);
  assert.equal(flags.boolean("link"), true);
});

Deno.test("parseFlags gives undefined and empty lists when flags are absent", () => {
  const flags = parseFlags(scanLine("COPY a b"), TABLE);
  assert.deepEqual([flags.text("from"), flags.list("exclude"), flags.boolean("link")], [undefined, [], undefined]);
});

for (const [flag, value] of [["--link=true", true], ["--link=FALSE", false], ["--link=True", true]] as const) {
  Deno.test(`parseFlags gives ${value} when the flag is ${flag}`, () => {
    assert.equal(parseFlags(scanLine(`COPY ${flag} a b`), TABLE).boolean("link"), value);
  });
}

for (
  const { flags, cause, hint } of [
    { flags: "--form=x", cause: "unknown flag: --form", hint: 'Did you mean "--from"?' },
    { flags: "--toString=x", cause: "unknown flag: --toString", hint: undefined },
    { flags: "--from", cause: "missing a value on flag: --from", hint: "Write --from=<value>" },
    { flags: "--exclude", cause: "missing a value on flag: --exclude", hint: "Write --exclude=<value>" },
    { flags: "--link=", cause: "missing a value on flag: --link", hint: undefined },
    { flags: "--link=1", cause: "expecting boolean value for flag --link, not: 1", hint: undefined },
    { flags: "--link --link", cause: "duplicate flag specified: --link", hint: undefined },
    { flags: "--from=a --from=a", cause: "duplicate flag specified: --from", hint: undefined },
  ]
) {
  Deno.test(`parseFlags throws when the flags are ${flags}`, () => {
    assert.throws(() => parseFlags(scanLine(`COPY ${flags} a b`), TABLE), (error: unknown) => {
      assert.ok(error instanceof DockerfileError);
      assert.equal(error.message, `Cannot parse COPY: ${cause}`);
      assert.equal(error.hint, hint);
      return true;
    });
  });
}
