import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { CancelledError } from "../../../src/errors.ts";
import { checkPlan } from "../../../src/plan/check_plan.ts";
import type { PlanOptions } from "../../../src/plan/plan.ts";
import { FakeResolver, parseText, planOptions, type PlanRequest } from "../../support/plan_request.ts";

async function check(
  text: string,
  request: PlanRequest = {},
  more: Partial<PlanOptions> = {},
): Promise<{ readonly found: readonly string[]; readonly failure: string | undefined }> {
  const resolver = new FakeResolver(request.images);
  const checked = await checkPlan(parseText(text), { ...planOptions(request), ...more }, resolver);
  const found = checked.warnings.map(({ rule, range }) => `${rule}:${range?.startLine}`);
  return { found, failure: checked.failure?.message };
}

const TWO_STAGES = "FROM scratch AS a\nCMD x\nFROM scratch AS b\nCMD $y\nENV z=$z";

Deno.test("checkPlan looks at all stages when there is no target", async () => {
  deepStrictEqual(await check(TWO_STAGES), {
    found: ["JSONArgsRecommended:2", "JSONArgsRecommended:4", "UndefinedVar:5"],
    failure: undefined,
  });
});

Deno.test("checkPlan looks at the stages that the target needs when there is one", async () => {
  deepStrictEqual((await check(TWO_STAGES, { target: "a" })).found, ["JSONArgsRecommended:2"]);
});

Deno.test("checkPlan finds undefined variables with the environment of the base in mind", async () => {
  const images = { base: { config: { Env: ["SET=1"], Shell: ["bash"] } } };
  deepStrictEqual((await check("FROM base\nENV a=$SET b=$NOT\nCMD x", { images })).found, ["UndefinedVar:2"]);
});

Deno.test("checkPlan finds an image of another platform", async () => {
  const images = { base: { platform: "linux/arm64" } };
  deepStrictEqual((await check("FROM base", { images })).found, ["InvalidBaseImagePlatform:1"]);
});

Deno.test("checkPlan finds sources that the context ignores, also in stages that nobody needs", async () => {
  const isIgnored = (path: string): boolean => path === "secret";
  const text = "FROM scratch AS a\nCOPY secret open /\nFROM scratch\nCOPY --from=a secret /";
  deepStrictEqual((await check(text, {}, { isIgnored })).found, ["CopyIgnoredFile:2"]);
});

Deno.test("checkPlan gives what it found and why a build would fail when something fails", async () => {
  const { found, failure } = await check("FROM scratch AS X\nENV a b\nEXPOSE what\nCMD x");
  deepStrictEqual(found, ["StageNameCasing:1", "LegacyKeyValueFormat:2"]);
  strictEqual(failure, 'Cannot expose port "what": invalid container port "what"');
  strictEqual(
    (await check("FROM nowhere")).failure,
    "Cannot resolve index.docker.io/library/nowhere:latest: no such image",
  );
});

Deno.test("checkPlan reports violations where the file makes them errors, too", async () => {
  deepStrictEqual(await check("# check=error=true\nFROM scratch\nCMD x"), {
    found: ["JSONArgsRecommended:3"],
    failure: undefined,
  });
});

Deno.test("checkPlan passes on that the build was stopped", async () => {
  const resolver = { resolve: () => Promise.reject(new CancelledError("SIGTERM")) };
  await rejects(checkPlan(parseText("FROM a"), planOptions(), resolver), CancelledError);
});
