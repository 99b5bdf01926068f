/** Finds the runtime base that `deno compile` has downloaded, for the one build step that must change it beforehand. */
import { inflateRawSync } from "node:zlib";
import { mustRun } from "../tests/support/run_command.ts";

const LOCAL_HEADER_SIGNATURE = 0x04034b50;
const METHOD_STORED = 0;
const METHOD_DEFLATE = 8;

/** The bytes of the running Deno's own runtime base. Throws where no `deno compile` has fetched it yet. */
export async function readDownloadedBase(): Promise<Uint8Array> {
  const { denoDir } = JSON.parse(await mustRun([Deno.execPath(), "info", "--json"]));
  const archive = `${denoDir}/dl/release/v${Deno.version.deno}/denort-${Deno.build.target}.zip`;
  return firstZipMember(await Deno.readFile(archive));
}

/** The content of a zip archive's first member; Deno's archive has one alone. */
export function firstZipMember(archive: Uint8Array): Uint8Array {
  const view = new DataView(archive.buffer, archive.byteOffset, archive.byteLength);
  if (view.getUint32(0, true) !== LOCAL_HEADER_SIGNATURE) throw new Error("Cannot read runtime base: no zip archive");
  const method = view.getUint16(8, true);
  const start = 30 + view.getUint16(26, true) + view.getUint16(28, true);
  if (method === METHOD_DEFLATE) return inflateRawSync(archive.subarray(start));
  if (method === METHOD_STORED) return archive.slice(start, start + view.getUint32(18, true));
  throw new Error(`Cannot read runtime base: compression method ${method} of the zip archive is unknown`);
}
