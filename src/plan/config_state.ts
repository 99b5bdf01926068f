/**
 * The image config as the instructions of a stage change it, one pure step at a time, and the history text of each step
 * as BuildKit writes it. Source: Dockerfile reference; image-spec config.md.
 */
import {
  type CommandForm,
  type CommandInstruction,
  DockerfileError,
  type EnvInstruction,
  type ExposeInstruction,
  type HealthcheckInstruction,
  type LabelInstruction,
  type MaintainerInstruction,
  type OnbuildInstruction,
  type ShellInstruction,
  type StopSignalInstruction,
  type UserInstruction,
  type VolumeInstruction,
  type WorkdirInstruction,
} from "../dockerfile/instruction.ts";
import type { ContainerConfig, Healthcheck, ImageConfig } from "../oci/image_config.ts";
import { resolvePath, resolveWorkdir } from "./container_path.ts";
import { parsePorts } from "./expose_ports.ts";
import { formatGoDuration, formatGoList, quoteGoInteger, quoteGoList } from "./go_format.ts";
import { isStopSignal } from "./stop_signal.ts";

/** What a stage's instructions have made of the image config so far. */
export interface ConfigState {
  readonly config: ContainerConfig;
  readonly author?: string;
  /** Whether this very stage has had a CMD, which ENTRYPOINT then leaves alone. */
  readonly hasOwnCommand: boolean;
  /** Whether a WORKDIR of this Dockerfile, not of a base image, has been in force. */
  readonly hasOwnWorkdir?: boolean;
}

/** Instructions that change the config; their words already expanded. */
export type ConfigInstruction =
  | EnvInstruction
  | LabelInstruction
  | WorkdirInstruction
  | UserInstruction
  | ExposeInstruction
  | VolumeInstruction
  | StopSignalInstruction
  | CommandInstruction
  | ShellInstruction
  | HealthcheckInstruction
  | OnbuildInstruction
  | MaintainerInstruction;

/** A changed state, and the `created_by` of the history entry; undefined when there is no entry (ONBUILD). */
export interface ConfigChange {
  readonly state: ConfigState;
  readonly history?: string;
}

/** The PATH of images that set none. */
export const DEFAULT_PATH = "/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin";
const DEFAULT_SHELL: readonly string[] = ["/bin/sh", "-c"];

/** The state at the start of a stage FROM scratch: a PATH, and "/" as working directory. */
export function scratchState(): ConfigState {
  return { config: { Env: [`PATH=${DEFAULT_PATH}`], WorkingDir: "/" }, hasOwnCommand: false };
}

/** The state at the start of a stage FROM an image: its config and author, PATH added when it has none, ONBUILD spent. */
export function imageState(image: ImageConfig): ConfigState {
  const { Env, ...config } = withoutKey(image.config, "OnBuild");
  const env = Env ?? [];
  const hasPath = env.some((entry) => envName(entry) === "PATH");
  const started = {
    config: { ...config, Env: hasPath ? env : [...env, `PATH=${DEFAULT_PATH}`] },
    hasOwnCommand: false,
  };
  return image.author === undefined ? started : { ...started, author: image.author };
}

/** The state at the start of a stage FROM another stage, given that one's last state. */
export function inheritedState(state: ConfigState): ConfigState {
  return { ...state, config: withoutKey(state.config, "OnBuild"), hasOwnCommand: false };
}

/** Applies one instruction. Throws DockerfileError when a value means nothing (ports, signals, empty volumes). */
export function applyInstruction(state: ConfigState, instruction: ConfigInstruction): ConfigChange {
  const { config } = state;
  switch (instruction.kind) {
    case "ENV":
      return change(state, { Env: mergeEnv(config.Env ?? [], instruction) }, `ENV ${formatPairs(instruction)}`);
    case "LABEL":
      return change(state, { Labels: mergeLabels(config.Labels, instruction) }, `LABEL ${formatPairs(instruction)}`);
    case "WORKDIR": {
      const path = resolveWorkdir(config.WorkingDir ?? "", instruction.path);
      return change({ ...state, hasOwnWorkdir: true }, { WorkingDir: path }, `WORKDIR ${path}`);
    }
    case "USER":
      return applyUser(state, instruction);
    case "EXPOSE":
      return applyExpose(state, instruction);
    case "VOLUME":
      return applyVolume(state, instruction);
    case "STOPSIGNAL":
      return applyStopSignal(state, instruction);
    case "CMD":
      return applyCommand(state, instruction);
    case "ENTRYPOINT":
      return applyEntrypoint(state, instruction);
    case "SHELL":
      return change(state, { Shell: instruction.argv }, `SHELL ${formatGoList(instruction.argv)}`);
    case "HEALTHCHECK": {
      const check = healthcheckOf(instruction);
      return change(state, { Healthcheck: check }, `HEALTHCHECK ${formatHealthcheck(check)}`);
    }
    case "ONBUILD":
      return change(state, { OnBuild: [...(config.OnBuild ?? []), instruction.trigger] });
    case "MAINTAINER":
      return { state: { ...state, author: instruction.author }, history: `MAINTAINER ${instruction.author}` };
  }
}

/** Sets labels over those that are there, without history: what `--label` does. */
export function applyLabels(state: ConfigState, labels: ReadonlyMap<string, string>): ConfigState {
  if (labels.size === 0) return state;
  return { ...state, config: { ...state.config, Labels: { ...state.config.Labels, ...Object.fromEntries(labels) } } };
}

/** The argv of a command: in shell form the config's SHELL, or `/bin/sh -c`, is put before the text. */
export function commandArgv(config: ContainerConfig, command: CommandForm): readonly string[] {
  if (command.kind === "exec") return command.argv;
  const shell = config.Shell ?? [];
  return [...(shell.length === 0 ? DEFAULT_SHELL : shell), command.text];
}

/** The directory that relative paths start from. */
export function workdirOf(config: ContainerConfig): string {
  return resolvePath("/", config.WorkingDir ?? "");
}

/** The name of a "NAME=value" entry; the whole entry when it has no "=". */
export function envName(entry: string): string {
  const equals = entry.indexOf("=");
  return equals < 0 ? entry : entry.slice(0, equals);
}

function change(state: ConfigState, changed: Partial<ContainerConfig>, history?: string): ConfigChange {
  const next = { ...state, config: { ...state.config, ...changed } };
  return history === undefined ? { state: next } : { state: next, history };
}

function applyUser(state: ConfigState, instruction: UserInstruction): ConfigChange {
  const history = `USER ${instruction.user}`;
  if (instruction.user !== "") return change(state, { User: instruction.user }, history);
  return { state: { ...state, config: withoutKey(state.config, "User") }, history };
}

function applyExpose(state: ConfigState, instruction: ExposeInstruction): ConfigChange {
  const ports = parsePorts(instruction.ports, instruction.range);
  const added = Object.fromEntries(ports.map((port) => [port, {}]));
  return change(
    state,
    { ExposedPorts: { ...state.config.ExposedPorts, ...added } },
    `EXPOSE ${formatGoList(ports)}`,
  );
}

function applyVolume(state: ConfigState, instruction: VolumeInstruction): ConfigChange {
  if (instruction.paths.includes("")) {
    throw new DockerfileError("Cannot declare volume: the path is empty", instruction.range);
  }
  const added = Object.fromEntries(instruction.paths.map((path) => [path, {}]));
  const history = `VOLUME ${formatGoList(instruction.paths)}`;
  return change(state, { Volumes: { ...state.config.Volumes, ...added } }, history);
}

function applyStopSignal(state: ConfigState, instruction: StopSignalInstruction): ConfigChange {
  const { signal } = instruction;
  if (!isStopSignal(signal)) {
    throw new DockerfileError(`Cannot set stop signal "${signal}": there is no such signal`, instruction.range);
  }
  return change(state, { StopSignal: signal }, `STOPSIGNAL ${signal}`);
}

/** ArgsEscaped is set on every platform, as BuildKit does. */
function applyCommand(state: ConfigState, instruction: CommandInstruction): ConfigChange {
  const argv = commandArgv(state.config, instruction.command);
  const changed = change(state, { Cmd: argv, ArgsEscaped: true }, `CMD ${quoteGoList(argv)}`);
  return { ...changed, state: { ...changed.state, hasOwnCommand: true } };
}

/** An ENTRYPOINT makes the CMD of the base meaningless, so that goes; one of this stage stays. */
function applyEntrypoint(state: ConfigState, instruction: CommandInstruction): ConfigChange {
  const argv = commandArgv(state.config, instruction.command);
  const cleared = state.hasOwnCommand ? state.config : withoutKey(state.config, "Cmd");
  const config = argv.length === 0 ? withoutKey(cleared, "Entrypoint") : { ...cleared, Entrypoint: argv };
  return { state: { ...state, config }, history: `ENTRYPOINT ${quoteGoList(argv)}` };
}

function mergeEnv(env: readonly string[], instruction: EnvInstruction): readonly string[] {
  const merged = [...env];
  for (const { key, value } of instruction.pairs) {
    if (key === "") throw new DockerfileError("Cannot set environment variable: the name is blank", instruction.range);
    const index = merged.findIndex((entry) => envName(entry) === key);
    if (index < 0) merged.push(`${key}=${value}`);
    else merged[index] = `${key}=${value}`;
  }
  return merged;
}

function mergeLabels(labels: ContainerConfig["Labels"], instruction: LabelInstruction): Record<string, string> {
  return { ...labels, ...Object.fromEntries(instruction.pairs.map(({ key, value }) => [key, value])) };
}

function formatPairs(instruction: EnvInstruction | LabelInstruction): string {
  return instruction.pairs.map(({ key, value }) => `${key}=${value}`).join(" ");
}

/** Zero durations and retries mean "inherit" and are left out. The shell form is not resolved against SHELL. */
function healthcheckOf(instruction: HealthcheckInstruction): Healthcheck {
  const { command, interval, timeout, startPeriod, startInterval, retries } = instruction;
  if (command === undefined) return { Test: ["NONE"] };
  const test = command.kind === "exec" ? ["CMD", ...command.argv] : ["CMD-SHELL", command.text];
  return {
    Test: test,
    ...(interval ? { Interval: interval } : {}),
    ...(timeout ? { Timeout: timeout } : {}),
    ...(startPeriod ? { StartPeriod: startPeriod } : {}),
    ...(startInterval ? { StartInterval: startInterval } : {}),
    ...(retries ? { Retries: retries } : {}),
  };
}

/** BuildKit prints the structure itself, with `%q`. */
function formatHealthcheck(check: Healthcheck): string {
  const durations = [check.Interval, check.Timeout, check.StartPeriod, check.StartInterval]
    .map((duration) => `"${formatGoDuration(duration ?? 0)}"`);
  return `&{${[quoteGoList(check.Test ?? []), ...durations, quoteGoInteger(check.Retries ?? 0)].join(" ")}}`;
}

function withoutKey<Key extends keyof ContainerConfig>(config: ContainerConfig, key: Key): Omit<ContainerConfig, Key> {
  const { [key]: _dropped, ...rest } = config;
  return rest;
}
