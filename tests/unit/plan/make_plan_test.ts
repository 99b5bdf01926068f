/**
 * Goldens in fixtures/plans: a Dockerfile and a request each, and the plan or the error that must come of them. To rewrite
 * them, and then review them: `deno test -A tests/unit/plan/make_plan_test.ts -- --update`.
 */
import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { DockerfileError } from "../../../src/dockerfile/instruction.ts";
import { parseDockerfile } from "../../../src/dockerfile/parse_dockerfile.ts";
import type { BuilderError } from "../../../src/errors.ts";
import { makePlan } from "../../../src/plan/make_plan.ts";
import { OptionError } from "../../../src/plan/option_error.ts";
import { renderPlan } from "../../../src/plan/render_plan.ts";
import { FakeResolver, planOptions, type PlanRequest, planText } from "../../support/plan_request.ts";

const FIXTURES = new URL("../../../fixtures/plans/", import.meta.url);

for (const entry of [...Deno.readDirSync(FIXTURES)].sort((a, b) => a.name < b.name ? -1 : 1)) {
  Deno.test(`makePlan gives the golden of ${entry.name}`, async () => {
    const directory = new URL(`${entry.name}/`, FIXTURES);
    const outcome = await planCase(directory);
    if (Deno.args.includes("--update")) await updateGolden(directory, outcome);
    strictEqual(outcome.text, await Deno.readTextFile(new URL(outcome.file, directory)));
    const files = (await Array.fromAsync(Deno.readDir(directory))).map(({ name }) => name);
    deepStrictEqual(files.toSorted(), ["Dockerfile", outcome.file, "request.json"].toSorted());
  });
}

interface Outcome {
  readonly file: "plan.txt" | "error.txt";
  readonly text: string;
}

async function planCase(directory: URL): Promise<Outcome> {
  const source = await Deno.readFile(new URL("Dockerfile", directory));
  const request: PlanRequest = JSON.parse(await Deno.readTextFile(new URL("request.json", directory)));
  try {
    const dockerfile = parseDockerfile(source);
    const plan = await makePlan(dockerfile, planOptions(request), new FakeResolver(request.images));
    return { file: "plan.txt", text: renderPlan(plan) };
  } catch (error: unknown) {
    if (error instanceof OptionError) return { file: "error.txt", text: describe(error, "option: ") };
    if (!(error instanceof DockerfileError)) throw error;
    const faults = [error, ...error.others];
    return { file: "error.txt", text: faults.map((fault) => describe(fault, placeOf(fault))).join("") };
  }
}

function describe({ message, hint }: BuilderError, place: string): string {
  return `${place}${message}\n${hint === undefined ? "" : `hint: ${hint}\n`}`;
}

function placeOf({ range }: DockerfileError): string {
  return `lines ${range.startLine}-${range.endLine}: `;
}

async function updateGolden(directory: URL, outcome: Outcome): Promise<void> {
  const other = outcome.file === "plan.txt" ? "error.txt" : "plan.txt";
  await Deno.remove(new URL(other, directory)).catch(() => {});
  await Deno.writeTextFile(new URL(outcome.file, directory), outcome.text);
}

Deno.test("makePlan resolves each image once, and none that the target does not need", async () => {
  const resolver = new FakeResolver({ base: {}, other: {}, tool: {} });
  const text = [
    "FROM other AS unused",
    "FROM base AS a",
    "FROM base:latest AS b",
    "COPY --from=tool /x /x",
    "FROM docker.io/library/base",
    "COPY --from=a / /a",
    "COPY --from=b / /b",
    "COPY --from=tool /y /y",
  ].join("\n");
  await makePlan(parseDockerfile(new TextEncoder().encode(text)), planOptions(), resolver);
  deepStrictEqual(resolver.asked.toSorted(), [
    "index.docker.io/library/base:latest linux/amd64",
    "index.docker.io/library/tool:latest linux/amd64",
  ]);
});

Deno.test("makePlan resolves what a trigger of a resolved base names", async () => {
  const resolver = new FakeResolver({ base: { config: { OnBuild: ["COPY --from=tool /t /t"] } }, tool: {} });
  await makePlan(parseDockerfile(new TextEncoder().encode("FROM base")), planOptions(), resolver);
  deepStrictEqual(resolver.asked, [
    "index.docker.io/library/base:latest linux/amd64",
    "index.docker.io/library/tool:latest linux/amd64",
  ]);
});

Deno.test("makePlan gives the resolver's error a line when an image cannot be had", async () => {
  await rejects(planText("ARG A\nFROM nowhere"), {
    name: "InstructionError",
    code: "unsupported",
    range: { startLine: 2, endLine: 2 },
    message: "Cannot resolve index.docker.io/library/nowhere:latest: no such image",
  });
});

Deno.test("makePlan throws the error of the first stage when several images fail", async () => {
  await rejects(planText("FROM one\nFROM two\nCOPY --from=0 / /\nCOPY --from=three / /"), /library\/one:latest/);
});

Deno.test("makePlan plans ten thousand stages when each needs the one before", async () => {
  const lines = ["FROM scratch AS s0"];
  for (let index = 1; index < 10_000; index++) lines.push(`FROM s${index - 1} AS s${index}`);
  const plan = await planText(lines.join("\n"));
  strictEqual(plan.stages.length, 10_000);
});
