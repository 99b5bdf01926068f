/** The files that are measured: a made-up system tree, the same on every machine, and its tar. */
import { mustRun } from "../support/run_command.ts";

/** How much there is. */
export interface TreeSize {
  readonly directories: number;
  readonly filesEach: number;
}

/** A tree like a distribution's: most files small, a few of megabytes, some links. */
export const SYSTEM_TREE: TreeSize = { directories: 1200, filesEach: 16 };

/** Makes the tree in the new folder `path`. */
export async function makeTree(path: string, { directories, filesEach }: TreeSize): Promise<void> {
  const block = new Uint8Array(4 << 20);
  let state = 1;
  for (let i = 0; i < block.length; i++) {
    state = (Math.imul(state, 1103515245) + 12345) >>> 0;
    block[i] = (state >>> 16) & (i % 3 === 0 ? 0xff : 0x1f);
  }
  for (let directory = 0; directory < directories; directory++) {
    const folder = `${path}/usr/share/part-${directory % 40}/package-${directory}`;
    await Deno.mkdir(folder, { recursive: true });
    for (let file = 0; file < filesEach; file++) {
      const number = directory * filesEach + file;
      const sizeBytes = number % 4000 === 0 ? block.length : (number * 7919) % 24_000;
      const start = (number * 4099) % (block.length - sizeBytes + 1);
      Deno.writeFileSync(`${folder}/file-${file}.txt`, block.subarray(start, start + sizeBytes));
    }
    Deno.symlinkSync("file-1.txt", `${folder}/link`);
  }
}

/** Packs the tree with GNU tar. */
export async function packTree(tree: string, tar: string): Promise<void> {
  await mustRun(["tar", "-cf", tar, "--format=posix", "--sort=name", "-C", tree, "."]);
}
