/**
 * The tar and PAX reader and the extractor under archives that are almost right. Each either works or fails with one of
 * our errors, in bounded time and memory, and never writes outside of the root.
 */
import { BuilderError } from "../../src/errors.ts";
import { type ContentHasher, createContentHasher } from "../../src/rootfs/content_hash.ts";
import { extractLayer } from "../../src/rootfs/extract_layer.ts";
import { TarParser } from "../../src/tar/read.ts";
import { directory, file, hardLink, node, symlink } from "../support/layer_tar.ts";
import { readAll } from "../support/tar_members.ts";
import { writeTar } from "../../src/tar/write.ts";
import { TempRoot } from "../support/temp_root.ts";
import { mutateTar, randomNumbers } from "./mutate_tar.ts";

/** What was tried. */
export interface FuzzResult {
  readonly cases: number;
  readonly refused: number;
}

/** A case that broke a promise; its seed makes it again. */
export class FuzzFailure extends Error {
  constructor(readonly seed: number, what: string, options?: ErrorOptions) {
    super(`Seed ${seed}: ${what}`, options);
  }
}

/** Longest that one archive of a few kilobytes may take; most take less than a millisecond. */
const MAX_CASE_MS = 5_000;
const MAX_BODY_BYTES = 1 << 28;

/** Tries the seeds from `firstSeed` on until `budgetMs` is used up. Throws FuzzFailure at the first case that fails. */
export async function fuzzTar(firstSeed: number, budgetMs: number): Promise<FuzzResult> {
  const tar = await sampleTar();
  const hasher = await createContentHasher();
  const startMs = performance.now();
  let cases = 0;
  let refused = 0;
  for (let seed = firstSeed; performance.now() - startMs < budgetMs; seed++) {
    cases++;
    if (!await tryCase(tar, seed, hasher)) refused++;
  }
  return { cases, refused };
}

/** Tries one seed; gives whether the archive was accepted. */
async function tryCase(tar: Uint8Array, seed: number, hasher: ContentHasher): Promise<boolean> {
  const random = randomNumbers(seed);
  const bytes = mutateTar(tar, random);
  const startMs = performance.now();
  const isAccepted = await isExtracted(bytes, seed, 1 + Math.floor(random() * bytes.length), hasher);
  await isWorking(seed, () => Promise.resolve(parsed(bytes, seed)));
  const tookMs = performance.now() - startMs;
  if (tookMs > MAX_CASE_MS) throw new FuzzFailure(seed, `it took ${tookMs.toFixed(0)} ms`);
  return isAccepted;
}

async function isWorking(seed: number, action: () => Promise<void>): Promise<boolean> {
  try {
    await action();
    return true;
  } catch (error: unknown) {
    if (error instanceof BuilderError) return false;
    throw error instanceof FuzzFailure ? error : new FuzzFailure(seed, "it crashed", { cause: error });
  }
}

async function isExtracted(
  bytes: Uint8Array,
  seed: number,
  pieceBytes: number,
  hasher: ContentHasher,
): Promise<boolean> {
  using root = new TempRoot();
  const before = outside(root);
  const pieces: Uint8Array[] = [];
  for (let at = 0; at < bytes.length; at += pieceBytes) pieces.push(bytes.subarray(at, at + pieceBytes));
  const isAccepted = await isWorking(seed, async () => {
    await extractLayer(ReadableStream.from(pieces), root.rootfs, { hasher, known: new Map() });
  });
  if (outside(root) !== before) throw new FuzzFailure(seed, "something outside of the root has changed");
  return isAccepted;
}

function parsed(bytes: Uint8Array, seed: number): void {
  let bodyBytes = 0;
  const body = (chunk: Uint8Array): void => {
    bodyBytes += chunk.length;
    if (bodyBytes > MAX_BODY_BYTES) throw new FuzzFailure(seed, "it gives more bytes than it has");
  };
  const hole = (): void => {};
  const parser = new TarParser({ entry: () => {}, body, hole, end: () => {} });
  parser.push(bytes);
  parser.finish();
}

function outside(root: TempRoot): string {
  const names = [...Deno.readDirSync(`${root.base}/outside`)].map(({ name }) => name).sort();
  const neighbours = [...Deno.readDirSync(root.base)].map(({ name }) => name).sort();
  return JSON.stringify([names, neighbours, Deno.readTextFileSync(`${root.base}/outside/secret`)]);
}

async function sampleTar(): Promise<Uint8Array> {
  const long = "long/".repeat(60);
  return await readAll(writeTar([
    directory("d"),
    file("d/file", "content".repeat(200), { xattrs: new Map([["user.a", Uint8Array.of(1)]]), mtimeNs: -1n }),
    hardLink("d/hard", "d/file"),
    symlink("link", "../outside"),
    file("link/through", "x"),
    file(`${long}name`, "y", { uid: 3_000_000 }),
    file("d/.wh.file"),
    file("d/.wh..wh..opq"),
    node("pipe", "fifo"),
    symlink("loop", "loop"),
    file("last", "z".repeat(513)),
  ]));
}

if (import.meta.main) {
  const seconds = Number(Deno.args[0] ?? 60);
  const seed = Number(Deno.args[1] ?? Date.now() % 2 ** 31);
  const { cases, refused } = await fuzzTar(seed, seconds * 1000);
  await Deno.stdout.write(
    new TextEncoder().encode(`${cases} archives from seed ${seed}, ${refused} of them refused\n`),
  );
}
