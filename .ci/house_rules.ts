/**
 * The rules of the house as tables and pure judgements: who may import whom, how large a file or function may grow, which
 * words no name contains. The lint plugin and the architecture tests both read them, so that there is one truth.
 */

/** Lines a file under `src/` may have. */
export const MAX_FILE_LINES = 300;
/** Lines a function under `src/` may span. */
export const MAX_FUNCTION_LINES = 60;

/** Folders of `src/` from left to right. A folder imports only from folders to its left; one group's folders not from each other. */
export const FOLDER_ORDER: readonly (readonly string[])[] = [
  ["errors"],
  ["oci"],
  ["sys"],
  ["tar", "blob"],
  ["context"],
  ["dockerfile"],
  ["plan"],
  ["cache"],
  ["rootfs"],
  ["runner"],
  ["snapshot"],
  ["layer"],
  ["image"],
  ["registry"],
  ["build"],
  ["cli"],
  ["main"],
];

/** Folders whose types anybody may import and which only `cli` constructs. */
export const OBSERVER_FOLDERS: readonly string[] = ["log", "metrics"];

/** Files that stay pure: no Deno, clock, environment or network. */
export const PURE_PATHS =
  /^src\/(?:oci|tar|dockerfile|plan)\/|^src\/context\/(?:git_reference|remote_url)\.ts$|^src\/snapshot\/diff_trees\.ts$|^src\/image\/mutate\.ts$/;

/** Words that say nothing about what a thing is. */
export const BANNED_WORDS: readonly string[] = [
  "util",
  "utils",
  "utility",
  "helper",
  "helpers",
  "common",
  "misc",
  "manager",
  "handler",
  "handlers",
];

/** Terms of others that contain a banned word and are what a thing is really called, in lower snake_case. */
const FOREIGN_TERMS = /cred(?:ential)?_helpers?/g;

/** One import of one file, as written. */
export interface ImportEdge {
  /** Importing file, relative to the project, such as `src/tar/read.ts`. */
  readonly from: string;
  /** What stands in quotes: `../errors.ts`, `zod/mini`, `node:zlib`. */
  readonly specifier: string;
  /** Whether the import is erased by the compiler. */
  readonly isTypeOnly: boolean;
}

interface FolderBan {
  readonly from: string;
  readonly to: RegExp;
  readonly except?: RegExp;
  readonly because: string;
}

const FOLDER_BANS: readonly FolderBan[] = [
  {
    from: "dockerfile",
    to: /^src\/(?:sys|blob|context)\//,
    except: /^src\/sys\/raw_path\.ts$/,
    because: "dockerfile is pure",
  },
  {
    from: "plan",
    to: /^src\/(?:sys|blob|context)\//,
    except: /^src\/(?:sys\/raw_path|context\/(?:git_reference|remote_url))\.ts$/,
    because: "plan is pure",
  },
  { from: "rootfs", to: /^src\/cache\//, because: "a root filesystem knows no cache" },
];

interface PackageRule {
  readonly specifier: RegExp;
  readonly allowedIn: RegExp;
  readonly where: string;
}

/** Where third-party code and Node's modules may be used, first match decides. Anything unnamed is not allowed at all. */
const PACKAGE_RULES: readonly PackageRule[] = [
  { specifier: /^zod\/mini$/, allowedIn: /^src\//, where: "the files that parse outside JSON" },
  { specifier: /^hash-wasm$/, allowedIn: /\/_?content_hash\w*\.ts$/, where: "content_hash.ts" },
  { specifier: /^commander$/, allowedIn: /^src\/cli\//, where: "cli/" },
  { specifier: /^@logtape\/logtape$/, allowedIn: /^src\/(?:log|cli)\//, where: "log/ and cli/" },
  { specifier: /^isomorphic-git$/, allowedIn: /^src\/context\/git_\w+\.ts$/, where: "the git files of context/" },
  {
    specifier: /^(?:fzstd|xz-decompress|unbzip2-stream|@bokuweb\/zstd-wasm)$/,
    allowedIn: /^src\/\w+\/\w*compress\w*\.ts$/,
    where: "files named for compression",
  },
  {
    specifier: /^node:zlib$/,
    allowedIn: /^src\/(?:sys\/|\w+\/\w*(?:compress|gzip)\w*\.ts$)/,
    where: "sys/ and files named for compression",
  },
  {
    specifier: /^node:/,
    allowedIn: /^src\/(?:sys\/|oci\/digest\.ts$|registry\/_?transport\w*\.ts$)/,
    where: "sys/, oci/digest.ts and registry/transport*.ts",
  },
];

/** The folder of a project path: `src/tar/read.ts` gives `tar`, `src/errors.ts` gives `errors`, `main.ts` gives `main`. */
export function folderOf(path: string): string {
  const match = /^src\/([^/]+)\//.exec(path) ?? /^(?:src\/)?([^/]+)\.ts$/.exec(path);
  return match?.[1] ?? path;
}

/** Resolves a relative specifier against the importing file: `src/tar/read.ts` + `../errors.ts` gives `src/errors.ts`. */
export function resolveImport(from: string, specifier: string): string {
  const parts = from.split("/").slice(0, -1);
  for (const part of specifier.split("/")) {
    if (part === "..") parts.pop();
    else if (part !== ".") parts.push(part);
  }
  return parts.join("/");
}

/** Why an import breaks the rules, or undefined. Only files of `src/` and `main.ts` are judged. */
export function importViolation(edge: ImportEdge): string | undefined {
  if (!/^src\/|^main\.ts$/.test(edge.from)) return undefined;
  if (!/^\.{1,2}\//.test(edge.specifier)) return packageViolation(edge);
  return folderViolation(edge, resolveImport(edge.from, edge.specifier));
}

function packageViolation(edge: ImportEdge): string | undefined {
  const rule = PACKAGE_RULES.find((candidate) => candidate.specifier.test(edge.specifier));
  if (rule === undefined) return `package "${edge.specifier}" is not one the project uses`;
  return rule.allowedIn.test(edge.from) ? undefined : `"${edge.specifier}" belongs in ${rule.where}`;
}

function folderViolation(edge: ImportEdge, target: string): string | undefined {
  const from = folderOf(edge.from);
  const to = folderOf(target);
  if (!target.endsWith(".ts")) return `the path must end in .ts`;
  if (!target.startsWith("src/")) return `${from} may not import "${target}" from outside src/`;
  if (/\/_[^/]+$/.test(target) && from !== to) return `"${target}" is private to ${to}/`;
  if (from === to) return undefined;
  if (OBSERVER_FOLDERS.includes(to)) {
    return edge.isTypeOnly || from === "cli" ? undefined : `${to}/ is imported as types, and constructed only in cli/`;
  }
  const ban = FOLDER_BANS.find((rule) => rule.from === from && rule.to.test(target) && !rule.except?.test(target));
  if (ban !== undefined) return `${from} may not import ${to}: ${ban.because}`;
  if (to === "cli" && from !== "main") return "only main.ts imports cli";
  return directionViolation(from, to);
}

function directionViolation(from: string, to: string): string | undefined {
  const fromRank = OBSERVER_FOLDERS.includes(from) ? 1 : rankOf(from);
  const toRank = rankOf(to);
  if (fromRank === undefined) return `folder "${from}" has no place in the order of folders`;
  if (toRank === undefined) return `folder "${to}" has no place in the order of folders`;
  return toRank < fromRank ? undefined : `${from} may not import ${to}, which is not to its left`;
}

function rankOf(folder: string): number | undefined {
  const rank = FOLDER_ORDER.findIndex((group) => group.includes(folder));
  return rank === -1 ? undefined : rank;
}

/** The banned word in a name (snake_case, camelCase or PascalCase), or undefined. */
export function bannedWord(name: string): string | undefined {
  const words = name.replace(/([a-z0-9])([A-Z])/g, "$1_$2").toLowerCase().replace(FOREIGN_TERMS, "").split(
    /[^a-z0-9]+/,
  );
  return words.find((word) => BANNED_WORDS.includes(word));
}

/** Lines of a text, a last line without a newline included. */
export function lineCount(text: string): number {
  const newlines = text.split("\n").length - 1;
  return text.endsWith("\n") || text === "" ? newlines : newlines + 1;
}
