/**
 * Build checks of single instructions that need expanded words, the config so far or the context: shell forms, relative
 * WORKDIRs, ports, ignored files. Rules and texts are in `dockerfile/check_rules.ts`.
 */
import { checkMessage, type CheckName } from "../dockerfile/check_rules.ts";
import type { CopyInstruction, SourceRange } from "../dockerfile/instruction.ts";
import type { ConfigInstruction, ConfigState } from "./config_state.ts";
import type { PlanWarning } from "./plan.ts";
import { sourceForm } from "./remote_source.ts";

const PORT_WITH_PROTOCOL = /^[^/]*\/([^/]+)$/;
const PATH_OF_ROOT = /^\.?\/*$/;

/** A violation of the rule `name` at `range`. */
export function checkWarning(name: CheckName, range: SourceRange, ...words: readonly string[]): PlanWarning {
  return { rule: name, message: checkMessage(name, ...words), range };
}

/** What is doubtful about `instruction`, its words expanded, where the config stands at `state`. */
export function findDoubts(instruction: ConfigInstruction, state: ConfigState): readonly PlanWarning[] {
  const { range } = instruction;
  switch (instruction.kind) {
    case "CMD":
    case "ENTRYPOINT": {
      const isBare = instruction.command.kind === "shell" && (state.config.Shell ?? []).length === 0;
      return isBare ? [checkWarning("JSONArgsRecommended", range, instruction.kind)] : [];
    }
    case "WORKDIR": {
      const isDoubtful = !state.hasOwnWorkdir && !instruction.path.startsWith("/");
      return isDoubtful ? [checkWarning("WorkdirRelativePath", range, instruction.path)] : [];
    }
    case "EXPOSE":
      return instruction.ports.flatMap((port) => findPortDoubts(port, range));
    default:
      return [];
  }
}

/** The sources of a COPY or ADD from the context, expanded, that the ignore file hides. */
export function findIgnoredSources(
  instruction: CopyInstruction,
  sources: readonly string[],
  isIgnored: (path: string) => boolean,
): readonly PlanWarning[] {
  const verb = instruction.kind === "COPY" ? "Copy" : "Add";
  return sources
    .filter((source) => sourceForm(source) === "path" && !PATH_OF_ROOT.test(source) && isIgnored(source))
    .map((source) => checkWarning("CopyIgnoredFile", instruction.range, verb, source));
}

function findPortDoubts(port: string, range: SourceRange): readonly PlanWarning[] {
  const protocol = PORT_WITH_PROTOCOL.exec(port)?.[1] ?? "";
  return [
    ...(protocol === protocol.toLowerCase() ? [] : [checkWarning("ExposeProtoCasing", range, port)]),
    ...(port.includes(":") ? [checkWarning("ExposeInvalidFormat", range, port)] : []),
  ];
}
