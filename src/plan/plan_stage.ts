/** One stage from its first trigger to its last instruction: steps, and what they make of config and variables. */
import { suggest } from "../dockerfile/suggest.ts";
import type { ExpandOptions } from "../dockerfile/expand.ts";
import {
  type Dockerfile,
  DockerfileError,
  type SourceRange,
  type StageInstruction,
} from "../dockerfile/instruction.ts";
import { assignEnv, declareArgs, type GlobalScope, isDeclared, type StageScope } from "./args.ts";
import { applyInstruction, type ConfigInstruction, type ConfigState, workdirOf } from "./config_state.ts";
import { expandInstruction } from "./expand_instruction.ts";
import { blameTrigger, type LoadedStage } from "./load_stages.ts";
import type { CopySource, PlanOptions, PlanWarning, Step } from "./plan.ts";
import { planCopy } from "./plan_copy.ts";
import { planRun } from "./plan_run.ts";
import type { FilesReference } from "./stage_graph.ts";
import { checkWarning, findDoubts, findIgnoredSources } from "./stage_checks.ts";
import { stepTitle } from "./step_title.ts";

/** Where a stage stands between two instructions. */
export interface StageProgress {
  readonly state: ConfigState;
  readonly scope: StageScope;
  readonly steps: readonly Step[];
}

/** What all stages are planned with. `warn` collects what is doubtful. */
export interface StageSurroundings {
  readonly dockerfile: Dockerfile;
  readonly options: PlanOptions;
  readonly global: GlobalScope;
  readonly copySource: (stageIndex: number, reference: FilesReference) => CopySource;
  readonly warn: (warning: PlanWarning) => void;
}

/** Plans the instructions of `stage` one after another. Throws DockerfileError with the range of the one at fault. */
export function planStage(stage: LoadedStage, start: StageProgress, surroundings: StageSurroundings): StageProgress {
  const steps: Step[] = [...start.steps];
  let progress: Omit<StageProgress, "steps"> = start;
  stage.instructions.forEach((instruction, index) => {
    try {
      const next = planInstruction(instruction, progress, { ...surroundings, stageIndex: stage.stage.index });
      if (next.step !== undefined) steps.push(next.step);
      progress = next;
    } catch (error: unknown) {
      const isTrigger = index < stage.triggerCount && error instanceof DockerfileError;
      throw isTrigger ? blameTrigger(error, instruction.raw) : error;
    }
  });
  return { ...progress, steps };
}

interface Advance extends Omit<StageProgress, "steps"> {
  readonly step?: Step;
}

function planInstruction(
  instruction: StageInstruction,
  progress: Omit<StageProgress, "steps">,
  surroundings: StageSurroundings & { readonly stageIndex: number },
): Advance {
  const { state, scope } = progress;
  const { options, global, copySource, stageIndex } = surroundings;
  const expand = expandOptions(instruction.range, scope, surroundings);
  switch (instruction.kind) {
    case "RUN": {
      const { kind, range } = instruction;
      const mountSource = (from: string | undefined): CopySource => copySource(stageIndex, { kind, range, from });
      const { config } = state;
      const { buildArgs } = options;
      return { state, scope, step: planRun(instruction, { scope, config, buildArgs, expand, mountSource }) };
    }
    case "COPY":
    case "ADD": {
      const source = copySource(stageIndex, instruction);
      const step = planCopy(instruction, { scope, workdir: workdirOf(state.config), source, expand });
      if (source.kind === "context" && options.isIgnored !== undefined) {
        findIgnoredSources(instruction, step.patterns, options.isIgnored).forEach(surroundings.warn);
      }
      return { state, scope, step };
    }
    case "ARG": {
      const declared = declareArgs(scope, instruction, { global, buildArgs: options.buildArgs, expand });
      return { state, scope: declared.scope, step: metadataStep(instruction, declared.history) };
    }
    default:
      return planChange(instruction, progress, { expand, warn: surroundings.warn });
  }
}

/** Instructions that change the config. WORKDIR makes a layer, unless it is the root, which is always there. */
function planChange(
  written: ConfigInstruction,
  { state, scope }: Omit<StageProgress, "steps">,
  { expand, warn }: Pick<StageSurroundings, "warn"> & { readonly expand: ExpandOptions },
): Advance {
  const instruction = expandInstruction(written, scope.env, expand);
  const change = applyInstruction(state, instruction);
  findDoubts(instruction, state).forEach(warn);
  const next = {
    state: change.state,
    scope: instruction.kind === "ENV"
      ? assignEnv(scope, instruction.pairs.map(({ key, value }) => [key, value]))
      : scope,
  };
  if (change.history === undefined) return next;
  const step = metadataStep(written, change.history);
  const path = workdirOf(change.state.config);
  if (instruction.kind !== "WORKDIR" || path === "/") return { ...next, step };
  return { ...next, step: { ...step, kind: "workdir", path, user: state.config.User ?? "" } };
}

function metadataStep(instruction: StageInstruction, history: string): Step {
  return { kind: "metadata", range: instruction.range, title: stepTitle(instruction), history };
}

function expandOptions(range: SourceRange, scope: StageScope, surroundings: StageSurroundings): ExpandOptions {
  const onUndefined = (name: string): void => {
    if (isDeclared(scope, name)) return;
    const near = suggest(name, [...scope.env.keys(), ...scope.args.keys(), ...surroundings.global.declared]);
    const question = near === undefined ? "" : ` (did you mean $${near}?)`;
    surroundings.warn(checkWarning("UndefinedVar", range, name, question));
  };
  return { escape: surroundings.dockerfile.directives.escape, range, onUndefined };
}
