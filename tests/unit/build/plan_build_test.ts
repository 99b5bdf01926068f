/** Planning and checking a build's Dockerfile: what is told, and how often. */
import { deepEqual, equal, ok, rejects } from "node:assert/strict";
import { checkBuild, planBuild, type PlanSubject } from "../../../src/build/plan_build.ts";
import { SourceError } from "../../../src/build/source_error.ts";
import { IGNORE_NOTHING, parseDockerignore } from "../../../src/context/dockerignore.ts";
import { CancelledError } from "../../../src/errors.ts";
import type { Logger } from "../../../src/log/logger.ts";
import type { PathPatterns } from "../../../src/context/path_patterns.ts";
import { FakeResolver, planOptions, type PlanRequest } from "../../support/plan_request.ts";
import { testServices } from "../../support/stage_world.ts";

function subject(text: string, request: PlanRequest = {}, ignore: PathPatterns = IGNORE_NOTHING): PlanSubject {
  const bytes = new TextEncoder().encode(text);
  const resolver = new FakeResolver(request.images);
  return { source: { path: "D", text }, bytes, context: { ignore }, options: planOptions(request), resolver };
}

/** Plans and gives the warnings that were logged. */
async function logged(planned: PlanSubject): Promise<{ readonly lines: readonly string[]; readonly error?: unknown }> {
  const lines: string[] = [];
  const services = testServices("/");
  const log: Logger = { ...services.log, warn: (message) => void lines.push(message) };
  const failure = await planBuild(planned, { ...services, log }).then(() => undefined, (error: unknown) => error);
  return failure === undefined ? { lines } : { lines, error: failure };
}

const DOUBTFUL = "FROM scratch\nMAINTAINER x\nENV a=$b\n";
const MAINTAINER = "Maintainer instruction is deprecated in favor of using label (MaintainerDeprecated)";

Deno.test("planBuild tells every warning once, with its line", async () => {
  deepEqual(await logged(subject(DOUBTFUL)), {
    lines: [`D:2: ${MAINTAINER}`, "D:3: Usage of undefined variable '$b' (UndefinedVar)"],
  });
});

Deno.test("planBuild tells what it could read when other lines are faulty", async () => {
  const { lines, error } = await logged(subject("FROM scratch\nMAINTAINER x\nBAD\nWORSE"));
  deepEqual(lines, [`D:2: ${MAINTAINER}`]);
  ok(error instanceof SourceError && error.range.startLine === 3);
});

Deno.test("planBuild obeys the build-arg for checks instead of the directive", async () => {
  const buildArgs = { BUILDKIT_DOCKERFILE_CHECK: "skip=MaintainerDeprecated" };
  deepEqual(await logged(subject(`# check=error=true\n${DOUBTFUL}`, { buildArgs })), {
    lines: ["D:4: Usage of undefined variable '$b' (UndefinedVar)"],
  });
  const strict = subject(DOUBTFUL, { buildArgs: { BUILDKIT_DOCKERFILE_CHECK: "error=true" } });
  const { lines, error } = await logged(strict);
  deepEqual(lines, []);
  ok(error instanceof SourceError);
  equal(error.message, "Cannot accept Dockerfile: lint violation found for rules: MaintainerDeprecated, UndefinedVar");
});

Deno.test("planBuild takes the frontend of the build-arg for that of the file", async () => {
  const buildArgs = { BUILDKIT_SYNTAX: "example.com/other" };
  const { lines } = await logged(subject("# syntax=docker/dockerfile:1\nFROM scratch", { buildArgs }));
  ok(lines.length === 1 && lines[0]?.includes("example.com/other"), lines.join());
});

Deno.test("checkBuild finds ignored sources unless the ignore file makes exceptions", async () => {
  const check = async (patterns: string, source: string): Promise<readonly unknown[]> => {
    const ignore = parseDockerignore(new TextEncoder().encode(patterns));
    const { warnings } = await checkBuild(subject(`FROM scratch\nCOPY ${source} /`, {}, ignore));
    return warnings.map(({ rule }) => rule);
  };
  deepEqual(await check("secret", "secret"), ["CopyIgnoredFile"]);
  deepEqual(await check("secret", "./a/../secret/key"), ["CopyIgnoredFile"]);
  deepEqual(await check("secret", "other"), []);
  deepEqual(await check("*", "."), []);
  deepEqual(await check("secret\n!secret/key", "secret"), []);
});

Deno.test("checkBuild reports the fault with its lines, and what was found besides", async () => {
  for (const text of ["FROM scratch\nMAINTAINER x\nBAD", "FROM scratch\nMAINTAINER x\nEXPOSE bad", "BAD"]) {
    const { failure, warnings } = await checkBuild(subject(text));
    ok(failure instanceof SourceError, text);
    equal(failure.range.startLine, text.split("\n").length);
    equal(warnings.length, text.includes("MAINTAINER") ? 1 : 0);
  }
});

Deno.test("checkBuild passes on that it was stopped", async () => {
  const resolver = { resolve: () => Promise.reject(new CancelledError("SIGTERM")) };
  await rejects(checkBuild({ ...subject("FROM a"), resolver }), CancelledError);
});
