/**
 * Build checks about upper and lower case: instructions, stage names, AS.
 */
import { checkMessage } from "./check_rules.ts";
import type { Finding, ParsedLine } from "./checks.ts";
import { splitBlanks } from "./words.ts";

/** Stage names that are not lower-case. */
export function findStageNameFaults(parsed: readonly ParsedLine[]): readonly Finding[] {
  return parsed.flatMap((at) => {
    const name = stageWords(at)?.name ?? "";
    return name === name.toLowerCase() ? [] : [{ at, message: checkMessage("StageNameCasing", name) }];
  });
}

/** AS written in another case than its FROM; a FROM of mixed case is another rule's business. */
export function findFromAsFaults(parsed: readonly ParsedLine[]): readonly Finding[] {
  return parsed.flatMap((at) => {
    const words = stageWords(at);
    const from = at.line.keyword;
    if (words === undefined || !isOneCase(from) || isLower(from) === isLower(words.as)) return [];
    return [{ at, message: checkMessage("FromAsCasing", words.as, from) }];
  });
}

/** Instructions whose case is not that of the majority; upper case wins a tie. */
export function findCasingFaults(parsed: readonly ParsedLine[]): readonly Finding[] {
  const keywords = parsed.map(({ line }) => line.keyword).filter(isOneCase);
  const isLowerFile = keywords.filter(isLower).length * 2 > keywords.length;
  return parsed.flatMap((at) => {
    const { keyword } = at.line;
    const isRight = isLowerFile ? isLower(keyword) : keyword === keyword.toUpperCase();
    if (isRight) return [];
    const casing = isLowerFile ? "lowercase" : "uppercase";
    return [{ at, message: checkMessage("ConsistentInstructionCasing", keyword, casing) }];
  });
}

function stageWords({ line, instruction }: ParsedLine): { readonly as: string; readonly name: string } | undefined {
  if (instruction.kind !== "FROM" || instruction.stageName === undefined) return undefined;
  const [, as = "", name = ""] = splitBlanks(line.rest);
  return { as, name };
}

function isLower(text: string): boolean {
  return text === text.toLowerCase();
}

function isOneCase(text: string): boolean {
  return isLower(text) || text === text.toUpperCase();
}
