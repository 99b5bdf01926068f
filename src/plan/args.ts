/**
 * The variables of a build: global ARGs and automatic platform ARGs, and in each stage one ordered list of what ENV and
 * ARG assigned, in which the last assignment wins. Source: Dockerfile reference, ARG scope; BuildKit where that is vague.
 */
import { type ExpandOptions, expandWord } from "../dockerfile/expand.ts";
import type { ArgInstruction, Dockerfile, StageInstruction } from "../dockerfile/instruction.ts";
import { formatPlatform, type Platform } from "../oci/platform.ts";
import { envName } from "./config_state.ts";
import type { PlanOptions } from "./plan.ts";

/** What the FROM lines see, and what a bare ARG of a stage takes its value from. */
export interface GlobalScope {
  readonly values: ReadonlyMap<string, string>;
  /** Names that an ARG before the first FROM declares, and the automatic ones. */
  readonly declared: ReadonlySet<string>;
}

/** The variables in force at one point of a stage. */
export interface StageScope {
  /** What expands and what RUN sees, in order of assignment. */
  readonly env: ReadonlyMap<string, string>;
  /** What ARG has declared, in order of first declaration; undefined for those that have no value. */
  readonly args: ReadonlyMap<string, string | undefined>;
}

/** A changed scope and the history text of the ARG. */
export interface ArgChange {
  readonly scope: StageScope;
  readonly history: string;
}

const SOURCE_DATE_EPOCH = "SOURCE_DATE_EPOCH";
const PROXY_NAMES: readonly string[] = ["HTTP_PROXY", "HTTPS_PROXY", "FTP_PROXY", "NO_PROXY", "ALL_PROXY"];
/** ARGs that speak to the builder: they neither expand nor reach RUN. */
const BUILDER_ONLY_ARGS: ReadonlySet<string> = new Set(["BUILDKIT_SBOM_SCAN_CONTEXT", "BUILDKIT_SBOM_SCAN_STAGE"]);

/** The scope before the first stage. Throws DockerfileError when a default cannot be expanded. */
export function globalScope(dockerfile: Dockerfile, options: PlanOptions): GlobalScope {
  const values = automaticArgs(dockerfile, options);
  const declared = new Set(values.keys());
  const { escape } = dockerfile.directives;
  for (const instruction of dockerfile.globalArgs) {
    for (const { name, value } of instruction.args) {
      declared.add(name);
      const passed = options.buildArgs.get(name);
      if (passed !== undefined) values.set(name, passed);
      else if (value !== undefined) values.set(name, expandWord(value, values, { escape, range: instruction.range }));
    }
  }
  return { values, declared };
}

/** The scope at the start of a stage whose base is an image or scratch, from its environment. */
export function startScope(env: readonly string[]): StageScope {
  return { env: assignAll(new Map(), env), args: new Map() };
}

/**
 * The scope at the start of a stage FROM another: ARGs and their values come along, but the config's environment is
 * assigned anew and so wins over them, as in BuildKit.
 */
export function inheritScope(scope: StageScope, env: readonly string[]): StageScope {
  return { env: assignAll(scope.env, env), args: scope.args };
}

/** Assigns the pairs of an ENV. */
export function assignEnv(scope: StageScope, pairs: readonly (readonly [name: string, value: string])[]): StageScope {
  return { ...scope, env: pairs.reduce((env, [name, value]) => assign(env, name, value), scope.env) };
}

/**
 * Declares the names of an ARG from left to right. A build-arg beats the default, which is then not even expanded;
 * without both, the global value is taken; without that too, the name stays as it is.
 */
export function declareArgs(
  scope: StageScope,
  instruction: ArgInstruction,
  sources: {
    readonly global: GlobalScope;
    readonly buildArgs: ReadonlyMap<string, string>;
    readonly expand: ExpandOptions;
  },
): ArgChange {
  let { env } = scope;
  const args = new Map(scope.args);
  const texts: string[] = [];
  for (const { name, value } of instruction.args) {
    const passed = sources.buildArgs.get(name);
    const fallback = value === undefined ? sources.global.values.get(name) : undefined;
    const given = passed ?? (value === undefined ? fallback : expandWord(value, env, sources.expand));
    if (given !== undefined && !BUILDER_ONLY_ARGS.has(name)) env = assign(env, name, given);
    args.set(name, given);
    texts.push(given === undefined ? name : `${name}=${given}`);
  }
  return { scope: { env, args }, history: `ARG ${texts.join(" ")}` };
}

/** What the history of a RUN puts before its argv: `|2 a=1 b=2`, with today's values, or nothing without ARGs. */
export function historyArgs(scope: StageScope): readonly string[] {
  if (scope.args.size === 0) return [];
  const entries = [...scope.args].map(([name, value]) => `${name}=${scope.env.get(name) ?? value ?? ""}`);
  return [`|${entries.length}`, ...entries];
}

/** Whether an unset `name` is nothing to warn about: declared without a value, or for the builder alone. */
export function isDeclared(scope: StageScope, name: string): boolean {
  return scope.args.has(name) || BUILDER_ONLY_ARGS.has(name);
}

/** The environment of RUN: the scope's, over which the proxy build-args go in both cases. */
export function runEnv(scope: StageScope, buildArgs: ReadonlyMap<string, string>): readonly string[] {
  let { env } = scope;
  for (const [name, value] of proxyVariables(buildArgs)) env = assign(env, name, value);
  return [...env].map(([name, value]) => `${name}=${value}`);
}

/** Proxy variables that build-args set, each in upper and in lower case. They need no ARG. */
export function proxyVariables(buildArgs: ReadonlyMap<string, string>): readonly (readonly [string, string])[] {
  return PROXY_NAMES.flatMap((name) => {
    const value = [...buildArgs].findLast(([key]) => key.toUpperCase() === name)?.[1] ?? "";
    return value === "" ? [] : [[name, value], [name.toLowerCase(), value]] as const;
  });
}

/**
 * The build-args that no ARG among `instructions` or before the first FROM declares and that have no meaning of their
 * own: most likely typing errors.
 */
export function unusedBuildArgs(
  buildArgs: ReadonlyMap<string, string>,
  scope: GlobalScope,
  instructions: Iterable<StageInstruction>,
): readonly string[] {
  const declared = new Set(scope.declared);
  for (const instruction of instructions) {
    if (instruction.kind === "ARG") instruction.args.forEach(({ name }) => declared.add(name));
  }
  return [...buildArgs.keys()].filter((name) => !declared.has(name) && !hasOwnMeaning(name));
}

/** The ARGs that exist without being declared, for FROM lines; build-args override them. */
function automaticArgs(dockerfile: Dockerfile, options: PlanOptions): Map<string, string> {
  const { buildPlatform, targetPlatform, target, buildArgs } = options;
  const stage = target ?? dockerfile.stages.at(-1)?.from.stageName ?? "default";
  const automatic = [
    ...platformArgs("BUILD", buildPlatform),
    ...platformArgs("TARGET", targetPlatform),
    ["TARGETSTAGE", stage],
  ] as const;
  return new Map(automatic.map(([name, value]) => [name, buildArgs.get(name) ?? value]));
}

function platformArgs(prefix: string, platform: Platform): readonly (readonly [string, string])[] {
  return [
    [`${prefix}PLATFORM`, formatPlatform(platform)],
    [`${prefix}OS`, platform.os],
    [`${prefix}OSVERSION`, ""],
    [`${prefix}ARCH`, platform.architecture],
    [`${prefix}VARIANT`, platform.variant ?? ""],
  ];
}

function hasOwnMeaning(name: string): boolean {
  return name.startsWith("BUILDKIT_") || name === SOURCE_DATE_EPOCH || PROXY_NAMES.includes(name.toUpperCase());
}

function assignAll(env: ReadonlyMap<string, string>, entries: readonly string[]): ReadonlyMap<string, string> {
  const next = new Map(env);
  for (const entry of entries) {
    const name = envName(entry);
    next.delete(name);
    next.set(name, entry.slice(name.length + 1));
  }
  return next;
}

/** The latest assignment goes last, wherever the name stood before. */
function assign(env: ReadonlyMap<string, string>, name: string, value: string): ReadonlyMap<string, string> {
  return assignAll(env, [`${name}=${value}`]);
}
