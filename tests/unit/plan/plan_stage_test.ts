import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { globalScope, startScope } from "../../../src/plan/args.ts";
import { scratchState } from "../../../src/plan/config_state.ts";
import type { PlanWarning } from "../../../src/plan/plan.ts";
import { planStage, type StageProgress } from "../../../src/plan/plan_stage.ts";
import { parseText, planOptions } from "../../support/plan_request.ts";

Deno.test("planStage hands on config and variables from instruction to instruction", () => {
  const { progress } = plan(
    "ARG A=1\nENV B=$A\nWORKDIR /$B\nUSER u\nWORKDIR x\nRUN a\nONBUILD RUN b\nWORKDIR /\nCOPY a b",
  );
  deepStrictEqual(
    progress.steps.map((step) => step.kind),
    ["metadata", "metadata", "workdir", "metadata", "workdir", "run", "metadata", "copy"],
  );
  const [, , first, , second, run, root, copy] = progress.steps;
  deepStrictEqual([first?.kind === "workdir" && first.path, first?.kind === "workdir" && first.user], ["/1", ""]);
  deepStrictEqual([second?.kind === "workdir" && second.path, second?.kind === "workdir" && second.user], [
    "/1/x",
    "u",
  ]);
  strictEqual(run?.kind === "run" && run.workdir, "/1/x");
  deepStrictEqual(run?.kind === "run" && run.env.slice(1), ["A=1", "B=1"]);
  strictEqual(root?.history, "WORKDIR /");
  strictEqual(copy?.kind === "copy" && copy.destination, "/b");
  strictEqual(progress.state.config.WorkingDir, "/");
  deepStrictEqual(progress.state.config.OnBuild, ["RUN b"]);
  deepStrictEqual([...progress.scope.args], [["A", "1"]]);
});

Deno.test("planStage makes a layer of a WORKDIR that changes nothing, unless it is the root", () => {
  const { progress } = plan("WORKDIR /a\nWORKDIR .\nWORKDIR ${none-}\nWORKDIR ..\nWORKDIR ''");
  deepStrictEqual(progress.steps.map(({ kind }) => kind), ["workdir", "workdir", "workdir", "metadata", "metadata"]);
  deepStrictEqual(progress.steps.map(({ history }) => history.slice(8)), ["/a", "/a", "/a", "/", "/"]);
});

Deno.test("planStage warns of unset variables that no ARG declares", () => {
  const { warnings } = plan("ARG NAME\nLABEL a=$NAME b=$NAMEE c=${X:-1}\nRUN $Y\nCOPY $PATHS /");
  deepStrictEqual(warnings, [
    {
      rule: "UndefinedVar",
      message: "Usage of undefined variable '$NAMEE' (did you mean $NAME?)",
      range: { startLine: 3, endLine: 3 },
    },
    {
      rule: "UndefinedVar",
      message: "Usage of undefined variable '$PATHS' (did you mean $PATH?)",
      range: { startLine: 5, endLine: 5 },
    },
  ]);
});

Deno.test("planStage throws at the instruction, and names the trigger only for those of the base", () => {
  const range = { startLine: 3, endLine: 3 };
  throws(() => plan("USER a\nSTOPSIGNAL FOO", 1), { range, hint: undefined });
  throws(() => plan("USER a\nSTOPSIGNAL FOO", 2), {
    range,
    hint: "The base of this stage brings it along: ONBUILD STOPSIGNAL FOO",
  });
});

function plan(
  lines: string,
  triggerCount: number = 0,
): { readonly progress: StageProgress; readonly warnings: readonly PlanWarning[] } {
  const dockerfile = parseText(`FROM scratch\n${lines}`);
  const [stage] = dockerfile.stages;
  if (stage === undefined) throw new TypeError("a Dockerfile has a stage");
  const options = planOptions();
  const warnings: PlanWarning[] = [];
  const state = scratchState();
  const progress = planStage(
    {
      stage,
      instructions: stage.instructions,
      triggerCount,
      origin: { kind: "scratch", platform: options.targetPlatform },
    },
    { state, scope: startScope(state.config.Env ?? []), steps: [] },
    {
      dockerfile,
      options,
      global: globalScope(dockerfile, options),
      copySource: () => ({ kind: "context" }),
      warn: (warning) => warnings.push(warning),
    },
  );
  return { progress, warnings };
}
