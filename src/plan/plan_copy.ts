/** COPY and ADD as steps: words expanded, remote sources told apart, heredocs turned into files, the destination made absolute. */
import { redactCredentials } from "../context/remote_url.ts";
import { expandHeredoc, type ExpandOptions, expandWord } from "../dockerfile/expand.ts";
import { type CopyInstruction, DockerfileError } from "../dockerfile/instruction.ts";
import type { StageScope } from "./args.ts";
import { resolveDestination } from "./container_path.ts";
import { isFileMode } from "./file_mode.ts";
import type { CopySource, CopyStep } from "./plan.ts";
import { splitSources } from "./remote_source.ts";
import { stepTitle } from "./step_title.ts";

/** What a COPY or ADD is planned with. */
export interface CopySurroundings {
  readonly scope: StageScope;
  readonly workdir: string;
  readonly source: CopySource;
  readonly expand: ExpandOptions;
}

/** Plans one COPY or ADD. Throws DockerfileError for bad modes, and remote sources and their flags where they make no sense. */
export function planCopy(instruction: CopyInstruction, surroundings: CopySurroundings): CopyStep {
  const { scope, workdir, source, expand } = surroundings;
  const word = (text: string): string => expandWord(text, scope.env, expand);
  const words = instruction.sources.map(word);
  const { patterns, remotes } = splitSources(words, word(instruction.checksum ?? ""), instruction);
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
    history: formatHistory(instruction, { chown, chmod, words, destination }),
    instruction: instruction.kind,
    source,
    patterns,
    ...(remotes.length === 0 ? {} : { remotes }),
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

/** `--from`, `--exclude` and the rest are not shown, as in BuildKit; neither are logins of URLs. */
function formatHistory(
  instruction: CopyInstruction,
  expanded: {
    readonly words: readonly string[];
    readonly destination: string;
    readonly chown: string;
    readonly chmod: string;
  },
): string {
  const { chown, chmod, words, destination } = expanded;
  const shown = [
    instruction.kind,
    ...(instruction.parents ? ["--parents"] : []),
    ...(chown === "" ? [] : [`--chown=${chown}`]),
    ...(chmod === "" ? [] : [`--chmod=${chmod}`]),
    ...words.map(redactCredentials),
    ...instruction.heredocs.map(({ name }) => `<<${name}`),
    destination,
  ];
  return `${shown.join(" ")} # buildkit`;
}
