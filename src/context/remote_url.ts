/** What the text of a URL tells without asking anybody: which secrets it carries, what its file is called. Pure. */

const MASK = "xxxxx";
const AUTHORITY_LOGIN = /\b(https?|ftps?|git|ssh):\/\/([^\s/?#]*)@/gi;

/** Name of a file whose URL has none. */
export const UNNAMED_FILE = "__unnamed__";

/**
 * `text` with user names and passwords of the URLs in it masked as BuildKit masks them. The user of ssh is no secret.
 *
 * @example
 * ```ts
 * import { redactCredentials } from "./remote_url.ts";
 * import { equal } from "node:assert/strict";
 * equal(redactCredentials("ADD https://me:word@h/f /"), "ADD https://xxxxx:xxxxx@h/f /");
 * equal(redactCredentials("ssh://git@h/r"), "ssh://git@h/r");
 * ```
 */
export function redactCredentials(text: string): string {
  return text.replace(AUTHORITY_LOGIN, (whole: string, scheme: string, login: string) => {
    const hasPassword = login.includes(":");
    if (scheme.toLowerCase() === "ssh" && !hasPassword) return whole;
    return `${scheme}://${hasPassword ? `${MASK}:${MASK}` : MASK}@`;
  });
}

/** `url` for messages: without login, and without its query and fragment, which may hold signatures and tokens. */
export function redactUrl(url: string): string {
  return redactCredentials(url).replace(/[?#].*$/s, (rest) => rest.length > 1 ? `${rest[0]}***` : "");
}

/** What the file behind `url` is called: the last part of its path, decoded; {@link UNNAMED_FILE} where there is none. */
export function urlFileName(url: string): string {
  const path = /^[A-Za-z][A-Za-z0-9+.-]*:\/\/[^/?#]*([^?#]*)/.exec(url)?.[1] ?? "";
  const parts: string[] = [];
  for (const part of decoded(path).split("/")) {
    if (part === "..") parts.pop();
    else if (part !== "" && part !== ".") parts.push(part);
  }
  return parts.at(-1) ?? UNNAMED_FILE;
}

/** A login as it stands in a URL, decoded. */
export interface UrlLogin {
  readonly user: string;
  readonly password: string;
}

/** `url` without its login, and the login if it has one. `url` must be one that can be parsed. */
export function splitLogin(url: string): { readonly url: string; readonly login: UrlLogin | undefined } {
  const parsed = new URL(url);
  const { username, password } = parsed;
  if (username === "" && password === "") return { url, login: undefined };
  parsed.username = "";
  parsed.password = "";
  return { url: parsed.href, login: { user: decoded(username), password: decoded(password) } };
}

/** Text with a broken escape stays as it is. */
function decoded(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text; // A URIError: a "%" that escapes nothing.
  }
}
