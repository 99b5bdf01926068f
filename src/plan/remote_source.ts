/** Sources of COPY and ADD that are no paths: URLs and git repositories. Source: Dockerfile reference, ADD. */

/** What a source word is. */
export type SourceForm = "path" | "url" | "git";

const SCP_FORM = /^[A-Za-z0-9_-]+@[A-Za-z0-9.-]+:/;

/** Tells paths from URLs and git repositories. `github.com/x/y` without a scheme is a path. */
export function sourceForm(source: string): SourceForm {
  if (/^(?:git|ssh):\/\//.test(source) || SCP_FORM.test(source)) return "git";
  const match = /^https?:\/\/[^/?#]*([^?#]*)/.exec(source);
  if (match === null) return "path";
  return (match[1] ?? "").endsWith(".git") ? "git" : "url";
}
