/**
 * Writes instructions as the text of a Dockerfile, the inverse of parsing: only for trees that a parse can give. The
 * escape character is the backslash. For the property that parse and format are inverse.
 */
import type {
  CommandForm,
  CopyInstruction,
  Dockerfile,
  HealthcheckInstruction,
  Heredoc,
  Instruction,
  RunInstruction,
} from "../../src/dockerfile/instruction.ts";

/** The text of `dockerfile`, one instruction a line, its directives first. */
export function formatDockerfile({ directives, globalArgs, stages }: Dockerfile): string {
  const { syntax, check } = directives;
  const head = [
    ...(syntax === undefined ? [] : [`# syntax=${syntax}`]),
    ...(check === undefined ? [] : [`# check=${check}`]),
  ];
  const body = [...globalArgs, ...stages.flatMap(({ from, instructions }) => [from, ...instructions])];
  return [...head, ...body.map(formatInstruction)].map((line) => `${line}\n`).join("");
}

/** The text of one instruction, heredoc bodies included, without a line feed at the end. */
export function formatInstruction(instruction: Instruction): string {
  const skipped = instruction.skippedChecks ?? [];
  const comment = skipped.length === 0 ? "" : `# check=skip=${skipped.join(",")}\n`;
  const { line, heredocs } = formatParts(instruction);
  const bodies = heredocs.map(({ content, name }) => `\n${content}${name}`);
  return `${comment}${instruction.kind}${line === "" ? "" : ` ${line}`}${bodies.join("")}`;
}

interface Parts {
  readonly line: string;
  readonly heredocs: readonly Heredoc[];
}

function formatParts(instruction: Instruction): Parts {
  switch (instruction.kind) {
    case "RUN":
      return {
        line: joinWords([...runFlags(instruction), afterFlags(formatCommand(instruction.command))]),
        heredocs: instruction.heredocs,
      };
    case "COPY":
    case "ADD":
      return formatCopy(instruction);
    default:
      return { line: formatLine(instruction), heredocs: [] };
  }
}

function formatLine(instruction: Exclude<Instruction, RunInstruction | CopyInstruction>): string {
  switch (instruction.kind) {
    case "FROM": {
      const { image, platform, stageName } = instruction;
      return joinWords([...flag("platform", platform), image, ...(stageName === undefined ? [] : ["AS", stageName])]);
    }
    case "ENV":
    case "LABEL": {
      const { isLegacy, pairs } = instruction;
      return joinWords(pairs.map(({ key, value }) => isLegacy ? `${key} ${value}` : `${key}=${value}`));
    }
    case "ARG":
      return joinWords(instruction.args.map(({ name, value }) => value === undefined ? name : `${name}=${value}`));
    case "WORKDIR":
      return instruction.path;
    case "USER":
      return instruction.user;
    case "EXPOSE":
      return joinWords(instruction.ports);
    case "VOLUME":
      return JSON.stringify(instruction.paths);
    case "STOPSIGNAL":
      return instruction.signal;
    case "CMD":
    case "ENTRYPOINT":
      return afterFlags(formatCommand(instruction.command));
    case "SHELL":
      return JSON.stringify(instruction.argv);
    case "HEALTHCHECK":
      return formatHealthcheck(instruction);
    case "ONBUILD":
      return instruction.trigger;
    case "MAINTAINER":
      return instruction.author;
  }
}

function formatCommand(command: CommandForm): string {
  return command.kind === "shell" ? command.text : JSON.stringify(command.argv);
}

function runFlags({ mounts, network, security, devices }: RunInstruction): readonly string[] {
  return [
    ...mounts.flatMap(({ text }) => flag("mount", text)),
    ...flag("network", network),
    ...flag("security", security),
    ...devices.flatMap((device) => flag("device", device)),
  ];
}

/** Without heredocs in JSON form, which holds any path; with heredocs as words. */
function formatCopy(instruction: CopyInstruction): Parts {
  const { sources, heredocs, destination, keepGitDir, unpack } = instruction;
  const flags = [
    ...flag("from", instruction.from),
    ...flag("chown", instruction.chown),
    ...flag("chmod", instruction.chmod),
    ...flag("checksum", instruction.checksum),
    ...(instruction.link ? ["--link"] : []),
    ...(instruction.parents ? ["--parents"] : []),
    ...(keepGitDir === undefined ? [] : [`--keep-git-dir=${keepGitDir}`]),
    ...(unpack === undefined ? [] : [`--unpack=${unpack}`]),
    ...instruction.exclude.flatMap((pattern) => flag("exclude", pattern)),
  ];
  if (heredocs.length === 0) {
    return { line: joinWords([...flags, JSON.stringify([...sources, destination])]), heredocs };
  }
  return { line: joinWords([...flags, ...sources, ...heredocs.map(formatHeredocWord), destination]), heredocs };
}

function formatHeredocWord({ name, expand, stripTabs, fd }: Heredoc): string {
  return `${fd === 0 ? "" : fd}<<${stripTabs ? "-" : ""}${expand ? name : `"${name}"`}`;
}

function formatHealthcheck(instruction: HealthcheckInstruction): string {
  const { command, interval, timeout, startPeriod, startInterval, retries } = instruction;
  if (command === undefined) return "NONE";
  const duration = (name: string, ns: number | undefined): readonly string[] =>
    flag(name, ns === undefined ? undefined : `${ns}ns`);
  return joinWords([
    ...duration("interval", interval),
    ...duration("timeout", timeout),
    ...duration("start-period", startPeriod),
    ...duration("start-interval", startInterval),
    ...flag("retries", retries?.toString()),
    "CMD",
    formatCommand(command),
  ]);
}

/** Every character is escaped that flags treat in a special way. */
function flag(name: string, value: string | undefined): readonly string[] {
  return value === undefined ? [] : [`--${name}=${value.replace(/[\\"'\s]/g, "\\$&")}`];
}

/** `--` ends the flags where what follows would be taken for one. */
function afterFlags(text: string): string {
  return text.startsWith("--") ? `-- ${text}` : text;
}

function joinWords(words: readonly string[]): string {
  return words.filter((word) => word !== "").join(" ");
}
