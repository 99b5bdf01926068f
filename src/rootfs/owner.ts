/**
 * From names to numbers: the owner that COPY --chown and WORKDIR give, and the identity that RUN takes. The two follow
 * different rules, as in BuildKit: chown never fails on an unknown name, and a number alone is user and group.
 */
import { ContextError } from "../context/context_error.ts";
import { listDirectory } from "../sys/walk.ts";
import { joinPath, type RawPath } from "../sys/raw_path.ts";
import { type Account, type Group, parseId, readAccounts, readGroups } from "./accounts.ts";
import type { Rootfs } from "./rootfs.ts";

/** An owner in numbers. */
export interface Owner {
  readonly uid: number;
  readonly gid: number;
}

/** Who a command runs as. */
export interface UserIdentity extends Owner {
  /** Supplementary groups in the order of the group file; `gid` is not added. */
  readonly groups: readonly number[];
  /** Home folder of the uid, "/" when the image does not know it. */
  readonly home: string;
}

/**
 * The owner of `user[:group]` as COPY --chown and WORKDIR take it: an unknown name is 0, a number alone is also the
 * group, a name alone brings its primary group. Throws ContextError for a name when the image holds nothing at all.
 */
export function resolveChown(rootfs: Rootfs, spec: string): Owner {
  const [user = "", group] = splitSpec(spec);
  const owner = chownUser(rootfs, user);
  if (group === undefined) return owner;
  const gid = group === "root" ? 0 : parseId(group);
  if (gid !== undefined) return { uid: owner.uid, gid };
  if (group !== "") requireContent(rootfs, group);
  return { uid: owner.uid, gid: readGroups(rootfs)?.find(({ name }) => name === group)?.gid ?? owner.gid };
}

/**
 * The identity of USER `user[:group]` for RUN; empty is root. An explicit group is the only group. Throws ContextError
 * for a user or group name that the image does not know.
 */
export function resolveUser(rootfs: Rootfs, user: string): UserIdentity {
  const [name = "", group = ""] = splitSpec(user);
  const accounts = readAccounts(rootfs) ?? [];
  const account = findAccount(accounts, name === "" ? "0" : name);
  const uid = account?.uid ?? (name === "" ? 0 : parseId(name));
  if (uid === undefined) throw unknown("user", name, "passwd");
  const home = accounts.find((candidate) => candidate.uid === uid)?.home || "/";
  const gid = account?.gid ?? 0;
  if (group !== "") return { uid, gid: resolveGroup(rootfs, group), groups: [], home };
  if (account === undefined) return { uid, gid, groups: [], home };
  const groups = (readGroups(rootfs) ?? []).filter(({ members }) => members.includes(account.name));
  return { uid, gid, groups: [...new Set(groups.map((found) => found.gid))], home };
}

function splitSpec(spec: string): readonly string[] {
  const colon = spec.indexOf(":");
  return colon < 0 ? [spec] : [spec.slice(0, colon), spec.slice(colon + 1)];
}

function chownUser(rootfs: Rootfs, user: string): Owner {
  if (user === "" || user === "root") return { uid: 0, gid: 0 };
  const id = parseId(user);
  if (id !== undefined) return { uid: id, gid: id };
  requireContent(rootfs, user);
  const account = readAccounts(rootfs)?.find(({ name }) => name === user);
  return { uid: account?.uid ?? 0, gid: account?.gid ?? 0 };
}

/** A number is always an id, even where an account has it as its name. */
function findAccount(accounts: readonly Account[], user: string): Account | undefined {
  const id = parseId(user);
  return accounts.find((account) => id === undefined ? account.name === user : account.uid === id);
}

function resolveGroup(rootfs: Rootfs, group: string): number {
  const groups: readonly Group[] = readGroups(rootfs) ?? [];
  const gid = parseId(group) ?? groups.find(({ name }) => name === group)?.gid;
  if (gid === undefined) throw unknown("group", group, "group");
  return gid;
}

function unknown(kind: "user" | "group", name: string, file: string): ContextError {
  const reason = `unable to find ${kind} ${name}: no matching entries in ${file} file`;
  return new ContextError({ action: `use ${kind}`, source: name, reason }, {
    hint: `Add it to /etc/${file} in an earlier step, or use a number`,
  });
}

/** In an image from scratch that holds nothing yet, a name cannot be meant. */
function requireContent(rootfs: Rootfs, name: string): void {
  if (holdsNothing(rootfs, "/" as RawPath)) {
    throw new ContextError({ action: "look up user", source: name, reason: "the image is empty and knows no names" }, {
      hint: "Use a number, such as 1000:1000",
    });
  }
}

/** Whether only protected places, and folders that lead to them, are there. */
function holdsNothing(rootfs: Rootfs, directory: RawPath): boolean {
  return listDirectory(rootfs.hostPath(directory)).every((name) => {
    const inner = joinPath(directory, name);
    if (rootfs.isProtected(inner)) return true;
    return rootfs.holdsProtected(inner) && rootfs.lstat(inner)?.type === "directory" && holdsNothing(rootfs, inner);
  });
}
