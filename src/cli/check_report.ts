/** What --check found, as text for people and as JSON for programs; the JSON has the members of BuildKit's lint result. */
import type { CheckReport } from "../build/plan_build.ts";
import { SourceError } from "../build/source_error.ts";
import { type CheckRule, findRule, ruleUrl } from "../dockerfile/check_rules.ts";
import type { SourceRange } from "../dockerfile/instruction.ts";
import type { BuilderError } from "../errors.ts";
import { formatExcerpt } from "./excerpt.ts";
import { exitCode } from "./exit_code.ts";
import { formatFailure } from "./report.ts";

/** A violation of a build check. */
interface Violation {
  readonly rule: CheckRule;
  readonly detail: string;
  readonly range: SourceRange;
}

/** What the status of a check says when the Dockerfile is to blame: as for a build of a wrong one. */
const VIOLATION_STATUS = 3;

/** The report with every violation's lines, and the fault that would stop a build. Ends with a line feed. */
export function formatCheckText(report: CheckReport): string {
  const violations = violationsOf(report);
  const blocks = violations.map(({ rule, detail, range }) =>
    [
      `WARNING: ${rule.name} - ${ruleUrl(rule)}`,
      rule.description,
      ...(detail === rule.description ? [] : [detail]),
      ...formatExcerpt(report.source, range),
    ].join("\n")
  );
  const failure = report.failure === undefined ? [] : [`ERROR: ${formatFailure(report.failure)}`];
  return `${[summarise(violations.length), ...blocks, ...failure].join("\n\n")}\n`;
}

/** The report as one JSON object, indented. Ends with a line feed. */
export function formatCheckJson(report: CheckReport): string {
  const document = {
    warnings: violationsOf(report).map(({ rule, detail, range }) => ({
      ruleName: rule.name,
      description: rule.description,
      url: ruleUrl(rule),
      detail,
      location: location(range),
    })),
    sources: [{ filename: report.source.path, language: "Dockerfile", data: base64(report.source.text) }],
    ...(report.failure === undefined ? {} : { buildError: buildError(report.failure) }),
  };
  return `${JSON.stringify(document, undefined, 2)}\n`;
}

/** 0 when nothing was found; as docker's client, a violation is a failure too. */
export function checkStatus(report: CheckReport): number {
  if (report.failure !== undefined) return exitCode(report.failure);
  return violationsOf(report).length === 0 ? 0 : VIOLATION_STATUS;
}

function violationsOf({ warnings }: CheckReport): readonly Violation[] {
  return warnings.flatMap(({ rule: name, message, range }) => {
    const rule = findRule(name ?? "");
    return rule === undefined || range === undefined ? [] : [{ rule, detail: message, range }];
  });
}

function summarise(count: number): string {
  if (count === 0) return "Check complete, no warnings found.";
  return count === 1
    ? "Check complete, 1 warning has been found!"
    : `Check complete, ${count} warnings have been found!`;
}

function buildError(failure: BuilderError): { readonly message: string; readonly location?: unknown } {
  const place = failure instanceof SourceError ? { location: location(failure.range) } : {};
  return { message: failure.message, ...place };
}

function location({ startLine, endLine }: SourceRange): unknown {
  return { ranges: [{ start: { line: startLine }, end: { line: endLine } }] };
}

function base64(text: string): string {
  return btoa(Array.from(new TextEncoder().encode(text), (byte) => String.fromCharCode(byte)).join(""));
}
