/**
 * SOURCE_DATE_EPOCH: the time that a reproducible build puts everywhere. A build-arg or a global ARG: seconds, the word
 * `context`, or the name of a stage that only fetches something. Source: BuildKit's reproducible builds.
 */
import {
  type ArgInstruction,
  type Dockerfile,
  DockerfileError,
  type SourceRange,
  type Stage,
} from "../dockerfile/instruction.ts";
import { suggest } from "../dockerfile/suggest.ts";
import type { GlobalScope } from "./args.ts";
import { OptionError } from "./option_error.ts";
import type { PlanOptions } from "./plan.ts";
import { sourceForm } from "./remote_source.ts";
import { stageNames } from "./stage_graph.ts";

const SOURCE_DATE_EPOCH = "SOURCE_DATE_EPOCH";
const CONTEXT = "context";

/**
 * The time that SOURCE_DATE_EPOCH gives, in seconds since 1970; undefined when it is unset or empty, or `context` where
 * that has no time. Throws DockerfileError at the ARG, or OptionError for a build-arg, when it means nothing.
 */
export function sourceDateEpoch(dockerfile: Dockerfile, scope: GlobalScope, options: PlanOptions): number | undefined {
  const passed = options.buildArgs.get(SOURCE_DATE_EPOCH);
  const text = passed ?? scope.values.get(SOURCE_DATE_EPOCH) ?? "";
  if (text === "") return undefined;
  if (text === CONTEXT) return options.contextEpoch;
  const seconds = /^\d+$/.test(text) ? Number(text) : Number.NaN;
  if (Number.isSafeInteger(seconds)) return seconds;
  const { reason, hint } = explain(text, dockerfile);
  const message = `Cannot use ${SOURCE_DATE_EPOCH} "${text}": ${reason}`;
  const range = passed === undefined ? declarationRange(dockerfile.globalArgs) : undefined;
  throw range === undefined ? new OptionError(message, { hint }) : new DockerfileError(message, range, { hint });
}

function declarationRange(globalArgs: readonly ArgInstruction[]): SourceRange | undefined {
  return globalArgs.findLast(({ args }) => args.some(({ name }) => name === SOURCE_DATE_EPOCH))?.range;
}

function explain(text: string, { stages }: Dockerfile): { readonly reason: string; readonly hint?: string } {
  const stage = stages.findLast(({ from }) => from.stageName === text.toLowerCase());
  if (stage === undefined) {
    const near = suggest(text, [CONTEXT, ...stageNames(stages)]);
    const reason = `expected seconds since 1970, "${CONTEXT}" or the name of a stage`;
    return near === undefined ? { reason } : { reason, hint: `Did you mean "${near}"?` };
  }
  if (fetchesOneThing(stage)) return { reason: "the time of what a stage fetches is not supported yet" };
  const reason = `the stage on line ${stage.from.range.startLine} is not FROM scratch with one remote ADD and no more`;
  return { reason, hint: "Only such a stage has a time of its own: that of the commit or of the file" };
}

function fetchesOneThing({ from, instructions }: Stage): boolean {
  const others = instructions.filter(({ kind }) => kind !== "ARG");
  const [add] = others;
  if (from.image !== "scratch" || others.length !== 1 || add?.kind !== "ADD") return false;
  const [source, ...more] = add.sources;
  return source !== undefined && more.length === 0 && sourceForm(source) !== "path";
}
