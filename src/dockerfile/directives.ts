/**
 * Parser directives: the `# key=value` lines at the very top of a Dockerfile (Dockerfile reference, parser directives).
 */
import { findRule } from "./check_rules.ts";
import { DockerfileError, type DockerfileWarning, type SourceRange } from "./instruction.ts";
import { trimSpace } from "./words.ts";

/** One directive as it is written; the key is lower-cased, the value trimmed. */
export interface Directive {
  readonly key: "syntax" | "escape" | "check";
  readonly value: string;
  readonly range: SourceRange;
}

/** What a `check` directive or comment asks for. Rule names are lower-cased; `all` may be among them. */
export interface CheckPolicy {
  readonly skip: ReadonlySet<string>;
  /** Experimental rules to apply. */
  readonly experimental: ReadonlySet<string>;
  /** Violations fail the build. */
  readonly isError: boolean;
}

const DIRECTIVE = /^#[\t\f\r ]*([a-zA-Z][a-zA-Z0-9]*)[\t\f\r ]*=([^]*)$/;
/** The frontends whose language is the one we speak; any tag or digest. */
const KNOWN_FRONTEND = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@].*)?$/;
const BUILT_IN_FRONTEND = "dockerfile.v0";
/** Go's strconv.ParseBool, which BuildKit reads `error=` with. */
const BOOLEANS: ReadonlyMap<string, boolean> = new Map([
  ...["1", "t", "T", "TRUE", "true", "True"].map((text) => [text, true] as const),
  ...["0", "f", "F", "FALSE", "false", "False"].map((text) => [text, false] as const),
]);

/** The policy of a file that asks for nothing. */
export const NO_POLICY: CheckPolicy = { skip: new Set(), experimental: new Set(), isError: false };

/** Reads one line, without leading blanks, as a directive; undefined when it is anything else. */
export function parseDirective(line: string, range: SourceRange): Directive | undefined {
  const match = DIRECTIVE.exec(line);
  if (match === null) return undefined;
  const key = (match[1] ?? "").toLowerCase();
  const value = trimSpace(match[2] ?? "");
  if (value === "" || (key !== "syntax" && key !== "escape" && key !== "check")) return undefined;
  return { key, value, range };
}

/** The escape character that `directive` sets. Throws DockerfileError for any but the backslash and the backtick. */
export function parseEscape(directive: Directive): "\\" | "`" {
  if (directive.value === "\\" || directive.value === "`") return directive.value;
  throw new DockerfileError(
    `Cannot use ${JSON.stringify(directive.value)} as escape character: it must be \` or \\`,
    directive.range,
  );
}

/**
 * Reads the value of a `check` directive: `skip=A,B|all`, `error=true|false`, `experimental=A,B|all`, separated by `;`.
 * Throws DockerfileError at `range` for another option.
 */
export function parseCheckPolicy(value: string, range: SourceRange): CheckPolicy {
  const skip = new Set<string>();
  const experimental = new Set<string>();
  let isError = false;
  for (const option of value.split(";").map(trimSpace).filter((text) => text !== "")) {
    const [key = "", text] = splitOption(option);
    const flag = BOOLEANS.get(text ?? "");
    if (key === "skip" && text !== undefined) addRules(skip, text);
    else if (key === "experimental" && text !== undefined) addRules(experimental, text);
    else if (key === "error" && flag !== undefined) isError = flag;
    else {
      throw new DockerfileError(
        `Cannot use check directive ${JSON.stringify(value)}: invalid check option ${JSON.stringify(option)}`,
        range,
        { hint: "Options are skip=<rules>, error=<true|false> and experimental=<rules>, separated by ;" },
      );
    }
  }
  return { skip, experimental, isError };
}

/** Whether `policy` turns off the check named `rule`, or does not turn it on where that takes asking. */
export function isCheckSkipped(policy: CheckPolicy, rule: string): boolean {
  if (names(policy.skip, rule)) return true;
  return findRule(rule)?.isExperimental === true && !names(policy.experimental, rule);
}

/** Whether a comment, without its `#`, is a `check` option for the instruction below it. */
export function isDirectiveComment(comment: string): boolean {
  return parseDirective(`#${comment}`, { startLine: 1, endLine: 1 })?.key === "check";
}

function splitOption(option: string): readonly [key: string, text?: string] {
  const equals = option.indexOf("=");
  return equals < 0 ? [option] : [trimSpace(option.slice(0, equals)), trimSpace(option.slice(equals + 1))];
}

function addRules(rules: Set<string>, text: string): void {
  for (const rule of text.toLowerCase().split(",")) rules.add(trimSpace(rule));
}

function names(rules: ReadonlySet<string>, rule: string): boolean {
  return rules.has("all") || rules.has(rule.toLowerCase());
}

/** Whether `image` is a frontend whose language kiln speaks by itself. */
export function isKnownFrontend(image: string): boolean {
  return image === BUILT_IN_FRONTEND || KNOWN_FRONTEND.test(image);
}

/** Warns when `# syntax=` asks for a frontend whose language may differ from ours; kiln has no frontend images. */
export function syntaxWarning(directive: Directive): DockerfileWarning | undefined {
  const { value, range } = directive;
  if (isKnownFrontend(value)) return undefined;
  const message = `Frontend image ${JSON.stringify(value)} is not used: this file is read as a docker/dockerfile`;
  return { rule: "UnknownSyntax", message, range };
}
