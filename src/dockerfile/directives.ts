/**
 * Parser directives: the `# key=value` lines at the very top of a Dockerfile (Dockerfile reference, parser directives).
 */
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
  /** Violations fail the build. */
  readonly isError: boolean;
}

const DIRECTIVE = /^#[\t\f\r ]*([a-zA-Z][a-zA-Z0-9]*)[\t\f\r ]*=([^]*)$/;
/** The frontends whose language is the one we speak; any tag or digest. */
const KNOWN_FRONTEND = /^(?:docker\.io\/)?docker\/dockerfile(?:-upstream)?(?:[:@].*)?$/;
const BUILT_IN_FRONTEND = "dockerfile.v0";

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
 * Reads the value of a `check` directive: `skip=A,B|all`, `error=true|false`, `experimental=...`, separated by `;`.
 * Throws DockerfileError at `range` for another option.
 */
export function parseCheckPolicy(value: string, range: SourceRange): CheckPolicy {
  const skip = new Set<string>();
  let isError = false;
  for (const option of value.split(";").map(trimSpace).filter((text) => text !== "")) {
    const [key = "", text = ""] = option.split("=", 2).map(trimSpace);
    const lower = text.toLowerCase();
    if (key === "skip") { for (const rule of lower.split(",")) skip.add(trimSpace(rule)); }
    else if (key === "error" && (lower === "true" || lower === "false")) isError = lower === "true";
    else if (key !== "experimental") {
      throw new DockerfileError(
        `Cannot use check directive ${JSON.stringify(value)}: invalid check option ${JSON.stringify(option)}`,
        range,
        { hint: "Options are skip=<rules>, error=<true|false> and experimental=<rules>, separated by ;" },
      );
    }
  }
  return { skip, isError };
}

/** Whether `policy` turns off the check named `rule`. */
export function isCheckSkipped(policy: CheckPolicy, rule: string): boolean {
  return policy.skip.has("all") || policy.skip.has(rule.toLowerCase());
}

/** Warns when `# syntax=` asks for a frontend whose language may differ from ours; kiln has no frontend images. */
export function syntaxWarning(directive: Directive): DockerfileWarning | undefined {
  const { value, range } = directive;
  if (value === BUILT_IN_FRONTEND || KNOWN_FRONTEND.test(value)) return undefined;
  const message = `Frontend image ${JSON.stringify(value)} is not used: this file is read as a docker/dockerfile`;
  return { rule: "UnknownSyntax", message, range };
}
