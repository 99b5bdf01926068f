/** COPY and ADD as steps: words expanded, heredocs turned into files, the destination made absolute. */
import { expandHeredoc, type ExpandOptions, expandWord } from "../dockerfile/expand.ts";
import { type CopyInstruction, DockerfileError } from "../dockerfile/instruction.ts";
import type { StageScope } from "./args.ts";
import { resolveDestination } from "./container_path.ts";
import { isFileMode } from "./file_mode.ts";
import type { CopySource, CopyStep } from "./plan.ts";
import { sourceForm } from "./remote_source.ts";
import { stepTitle } from "./step_title.ts";

/** What a COPY or ADD is planned with. */
export interface CopySurroundings {
  readonly scope: StageScope;
  readonly workdir: string;
  readonly source: CopySource;
  readonly expand: ExpandOptions;
}

/** Plans one COPY or ADD. Throws DockerfileError for bad modes, remote sources, and flags that are not supported yet. */
export function planCopy(instruction: CopyInstruction, surroundings: CopySurroundings): CopyStep {
  checkSupported(instruction);
  const { scope, workdir, source, expand } = surroundings;
  const word = (text: string): string => expandWord(text, scope.env, expand);
  const patterns = instruction.sources.map(word);
  for (const pattern of patterns) checkLocal(instruction, pattern);
  const destination = word(instruction.destination);
  const chown = word(instruction.chown ?? "");
  const chmod = word(instruction.chmod ?? "");
  if (chmod !== "" && !isFileMode(chmod)) {
    const reason = "expected an octal number between 0 and 07777, or a symbolic mode such as u=rwX,go=rX";
    throw new DockerfileError(`Cannot use --chmod="${chmod}": ${reason}`, instruction.range);
  }
  return {
    kind: "copy",
    range: instruction.range,
    title: stepTitle(instruction),
    history: formatHistory(instruction, { chown, chmod, patterns, destination }),
    instruction: instruction.kind,
    source,
    patterns,
    inlineFiles: inlineFiles(instruction, surroundings),
    destination: resolveDestination(workdir, destination),
    ...(chown === "" ? {} : { chown }),
    ...(chmod === "" ? {} : { chmod }),
    exclude: instruction.exclude,
    unpack: instruction.kind === "ADD" && instruction.unpack !== false,
    parents: instruction.parents,
    // BuildKit makes a plain copy where a mode is given.
    link: instruction.link && chmod === "",
  };
}

function checkSupported(instruction: CopyInstruction): void {
  const flags: readonly (readonly [flag: string, isUsed: boolean])[] = [
    ["--checksum", instruction.checksum !== undefined],
    ["--keep-git-dir", instruction.keepGitDir === true],
  ];
  const used = flags.find(([, isUsed]) => isUsed);
  if (used === undefined) return;
  throw new DockerfileError(`${instruction.kind} ${used[0]} is not supported yet`, instruction.range);
}

function checkLocal(instruction: CopyInstruction, pattern: string): void {
  const form = sourceForm(pattern);
  if (form === "path") return;
  const what = form === "git" ? "a git repository" : "a URL";
  if (instruction.kind === "ADD") {
    throw new DockerfileError(`ADD of ${what} is not supported yet: "${pattern}"`, instruction.range);
  }
  const hint = `ADD, unlike COPY, takes ${what}`;
  throw new DockerfileError(`Cannot copy "${pattern}": a source of COPY cannot be ${what}`, instruction.range, {
    hint,
  });
}

/** A name that stands twice means the last body, at the place of the first. Of a path only the last component counts. */
function inlineFiles(instruction: CopyInstruction, { scope, expand }: CopySurroundings): CopyStep["inlineFiles"] {
  const contents = new Map(instruction.heredocs.map((heredoc) => {
    const name = heredoc.name.split("/").at(-1) ?? "";
    if (name === "" || name === "." || name === "..") {
      throw new DockerfileError(`Cannot make a file of heredoc "${heredoc.name}": it names no file`, instruction.range);
    }
    return [name, expandHeredoc(heredoc, scope.env, expand)];
  }));
  return [...contents].map(([name, content]) => ({ name, content }));
}

/** `--from`, `--exclude` and the rest are not shown, as in BuildKit. */
function formatHistory(
  instruction: CopyInstruction,
  expanded: Pick<CopyStep, "patterns" | "destination"> & { readonly chown: string; readonly chmod: string },
): string {
  const { chown, chmod, patterns, destination } = expanded;
  const words = [
    instruction.kind,
    ...(instruction.parents ? ["--parents"] : []),
    ...(chown === "" ? [] : [`--chown=${chown}`]),
    ...(chmod === "" ? [] : [`--chmod=${chmod}`]),
    ...patterns,
    ...instruction.heredocs.map(({ name }) => `<<${name}`),
    destination,
  ];
  return `${words.join(" ")} # buildkit`;
}
