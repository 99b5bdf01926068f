/**
 * The syntax tree of a Dockerfile: what was written, before any variable is expanded. Pure data; text fields are the
 * words as written, quotes and `$` included, where the instruction expands them later. Source: Dockerfile reference.
 */
import { BuilderError, type BuilderErrorOptions, type ErrorCode } from "../errors.ts";

/** Lines of the Dockerfile, 1-based and inclusive. */
export interface SourceRange {
  readonly startLine: number;
  readonly endLine: number;
}

/** Options of a {@link DockerfileError}. */
export interface DockerfileErrorOptions extends BuilderErrorOptions {
  readonly others?: readonly DockerfileError[] | undefined;
}

/** A fault in a Dockerfile. There is always a line to blame: the first of an empty file. */
export class DockerfileError extends BuilderError {
  readonly code = "dockerfile";
  /** Further faults that the same parse found, in the order of their lines. */
  readonly others: readonly DockerfileError[];
  constructor(message: string, readonly range: SourceRange, options: DockerfileErrorOptions = {}) {
    super(message, options);
    this.others = options.others ?? [];
  }
}

/** A failure of something that an instruction asked for, such as a base image; code and message are the failure's. */
export class InstructionError extends BuilderError {
  readonly code: ErrorCode;
  constructor(override readonly cause: BuilderError, readonly range: SourceRange) {
    super(cause.message, { cause, hint: cause.hint });
    this.code = cause.code;
  }
}

/** One heredoc: its name (the delimiter), its body with its own line ends, and how it is to be read. */
export interface Heredoc {
  readonly name: string;
  /** Raw body as written; with `stripTabs` its leading tabs are stripped at use, not here. */
  readonly content: string;
  /** False when the delimiter was quoted: no variables are expanded in the body. */
  readonly expand: boolean;
  /** `<<-`: leading tabs of each line are dropped. */
  readonly stripTabs: boolean;
  /** The file descriptor before `<<`, 0 when none is written. */
  readonly fd: number;
}

/** Command words of RUN, CMD, ENTRYPOINT, HEALTHCHECK: one shell string, or an argv in JSON form. */
export type CommandForm =
  | { readonly kind: "shell"; readonly text: string }
  | { readonly kind: "exec"; readonly argv: readonly string[] };

/** What all instructions carry. `raw` is the logical line as joined, without heredoc bodies. */
interface InstructionBase {
  readonly range: SourceRange;
  readonly raw: string;
  /** Build checks that a comment right above turns off (`# check=skip=...`), lower-cased; absent when there are none. */
  readonly skippedChecks?: readonly string[];
}

/** `key=value` of ENV, LABEL; both sides unexpanded, with quotes. */
export interface KeyValue {
  readonly key: string;
  readonly value: string;
}

export interface FromInstruction extends InstructionBase {
  readonly kind: "FROM";
  readonly image: string;
  readonly platform?: string;
  /** Lower-cased. */
  readonly stageName?: string;
}

/** One `--mount`, its key=value fields in order, unexpanded; meaning and checks belong to the planner. */
export interface MountFlag {
  readonly text: string;
}

export interface RunInstruction extends InstructionBase {
  readonly kind: "RUN";
  readonly command: CommandForm;
  readonly heredocs: readonly Heredoc[];
  readonly mounts: readonly MountFlag[];
  readonly network?: string;
  readonly security?: string;
  readonly devices: readonly string[];
}

/** COPY and ADD share their shape; flags that one of them lacks are rejected by the parser. */
export interface CopyInstruction extends InstructionBase {
  readonly kind: "COPY" | "ADD";
  /** Unexpanded source words; heredocs are not among them. */
  readonly sources: readonly string[];
  readonly heredocs: readonly Heredoc[];
  readonly destination: string;
  readonly from?: string;
  readonly chown?: string;
  readonly chmod?: string;
  readonly link: boolean;
  readonly parents: boolean;
  readonly exclude: readonly string[];
  readonly checksum?: string;
  readonly keepGitDir?: boolean;
  readonly unpack?: boolean;
}

export interface EnvInstruction extends InstructionBase {
  readonly kind: "ENV";
  readonly pairs: readonly KeyValue[];
  /** `ENV key value`, the form without "=". */
  readonly isLegacy: boolean;
}

export interface LabelInstruction extends InstructionBase {
  readonly kind: "LABEL";
  readonly pairs: readonly KeyValue[];
  readonly isLegacy: boolean;
}

export interface ArgInstruction extends InstructionBase {
  readonly kind: "ARG";
  readonly args: readonly { readonly name: string; readonly value?: string }[];
}

export interface WorkdirInstruction extends InstructionBase {
  readonly kind: "WORKDIR";
  readonly path: string;
}

export interface UserInstruction extends InstructionBase {
  readonly kind: "USER";
  readonly user: string;
}

export interface ExposeInstruction extends InstructionBase {
  readonly kind: "EXPOSE";
  readonly ports: readonly string[];
}

export interface VolumeInstruction extends InstructionBase {
  readonly kind: "VOLUME";
  readonly paths: readonly string[];
}

export interface StopSignalInstruction extends InstructionBase {
  readonly kind: "STOPSIGNAL";
  readonly signal: string;
}

/** CMD and ENTRYPOINT. */
export interface CommandInstruction extends InstructionBase {
  readonly kind: "CMD" | "ENTRYPOINT";
  readonly command: CommandForm;
}

export interface ShellInstruction extends InstructionBase {
  readonly kind: "SHELL";
  readonly argv: readonly string[];
}

/** Durations in nanoseconds; absent means "not given". */
export interface HealthcheckInstruction extends InstructionBase {
  readonly kind: "HEALTHCHECK";
  /** undefined for NONE. */
  readonly command?: CommandForm;
  readonly interval?: number;
  readonly timeout?: number;
  readonly startPeriod?: number;
  readonly startInterval?: number;
  readonly retries?: number;
}

export interface OnbuildInstruction extends InstructionBase {
  readonly kind: "ONBUILD";
  /** The trigger's text, heredoc bodies re-attached, as it is stored in the image config. */
  readonly trigger: string;
}

export interface MaintainerInstruction extends InstructionBase {
  readonly kind: "MAINTAINER";
  readonly author: string;
}

/** Any instruction of a stage, FROM excluded. */
export type StageInstruction =
  | RunInstruction
  | CopyInstruction
  | EnvInstruction
  | LabelInstruction
  | ArgInstruction
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

export type Instruction = FromInstruction | StageInstruction;

/** One stage: its FROM and what follows. `index` counts from 0 in the order of the file. */
export interface Stage {
  readonly index: number;
  readonly from: FromInstruction;
  readonly instructions: readonly StageInstruction[];
}

/** Parser directives at the top of the file (Dockerfile reference, parser directives). */
export interface Directives {
  readonly syntax?: string;
  readonly escape: "\\" | "`";
  readonly check?: string;
}

/** Something that is worth a word but not a failure; `rule` names the build check. */
export interface DockerfileWarning {
  readonly rule: string;
  readonly message: string;
  readonly range: SourceRange;
}

/** A parsed Dockerfile. `globalArgs` are the ARGs before the first FROM. */
export interface Dockerfile {
  readonly directives: Directives;
  readonly globalArgs: readonly ArgInstruction[];
  readonly stages: readonly Stage[];
  readonly warnings: readonly DockerfileWarning[];
}
