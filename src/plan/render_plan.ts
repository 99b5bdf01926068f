/** The plan as text for people and for golden files: stable, complete in what decides the image, one fact a line. */
import { formatGitReference } from "../context/git_reference.ts";
import { redactUrl } from "../context/remote_url.ts";
import type { SourceRange } from "../dockerfile/instruction.ts";
import type { ContainerConfig } from "../oci/image_config.ts";
import { formatPlatform } from "../oci/platform.ts";
import { formatReference } from "../oci/reference.ts";
import { DEFAULT_PATH } from "./config_state.ts";
import type { CopySource, CopyStep, Plan, PlanWarning, ResolvedImage, RunStep, StagePlan, Step } from "./plan.ts";
import type { RemoteSource } from "./remote_source.ts";
import { renderMounts } from "./render_mounts.ts";

/**
 * Writes `plan`: warnings, then each stage in the order of the build with its base, its steps and its final config. Of the
 * environment of a RUN only what the RUN before it, or the base, had not. Ends with a line feed.
 */
export function renderPlan(plan: Plan): string {
  const epoch = plan.sourceDateEpoch === undefined ? [] : [`source date epoch ${plan.sourceDateEpoch}`];
  const stages = plan.stages.flatMap((stage) => ["", ...renderStage(stage, plan)]);
  const lines = [`target ${stageName(plan.target)}`, ...epoch, ...plan.warnings.map(renderWarning), ...stages];
  return `${lines.join("\n")}\n`;
}

function renderWarning({ rule, message, range }: PlanWarning): string {
  const place = range === undefined ? "" : ` line ${renderRange(range)}`;
  return `warning${place}: ${rule === undefined ? "" : `${rule}: `}${message}`;
}

function renderStage(stage: StagePlan, plan: Plan): readonly string[] {
  let env = baseEnv(stage, plan);
  const steps: string[] = [];
  for (const step of stage.steps) {
    steps.push(`  ${renderRange(step.range)} ${step.kind}: ${step.title}`);
    steps.push(...renderDetails(step, env, plan).map((line) => `      ${line}`));
    steps.push(`      history ${JSON.stringify(step.history)}`);
    if (step.kind === "run") env = new Set(step.env);
  }
  return [
    `stage ${stageName(stage)} for ${formatPlatform(stage.platform)}`,
    `  base ${renderBase(stage, plan)}`,
    ...steps,
    ...(stage.author === undefined ? [] : [`  author ${JSON.stringify(stage.author)}`]),
    "  config",
    ...renderConfig(stage.config).map((line) => `      ${line}`),
  ];
}

function renderBase({ base }: StagePlan, plan: Plan): string {
  switch (base.kind) {
    case "scratch":
      return "scratch";
    case "image":
      return `image ${renderImage(base.image)}`;
    case "stage":
      return `stage ${stageAt(base.stageIndex, plan)}`;
  }
}

function renderDetails(step: Step, knownEnv: ReadonlySet<string>, plan: Plan): readonly string[] {
  switch (step.kind) {
    case "run":
      return renderRun(step, knownEnv, plan);
    case "copy":
      return renderCopy(step, plan);
    case "workdir":
      return [`path ${JSON.stringify(step.path)}`, ...present("user", step.user)];
    case "metadata":
      return [];
  }
}

function renderRun(step: RunStep, knownEnv: ReadonlySet<string>, plan: Plan): readonly string[] {
  const { script, network, proxyNames } = step;
  return [
    `argv ${JSON.stringify(step.argv)}`,
    ...(script === undefined ? [] : [`script ${JSON.stringify(script.name)} ${JSON.stringify(script.content)}`]),
    ...step.env.filter((entry) => !knownEnv.has(entry)).map((entry) => `env ${JSON.stringify(entry)}`),
    ...(proxyNames === undefined ? [] : [`proxies ${proxyNames.join(" ")}`]),
    ...present("user", step.user),
    ...(step.workdir === "/" ? [] : [`workdir ${JSON.stringify(step.workdir)}`]),
    ...(network === "default" ? [] : [`network ${network}`]),
    ...renderMounts(step.mounts ?? [], (source) => renderSource(source, plan)),
  ];
}

function renderCopy(step: CopyStep, plan: Plan): readonly string[] {
  return [
    `from ${renderSource(step.source, plan)}`,
    ...(step.patterns.length === 0 ? [] : [`patterns ${JSON.stringify(step.patterns)}`]),
    ...(step.remotes ?? []).map(renderRemote),
    ...step.inlineFiles.map(({ name, content }) => `file ${JSON.stringify(name)} ${JSON.stringify(content)}`),
    `destination ${JSON.stringify(step.destination)}`,
    ...present("chown", step.chown),
    ...present("chmod", step.chmod),
    ...(step.exclude.length === 0 ? [] : [`exclude ${JSON.stringify(step.exclude)}`]),
    ...(step.unpack ? ["unpack archives"] : []),
    ...(step.parents ? ["keep parents"] : []),
    ...(step.link ? ["link"] : []),
  ];
}

/** The place among the patterns is told where there are any before it. */
function renderRemote(remote: RemoteSource): string {
  const place = remote.position === 0 ? "" : ` after ${remote.position}`;
  if (remote.kind === "git") {
    const { remote: _remote, transport: _transport, ref: _ref, subdir: _subdir, ...rest } = remote.reference;
    const options = Object.entries(rest).map(([key, value]) => ` ${key}=${value}`).sort().join("");
    return `git ${JSON.stringify(formatGitReference(remote.reference))}${place}${options}`;
  }
  const checksum = remote.checksum === undefined ? "" : ` checksum ${remote.checksum}`;
  return `url ${JSON.stringify(redactUrl(remote.url))}${place}${checksum}${remote.unpack ? " unpack" : ""}`;
}

function renderSource(source: CopySource, plan: Plan): string {
  switch (source.kind) {
    case "context":
      return "context";
    case "image":
      return `image ${renderImage(source.image)}`;
    case "named":
      return `build context ${JSON.stringify(source.name)}`;
    case "stage":
      return `stage ${stageAt(source.stageIndex, plan)}`;
  }
}

/** Keys in their sorted order, those of maps too. */
function renderConfig(config: ContainerConfig): readonly string[] {
  return Object.entries(config)
    .filter(([, value]) => value !== undefined && value !== null)
    .sort(([a], [b]) => a < b ? -1 : 1)
    .map(([key, value]) => `${key} ${JSON.stringify(sortKeys(value))}`);
}

function sortKeys(value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).sort(([a], [b]) => a < b ? -1 : 1));
}

/** What the first RUN of a stage need not repeat. */
function baseEnv({ base }: StagePlan, plan: Plan): ReadonlySet<string> {
  switch (base.kind) {
    case "scratch":
      return new Set([`PATH=${DEFAULT_PATH}`]);
    case "image":
      return new Set(base.image.config.config.Env ?? []);
    case "stage":
      return new Set(plan.stages.find(({ index }) => index === base.stageIndex)?.config.Env ?? []);
  }
}

function renderImage({ reference, digest }: ResolvedImage): string {
  return `${formatReference(reference)} ${digest}`;
}

function stageAt(index: number, plan: Plan): string {
  const stage = plan.stages.find((candidate) => candidate.index === index);
  return stage === undefined ? String(index) : stageName(stage);
}

function stageName({ index, name }: StagePlan): string {
  return name === undefined ? String(index) : `${index} "${name}"`;
}

function renderRange({ startLine, endLine }: SourceRange): string {
  return startLine === endLine ? String(startLine) : `${startLine}-${endLine}`;
}

function present(label: string, value: string | undefined): readonly string[] {
  return value === undefined || value === "" ? [] : [`${label} ${JSON.stringify(value)}`];
}
