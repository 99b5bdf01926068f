import { ok, strictEqual, throws } from "node:assert/strict";
import { DockerfileError } from "../../../src/dockerfile/instruction.ts";
import { globalScope } from "../../../src/plan/args.ts";
import { OptionError } from "../../../src/plan/option_error.ts";
import { sourceDateEpoch } from "../../../src/plan/source_epoch.ts";
import { parseText, planOptions } from "../../support/plan_request.ts";

function epoch(text: string, buildArg: string | undefined, contextEpoch?: number): number | undefined {
  const options = {
    ...planOptions(buildArg === undefined ? {} : { buildArgs: { SOURCE_DATE_EPOCH: buildArg } }),
    ...(contextEpoch === undefined ? {} : { contextEpoch }),
  };
  return sourceDateEpoch(parseText(text), globalScope(parseText(text), options), options);
}

const EPOCHS: readonly (readonly [text: string, buildArg: string | undefined, seconds: number | undefined])[] = [
  ["FROM scratch", undefined, undefined],
  ["FROM scratch", "1700000000", 1700000000],
  ["ARG SOURCE_DATE_EPOCH=5\nFROM scratch", undefined, 5],
  ["ARG SOURCE_DATE_EPOCH=5\nFROM scratch", "0", 0],
  ["ARG SOURCE_DATE_EPOCH=5\nFROM scratch", "", undefined],
  ["ARG SOURCE_DATE_EPOCH=context\nFROM scratch", undefined, undefined],
  ["FROM scratch\nARG SOURCE_DATE_EPOCH=5", undefined, undefined],
  ["ARG N=7\nARG SOURCE_DATE_EPOCH=$N\nFROM scratch", undefined, 7],
];

for (const [text, buildArg, seconds] of EPOCHS) {
  Deno.test(`sourceDateEpoch is ${seconds} when "${text}" is given build-arg ${buildArg}`, () => {
    strictEqual(epoch(text, buildArg), seconds);
  });
}

Deno.test("sourceDateEpoch is the context's time when it is told so and the context has one", () => {
  strictEqual(epoch("FROM scratch", "context", 1234), 1234);
});

for (const value of ["-1", "1.5", "99999999999999999999", "Contexts"]) {
  Deno.test(`sourceDateEpoch blames the option when a build-arg is ${value}`, () => {
    throws(() => epoch("FROM scratch", value), (error: unknown) => {
      ok(error instanceof OptionError);
      const expected = 'expected seconds since 1970, "context" or the name of a stage';
      strictEqual(error.message, `Cannot use SOURCE_DATE_EPOCH "${value}": ${expected}`);
      return true;
    });
  });
}

const STAGES: readonly (readonly [stage: string, reason: RegExp])[] = [
  ["FROM scratch AS src\nADD https://h/x /", /the time of what a stage fetches is not supported yet/],
  ["FROM scratch AS src\nARG V\nADD https://h/x.git /", /the time of what a stage fetches is not supported yet/],
  ["FROM busybox AS src\nADD https://h/x /", /the stage on line 2 is not FROM scratch with one remote ADD/],
  ["FROM scratch AS src\nADD x /", /the stage on line 2 is not FROM scratch/],
  ["FROM scratch AS src\nADD https://h/x https://h/y /", /the stage on line 2 is not FROM scratch/],
  ["FROM scratch AS src\nADD https://h/x /\nENV a=b", /the stage on line 2 is not FROM scratch/],
  ["FROM scratch AS other", /expected seconds since 1970/],
];

for (const [stage, reason] of STAGES) {
  Deno.test(`sourceDateEpoch names the ARG's line when it means the stage ${JSON.stringify(stage)}`, () => {
    throws(() => epoch(`ARG SOURCE_DATE_EPOCH=src\n${stage}\nFROM scratch`, undefined), (error: unknown) => {
      ok(error instanceof DockerfileError);
      strictEqual(error.range.startLine, 1);
      ok(reason.test(error.message), error.message);
      return true;
    });
  });
}
