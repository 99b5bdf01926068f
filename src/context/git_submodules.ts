/**
 * Where the submodules of a repository come from: `.gitmodules` read, relative URLs resolved, and only servers allowed, no
 * local paths and no programs. Pure. Source: gitmodules(5), git-submodule(1), git-config(1) syntax.
 */
import { FormatError } from "../errors.ts";
import type { GitTransport } from "./git_reference.ts";
import { redactUrl, splitLogin } from "./remote_url.ts";

/** One submodule as `.gitmodules` has it. */
export interface Submodule {
  readonly path: string;
  readonly url: string;
  /** Whether `update = none` keeps it out. */
  readonly isSkipped: boolean;
}

/** A repository to fetch a submodule from. */
export interface SubmoduleRemote {
  readonly transport: GitTransport;
  readonly remote: string;
}

const SCP_FORM = /^[A-Za-z0-9_-]+@[A-Za-z0-9.-]+:/;

/** Reads `.gitmodules`. Sections without path or URL are left out. */
export function parseGitModules(text: string): readonly Submodule[] {
  const sections = new Map<string, Map<string, string>>();
  let current: Map<string, string> | undefined;
  for (const line of text.replace(/\\\r?\n/g, "").split(/\r?\n/)) {
    const section = /^\s*\[\s*([A-Za-z0-9.-]+)(?:\s+"((?:[^"\\]|\\.)*)")?\s*\]/.exec(line);
    if (section !== null) {
      const name = section[2]?.replace(/\\(.)/g, "$1") ?? "";
      current = section[1]?.toLowerCase() === "submodule" ? sections.get(name) ?? new Map() : undefined;
      if (current !== undefined) sections.set(name, current);
      continue;
    }
    const setting = /^\s*([A-Za-z][A-Za-z0-9-]*)\s*=\s*(.*)$/.exec(line);
    if (setting !== null) current?.set((setting[1] ?? "").toLowerCase(), configValue(setting[2] ?? ""));
  }
  return [...sections.values()].flatMap((section) => {
    const path = section.get("path")?.replace(/\/+$/, "");
    const url = section.get("url");
    return path && url ? [{ path, url, isSkipped: section.get("update") === "none" }] : [];
  });
}

/**
 * Where `url` of a submodule leads from the repository at `parent`. A login of `parent` goes along to the same server and
 * to no other. Throws FormatError for what is not on a server.
 */
export function resolveSubmodule(url: string, parent: string): SubmoduleRemote {
  const absolute = /^\.{1,2}\//.test(url) ? joinRelative(parent, url) : url;
  if (SCP_FORM.test(absolute)) return { transport: "ssh", remote: absolute };
  const scheme = /^(https?|git|ssh):\/\/[^/-]/i.exec(absolute)?.[1]?.toLowerCase();
  if (scheme === undefined || !URL.canParse(absolute)) {
    const reason = "submodules come from servers alone (https, http, git, ssh)";
    throw new FormatError(`Cannot use submodule URL "${redactUrl(url)}": ${reason}`);
  }
  if (!scheme.startsWith("http")) return { transport: scheme === "git" ? "git" : "ssh", remote: absolute };
  return { transport: "http", remote: withLogin(absolute, parent) };
}

function withLogin(url: string, parent: string): string {
  if (!/^https?:/i.test(parent) || new URL(url).origin !== new URL(parent).origin) return url;
  if (splitLogin(url).login !== undefined) return url;
  const { username, password } = new URL(parent);
  const target = new URL(url);
  target.username = username;
  target.password = password;
  return target.href;
}

/** Each "../" takes one part of the parent's path away. */
function joinRelative(parent: string, relative: string): string {
  const [, start = "", path = ""] = /^([a-z]+:\/\/[^/]*\/?|[^/@:]+@[^/:]+:)(.*)$/i.exec(parent) ?? [];
  const parts = path.split("/").filter((part) => part !== "");
  for (const part of relative.split("/")) {
    if (part === "..") {
      if (parts.pop() === undefined) {
        throw new FormatError(`Cannot use submodule URL "${relative}": it leads too far up`);
      }
    } else if (part !== "" && part !== ".") parts.push(part);
  }
  const isRooted = start.includes("://") && !start.endsWith("/");
  const slash = isRooted || (!start.includes("://") && path.startsWith("/")) ? "/" : "";
  return start + slash + parts.join("/");
}

/** Quotes go, comments end, escapes are read. */
function configValue(text: string): string {
  let value = "";
  let isQuoted = false;
  for (let at = 0; at < text.length; at++) {
    const char = text[at] ?? "";
    if (char === '"') isQuoted = !isQuoted;
    else if (char === "\\") value += text[++at] ?? "";
    else if (!isQuoted && (char === "#" || char === ";")) break;
    else value += char;
  }
  return isQuoted ? value : value.trimEnd();
}
