/**
 * The client's part of git's upload-pack service, version 0: which refs a server offers, and a pack with the commits that
 * are wanted, stored as it comes. Source: gitprotocol-pack(5).
 */
import { errorText, FormatError } from "../errors.ts";
import { ContextError } from "./context_error.ts";
import type { GitConnection } from "./git_connection.ts";
import { FLUSH_PACKET, GitPacketReader, packetLine } from "./git_packets.ts";

/** What a server has. */
export interface GitOffer {
  /** Object ids by full ref name, "HEAD" too; `NAME^{}` is the commit of the annotated tag NAME. */
  readonly refs: ReadonlyMap<string, string>;
  readonly capabilities: ReadonlySet<string>;
}

/** What to ask for. */
export interface PackRequest {
  /** Object ids. */
  readonly wants: readonly string[];
  /** Whether the commits come without their history. */
  readonly isShallow: boolean;
}

/** Largest pack that is taken: 2 GiB, as it is indexed in memory. */
export const MAX_PACK_BYTES = 2 * 1024 ** 3;

const MAX_REFS = 1_000_000;
const WISHES = ["side-band-64k", "ofs-delta"];
const PACK_MAGIC = "PACK";

/** Reads the refs on offer. Throws FormatError for what is no offer, ContextError with what the server says. */
export async function readOffer(connection: GitConnection, source: string): Promise<GitOffer> {
  const reader = new GitPacketReader(connection.offer);
  try {
    return await readRefs(reader, connection, source);
  } finally {
    await reader.cancel();
  }
}

async function readRefs(reader: GitPacketReader, connection: GitConnection, source: string): Promise<GitOffer> {
  const refs = new Map<string, string>();
  const capabilities = new Set<string>();
  let first = await reader.readLine();
  if (first?.startsWith("# service=")) {
    await reader.readLine(); // The flush after the announcement.
    first = await reader.readLine();
  }
  if (first === undefined) {
    throw new ContextError({ action: "fetch", source, reason: silenceReason(connection) });
  }
  if (first.startsWith("version ")) first = await reader.readLine();
  for (let line = first; line !== undefined; line = await reader.readLine()) {
    throwComplaint(line, source);
    const [id = "", rest = ""] = splitOnce(line, " ");
    const [name = "", offered] = splitOnce(rest, "\0");
    if (!/^[0-9a-f]{40}$/.test(id)) throw new FormatError(`Cannot read the refs of "${source}": "${shown(line)}"`);
    offered?.split(" ").forEach((capability) => capabilities.add(capability));
    if (name !== "capabilities^{}") refs.set(name, id);
    if (refs.size > MAX_REFS) throw new FormatError(`Cannot read the refs of "${source}": more than ${MAX_REFS}`);
  }
  return { refs, capabilities };
}

/**
 * Sends the request and stores the pack at `path`. Gives the commits whose parents were left out. Throws ContextError with
 * what the server says, FormatError for an answer that makes no sense.
 */
export async function fetchPack(
  connection: GitConnection,
  request: PackRequest & { readonly offer: GitOffer; readonly source: string },
  path: string,
): Promise<readonly string[]> {
  const { offer, source } = request;
  const isShallow = request.isShallow && offer.capabilities.has("shallow");
  const bytes = new TextEncoder().encode(requestText(request.wants, offer.capabilities, isShallow));
  const reader = new GitPacketReader(await connection.request(bytes));
  try {
    const shallow = isShallow ? await readShallow(reader, source) : [];
    const answer = await reader.readLine();
    if (answer === undefined) throw new ContextError({ action: "fetch", source, reason: silenceReason(connection) });
    throwComplaint(answer, source);
    if (answer !== "NAK") throw new FormatError(`Cannot read the answer of "${source}": "${shown(answer)}"`);
    await storePack(reader, source, path);
    return shallow;
  } finally {
    await reader.cancel();
  }
}

function requestText(wants: readonly string[], capabilities: ReadonlySet<string>, isShallow: boolean): string {
  const wishes = [...WISHES.filter((name) => capabilities.has(name)), "agent=kiln"].join(" ");
  if (!capabilities.has("side-band-64k")) throw new FormatError("Cannot fetch: the server knows no side-band-64k");
  const lines = wants.map((id, index) => packetLine(`want ${id}${index === 0 ? ` ${wishes}` : ""}\n`));
  const depth = isShallow ? packetLine("deepen 1\n") : "";
  return `${lines.join("")}${depth}${FLUSH_PACKET}${packetLine("done\n")}`;
}

async function readShallow(reader: GitPacketReader, source: string): Promise<readonly string[]> {
  const commits: string[] = [];
  for (let line = await reader.readLine(); line !== undefined; line = await reader.readLine()) {
    throwComplaint(line, source);
    const [word, id = ""] = splitOnce(line, " ");
    if (word === "shallow" && /^[0-9a-f]{40}$/.test(id)) commits.push(id);
    else if (word !== "unshallow") throw new FormatError(`Cannot read the answer of "${source}": "${shown(line)}"`);
  }
  return commits;
}

/** Band 1 is the pack, 2 is talk, 3 is the reason why there is no more. */
async function storePack(reader: GitPacketReader, source: string, path: string): Promise<void> {
  using file = await Deno.open(path, { write: true, create: true, truncate: true, mode: 0o600 });
  let size = 0;
  for (let packet = await reader.read(); packet !== undefined; packet = await reader.read()) {
    if (packet.kind === "flush") break;
    const [band] = packet.bytes;
    const rest = packet.bytes.subarray(1);
    if (band === 3) {
      const reason = `the server says: ${shown(new TextDecoder().decode(rest).trim())}`;
      throw new ContextError({ action: "fetch", source, reason });
    }
    if (band !== 1) continue;
    if (size === 0 && new TextDecoder().decode(rest.subarray(0, 4)) !== PACK_MAGIC) break;
    size += rest.length;
    if (size > MAX_PACK_BYTES) {
      throw new ContextError({ action: "fetch", source, reason: `it is larger than ${MAX_PACK_BYTES} bytes` });
    }
    for (let at = 0; at < rest.length;) at += await writeSome(file, rest.subarray(at), path);
  }
  if (size === 0) throw new FormatError(`Cannot read the answer of "${source}": there is no pack in it`);
}

async function writeSome(file: Deno.FsFile, bytes: Uint8Array, path: string): Promise<number> {
  try {
    return await file.write(bytes);
  } catch (error: unknown) {
    throw new ContextError({ action: "write", source: path, reason: errorText(error) }, { cause: error });
  }
}

function throwComplaint(line: string, source: string): void {
  if (!line.startsWith("ERR ")) return;
  throw new ContextError({ action: "fetch", source, reason: `the server says: ${shown(line.slice("ERR ".length))}` });
}

function silenceReason(connection: GitConnection): string {
  const complaint = connection.complaint();
  return complaint === "" ? "the server ends the conversation without an answer" : shown(complaint);
}

function splitOnce(text: string, separator: string): readonly [string, string | undefined] {
  const at = text.indexOf(separator);
  return at < 0 ? [text, undefined] : [text.slice(0, at), text.slice(at + separator.length)];
}

/** What others say, fit for a terminal. */
function shown(text: string): string {
  return text.replace(/[\p{Cc}]+/gu, " ").slice(0, 300).trim();
}
