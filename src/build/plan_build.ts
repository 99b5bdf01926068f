/** A build's Dockerfile, parsed and planned with its warnings told once; or, for --check, looked at and no more. */
import type { BuildContext } from "../context/context.ts";
import type { DockerfileWarning } from "../dockerfile/instruction.ts";
import { parseDockerfile, type ParseOptions } from "../dockerfile/parse_dockerfile.ts";
import { BuilderError } from "../errors.ts";
import { checkPlan } from "../plan/check_plan.ts";
import { makePlan } from "../plan/make_plan.ts";
import type { BaseResolver, Plan, PlanOptions, PlanWarning } from "../plan/plan.ts";
import { cleanPath, type RawPath, rawPath } from "../sys/raw_path.ts";
import type { Services } from "./services.ts";
import { atSource, type DockerfileSource } from "./source_error.ts";

/** What is planned. */
export interface PlanSubject {
  readonly source: DockerfileSource;
  readonly bytes: Uint8Array;
  readonly context: Pick<BuildContext, "ignore">;
  readonly options: PlanOptions;
  readonly resolver: BaseResolver;
}

/** What --check found: warnings by line, and why a build would fail. */
export interface CheckReport {
  readonly source: DockerfileSource;
  readonly warnings: readonly PlanWarning[];
  readonly failure?: BuilderError;
}

/** Plans the build and logs the warnings. Throws SourceErrors. */
export async function planBuild(subject: PlanSubject, services: Services): Promise<Plan> {
  const { source, bytes, resolver, options } = subject;
  const plan = await atSource(source, undefined, async () => {
    const parsed = parseDockerfile(bytes, parseOptions(options, (warnings) => logWarnings(warnings, source, services)));
    return await makePlan(parsed, planOptions(subject), resolver);
  });
  logWarnings(plan.warnings, source, services);
  return plan;
}

/** Applies the build checks. Faults of the Dockerfile are part of the report; throws what is nobody's, such as a stop. */
export async function checkBuild(subject: PlanSubject): Promise<CheckReport> {
  const { source, bytes, resolver, options } = subject;
  const warnings: PlanWarning[] = [];
  try {
    return await atSource(source, undefined, async () => {
      const parsed = parseDockerfile(bytes, parseOptions(options, (found) => warnings.push(...found)));
      const checked = await checkPlan(parsed, planOptions(subject), resolver);
      warnings.push(...checked.warnings);
      if (checked.failure !== undefined) throw checked.failure;
      return { source, warnings };
    });
  } catch (error: unknown) {
    if (!(error instanceof BuilderError) || error.code === "cancelled" || error.code === "internal") throw error;
    return { source, warnings, failure: error };
  }
}

function parseOptions(
  { buildArgs }: PlanOptions,
  onFailure: (warnings: readonly DockerfileWarning[]) => void,
): ParseOptions {
  return { check: buildArgs.get("BUILDKIT_DOCKERFILE_CHECK"), syntax: buildArgs.get("BUILDKIT_SYNTAX"), onFailure };
}

/** As in BuildKit, an ignore file that makes exceptions is not looked at. */
function planOptions({ options, context: { ignore } }: PlanSubject): PlanOptions {
  if (ignore.hasExceptions === true) return options;
  return { ...options, isIgnored: (path) => ignore.matches(cleanPath(rawPath(path)).slice(1) as RawPath) };
}

function logWarnings(warnings: readonly PlanWarning[], source: DockerfileSource, { log }: Services): void {
  for (const { rule, message, range } of warnings) {
    const place = range === undefined ? "" : `${source.path}:${range.startLine}: `;
    log.warn(`${place}${message}${rule === undefined ? "" : ` (${rule})`}`);
  }
}
