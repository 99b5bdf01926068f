/** Whatever blames a Dockerfile names its lines: every faulty fixture of the parser and of the planner, one by one. */
import { ok } from "node:assert/strict";
import { DockerfileError, InstructionError } from "../../src/dockerfile/instruction.ts";
import { parseDockerfile } from "../../src/dockerfile/parse_dockerfile.ts";
import { makePlan } from "../../src/plan/make_plan.ts";
import { OptionError } from "../../src/plan/option_error.ts";
import { FakeResolver, planOptions, type PlanRequest } from "../support/plan_request.ts";

const FIXTURES = new URL("../../fixtures/", import.meta.url);
/** Of each kind there are at least so many. */
const LEAST_FAULTS = 20;

for (const kind of ["dockerfile", "plans"]) {
  Deno.test(`a DockerfileError names lines of the file in every faulty fixture of ${kind}`, async () => {
    let faults = 0;
    for (const name of faultyFixtures(kind)) {
      const folder = new URL(`${kind}/${name}/`, FIXTURES);
      const source = await Deno.readFile(new URL("Dockerfile", folder));
      const error = await faultOf(source, await readRequest(folder));
      if (error instanceof OptionError) continue;
      ok(error instanceof DockerfileError || error instanceof InstructionError, `${name}: ${error}`);
      const others = error instanceof DockerfileError ? error.others : [];
      const lineCount = Math.max(1, new TextDecoder().decode(source).split("\n").length);
      for (const { range, message } of [error, ...others]) {
        ok(
          range.startLine >= 1 && range.startLine <= range.endLine && range.endLine <= lineCount,
          `${name}: ${message}`,
        );
        faults++;
      }
    }
    ok(faults >= LEAST_FAULTS, `${faults} faults`);
  });
}

function faultyFixtures(kind: string): readonly string[] {
  const folder = new URL(`${kind}/`, FIXTURES);
  return [...Deno.readDirSync(folder)].map(({ name }) => name).filter((name) =>
    [...Deno.readDirSync(new URL(`${name}/`, folder))].some((file) => file.name === "error.txt")
  );
}

async function readRequest(folder: URL): Promise<PlanRequest> {
  try {
    return JSON.parse(await Deno.readTextFile(new URL("request.json", folder)));
  } catch (error: unknown) {
    if (error instanceof Deno.errors.NotFound) return {};
    throw error;
  }
}

async function faultOf(source: Uint8Array, request: PlanRequest): Promise<unknown> {
  try {
    await makePlan(parseDockerfile(source), planOptions(request), new FakeResolver(request.images));
    return undefined;
  } catch (error: unknown) {
    return error;
  }
}
