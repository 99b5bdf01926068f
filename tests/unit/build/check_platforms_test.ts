/** Builds with commands for other machines. */
import { deepEqual, equal, ok } from "node:assert/strict";
import { checkPlatforms } from "../../../src/build/check_platforms.ts";
import { SourceError } from "../../../src/build/source_error.ts";
import { parsePlatform } from "../../../src/oci/platform.ts";
import { planText } from "../../support/plan_request.ts";

const OWN = parsePlatform("linux/amd64");

async function check(text: string, targetPlatform: string): Promise<{ readonly error: unknown; starts: number }> {
  let starts = 0;
  const start = (): Promise<"refused"> => {
    starts++;
    return Promise.resolve("refused");
  };
  const probe = { start, registrations: () => Promise.resolve(new Map<string, string>()) };
  const images = { a: {}, b: {} };
  const plan = await planText(text, { targetPlatform, images });
  const error = await checkPlatforms(plan, OWN, probe, { path: "D", text }).then(() => undefined, (e: unknown) => e);
  return { error, starts };
}

Deno.test("checkPlatforms names the line of the first RUN and the platform that cannot be run", async () => {
  const { error } = await check("FROM a\nCOPY x /\nRUN one\nRUN two", "linux/arm64");
  ok(error instanceof SourceError);
  deepEqual([error.code, error.range.startLine], ["unsupported", 3]);
  equal(
    error.message,
    "Cannot run commands for platform linux/arm64 on linux/amd64: no emulator is registered for it",
  );
});

Deno.test("checkPlatforms lets stages without RUN be for any platform", async () => {
  const cross = "FROM --platform=$BUILDPLATFORM a AS build\nRUN x\nFROM b\nCOPY --from=build / /\nWORKDIR /w";
  deepEqual(await check(cross, "linux/s390x"), { error: undefined, starts: 0 });
  deepEqual(await check("FROM scratch\nCOPY x /", "windows/amd64"), { error: undefined, starts: 0 });
});

Deno.test("checkPlatforms asks about each platform once, and stops at the first that cannot be", async () => {
  const text = "FROM a AS one\nRUN x\nFROM b\nRUN y\nCOPY --from=one / /";
  equal((await check(text, "linux/arm64")).starts, 1);
});
