/**
 * Mirrors as podman and skopeo know them: `[[registry]]` and `[[registry.mirror]]` of containers-registries.conf(5),
 * version 2. Pulls alone use it.
 */
import { FormatError } from "../errors.ts";
import { DOCKER_HUB, type Reference } from "../oci/reference.ts";
import type { Repository } from "./registry_options.ts";
import { parseTomlTables, type TomlTable } from "./toml_tables.ts";

/** When a mirror may be asked. */
type MirrorUse = "all" | "digest-only" | "tag-only";

interface Mirror {
  readonly location: string;
  readonly use: MirrorUse;
}

/** One `[[registry]]`. */
export interface RegistryRule {
  /** "host[:port][/path]", or "*.domain" for all its subdomains. */
  readonly prefix: string;
  /** What replaces the prefix; the same as the prefix where nothing is replaced. */
  readonly location: string;
  readonly isBlocked: boolean;
  readonly mirrors: readonly Mirror[];
}

/** A registries.conf. */
export interface RegistriesConf {
  readonly origin: string;
  readonly rules: readonly RegistryRule[];
  /** Hosts of locations with `insecure = true`: plain HTTP. */
  readonly insecureHosts: readonly string[];
}

/**
 * Reads a registries.conf. Keys about short names and searching are passed over, since kiln's names are always complete.
 * Throws FormatError naming `origin` and the line.
 */
export function parseRegistriesConf(text: string, origin: string): RegistriesConf {
  const rules: { prefix: string; location: string; isBlocked: boolean; mirrors: Mirror[]; byDigest: boolean }[] = [];
  const insecureHosts: string[] = [];
  for (const table of parseTomlTables(text, origin)) {
    if (table.name.startsWith("registries.")) {
      throw at(table, origin, "this is version 1 of the format", "Write [[registry]] tables, version 2");
    }
    if (table.name !== "registry" && table.name !== "registry.mirror") continue;
    checkKeys(table, origin);
    const location = textOf(table, "location", origin);
    if (flagOf(table, "insecure", origin)) insecureHosts.push(hostOf(location));
    if (table.name === "registry") {
      const prefix = textOf(table, "prefix", origin) || location;
      if (prefix === "") throw at(table, origin, "it has neither prefix nor location");
      const byDigest = flagOf(table, "mirror-by-digest-only", origin);
      rules.push({ prefix, location, isBlocked: flagOf(table, "blocked", origin), mirrors: [], byDigest });
      continue;
    }
    const rule = rules.at(-1);
    if (rule === undefined) throw at(table, origin, "it stands before any [[registry]]");
    if (location === "") throw at(table, origin, "it has no location");
    rule.mirrors.push({ location, use: mirrorUse(table, origin, rule.byDigest) });
  }
  return { origin, rules, insecureHosts: insecureHosts.filter((host) => host !== "") };
}

/**
 * Where the conf lets `wanted` be pulled from, in order; undefined where no rule is about it. Throws FormatError when it
 * is blocked. The rule with the longest prefix counts.
 */
export function confSources(
  conf: RegistriesConf,
  wanted: Repository & Pick<Reference, "digest">,
): readonly Repository[] | undefined {
  const host = wanted.registry === DOCKER_HUB ? "docker.io" : wanted.registry;
  const name = `${host}/${wanted.repository}`;
  let best: { readonly rule: RegistryRule; readonly rest: string } | undefined;
  for (const rule of conf.rules) {
    const rest = restBehind(rule.prefix, host, name);
    if (rest !== undefined && (best === undefined || rule.prefix.length > best.rule.prefix.length)) {
      best = { rule, rest };
    }
  }
  if (best === undefined) return undefined;
  const { rule, rest } = best;
  if (rule.isBlocked) throw new FormatError(`Cannot pull ${name}: ${conf.origin} blocks "${rule.prefix}"`);
  const skipped: MirrorUse = wanted.digest === undefined ? "digest-only" : "tag-only";
  const locations = rule.mirrors.filter(({ use }) => use !== skipped).map(({ location }) => location + rest);
  return [...locations, rule.location === "" ? name : rule.location + rest].map(repositoryOf);
}

/** What follows `prefix` in `name`, which it must match up to a "/". */
function restBehind(prefix: string, host: string, name: string): string | undefined {
  if (prefix.startsWith("*.")) {
    const plainHost = host.replace(/:\d+$/, "");
    return plainHost.endsWith(prefix.slice(1)) ? name.slice(host.length) : undefined;
  }
  const complete = prefix.replace(/^(?:index|registry-1)\.docker\.io(?=\/|$)/, "docker.io").replace(/\/+$/, "");
  return name === complete || name.startsWith(`${complete}/`) ? name.slice(complete.length) : undefined;
}

function repositoryOf(location: string): Repository {
  const slash = location.indexOf("/");
  const host = slash < 0 ? location : location.slice(0, slash);
  return { registry: hostOf(host), repository: slash < 0 ? "" : location.slice(slash + 1) };
}

function hostOf(location: string): string {
  const host = location.split("/", 1)[0] ?? "";
  return host === "docker.io" || host === "registry-1.docker.io" ? DOCKER_HUB : host;
}

function mirrorUse(table: TomlTable, origin: string, byDigest: boolean): MirrorUse {
  const use = textOf(table, "pull-from-mirror", origin) || (byDigest ? "digest-only" : "all");
  if (use === "all" || use === "digest-only" || use === "tag-only") return use;
  throw at(table, origin, `"${use}" is not a value of pull-from-mirror`);
}

function checkKeys(table: TomlTable, origin: string): void {
  const unknown = [...table.values.keys()].find((key) => !KNOWN_KEYS.has(key));
  if (unknown !== undefined) throw at(table, origin, `"${unknown}" is not understood`);
}

function textOf(table: TomlTable, key: string, origin: string): string {
  const value = table.values.get(key) ?? "";
  if (typeof value !== "string") throw at(table, origin, `"${key}" must be a string`);
  return value.replace(/^https?:\/\//, "").replace(/\/+$/, "");
}

function flagOf(table: TomlTable, key: string, origin: string): boolean {
  const value = table.values.get(key) ?? false;
  if (typeof value !== "boolean") throw at(table, origin, `"${key}" must be true or false`);
  return value;
}

function at(table: TomlTable, origin: string, reason: string, hint?: string): FormatError {
  const message = `Cannot use the [[${table.name}]] of ${origin}, line ${table.line}: ${reason}`;
  return new FormatError(message, { hint });
}

const KNOWN_KEYS: ReadonlySet<string> = new Set([
  "prefix",
  "location",
  "insecure",
  "blocked",
  "mirror-by-digest-only",
  "pull-from-mirror",
]);
