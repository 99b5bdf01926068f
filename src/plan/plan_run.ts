/** RUN as a step: the argv with its shell, heredocs given to the shell or made a script, environment and mounts frozen. */
import { type ExpandOptions, expandWord } from "../dockerfile/expand.ts";
import { parseHeredocWord, stripLeadingTabs } from "../dockerfile/heredoc.ts";
import { DockerfileError, type Heredoc, type RunInstruction } from "../dockerfile/instruction.ts";
import type { ContainerConfig } from "../oci/image_config.ts";
import { historyArgs, proxyVariables, runEnv, type StageScope } from "./args.ts";
import { commandArgv, workdirOf } from "./config_state.ts";
import type { CopySource, RunStep } from "./plan.ts";
import { planMounts } from "./plan_mounts.ts";
import { stepTitle } from "./step_title.ts";

/** What a RUN is planned with. */
export interface RunSurroundings {
  readonly scope: StageScope;
  readonly config: ContainerConfig;
  readonly buildArgs: ReadonlyMap<string, string>;
  readonly expand: ExpandOptions;
  /** What `from` of a mount means; the context when it is undefined. */
  readonly mountSource: (from: string | undefined) => CopySource;
}

/** Where a script of a heredoc is shown to the command. */
const SCRIPT_FOLDER = "/dev/pipes";

/** Plans one RUN. Throws DockerfileError for mounts that make no sense, for unknown networks, and for flags that are not supported yet. */
export function planRun(instruction: RunInstruction, surroundings: RunSurroundings): RunStep {
  const network = checkFlags(instruction);
  const { scope, config, buildArgs, expand, mountSource } = surroundings;
  const { argv, script } = readCommand(instruction, config);
  const proxyNames = proxyVariables(buildArgs).map(([name]) => name);
  const mounts = planMounts(instruction, {
    workdir: workdirOf(config),
    expand: (value) => expandWord(value, scope.env, expand),
    source: mountSource,
  });
  return {
    kind: "run",
    range: instruction.range,
    title: stepTitle(instruction),
    history: `RUN ${[...historyArgs(scope), ...argv].join(" ")} # buildkit`,
    argv,
    ...(script === undefined ? {} : { script }),
    env: runEnv(scope, buildArgs),
    ...(proxyNames.length === 0 ? {} : { proxyNames }),
    user: config.User ?? "",
    workdir: workdirOf(config),
    network,
    ...(mounts.length === 0 ? {} : { mounts }),
  };
}

function checkFlags(instruction: RunInstruction): RunStep["network"] {
  const { range, devices, network, security } = instruction;
  const unsupported = (feature: string): never => {
    throw new DockerfileError(`RUN ${feature} is not supported yet`, range);
  };
  if (devices.length > 0) return unsupported("--device");
  if (security === "insecure") return unsupported("--security=insecure");
  if (security !== undefined && security !== "sandbox") {
    throw new DockerfileError(`Cannot use --security="${security}": expected sandbox or insecure`, range);
  }
  if (network === undefined || network === "default") return "default";
  if (network === "none" || network === "host") return network;
  throw new DockerfileError(`Cannot use --network="${network}": expected default, none or host`, range);
}

/**
 * A command that is nothing but a heredoc is its body: run by the shell, or as a program that the shell starts when it begins with `#!` (BuildKit). With
 * other text beside it, line and bodies are put together again, for the shell to read its own heredocs.
 */
function readCommand(instruction: RunInstruction, config: ContainerConfig): Pick<RunStep, "argv" | "script"> {
  const { command, heredocs } = instruction;
  const [heredoc] = heredocs;
  if (command.kind === "exec" || heredoc === undefined) return { argv: commandArgv(config, command) };
  const shell = (text: string): Pick<RunStep, "argv"> => ({ argv: commandArgv(config, { kind: "shell", text }) });
  if (heredocs.length > 1 || parseHeredocWord(command.text.trim()) === undefined) {
    return shell(command.text + heredocs.map(({ content, name }) => `\n${content}${name}`).join(""));
  }
  const content = bodyOf(heredoc);
  if (!content.startsWith("#!")) return shell(content);
  const { name } = heredoc;
  if (name.includes("/") || name === "." || name === "..") {
    throw new DockerfileError(
      `Cannot run heredoc "${name}": the name of a script is that of a file`,
      instruction.range,
    );
  }
  return { ...shell(`${SCRIPT_FOLDER}/${name}`), script: { name, content } };
}

function bodyOf(heredoc: Heredoc): string {
  return heredoc.stripTabs ? stripLeadingTabs(heredoc.content) : heredoc.content;
}
