/** Mounts of commands for tests of runners. */
import type { CommandMount } from "../../src/runner/command_mount.ts";
import { rawPath } from "../../src/sys/raw_path.ts";

/** A file of `text` that only memory holds. */
export function contentMount(target: string, text: string, more: Partial<ContentAccess> = {}): CommandMount {
  const content = new TextEncoder().encode(text);
  return { kind: "content", target: rawPath(target), content, mode: 0o400, uid: 0, gid: 0, ...more };
}

interface ContentAccess {
  readonly mode: number;
  readonly uid: number;
  readonly gid: number;
}

/** A folder with one file, `f`, which is copied unless `shareable` says where it is. */
export function treeMount(target: string, text: string, more: TreeOptions = {}): CommandMount {
  return {
    kind: "tree",
    target: rawPath(target),
    isFolder: true,
    isReadOnly: more.isReadOnly ?? true,
    shareable: more.shareable === undefined ? undefined : rawPath(more.shareable),
    async copyTo(place): Promise<void> {
      await Deno.mkdir(place);
      await Deno.writeTextFile(`${place}/f`, text);
      if (more.failsHalfway) throw new TypeError("halfway");
    },
  };
}

interface TreeOptions {
  readonly isReadOnly?: boolean;
  readonly shareable?: string;
  readonly failsHalfway?: boolean;
}

/** A cache in `folder`, lent by renaming. */
export function cacheMount(target: string, folder: string): CommandMount {
  return {
    kind: "cache",
    target: rawPath(target),
    isReadOnly: false,
    folder: rawPath(folder),
    lend: (place) => Deno.rename(folder, place),
    takeBack: (place) => Deno.rename(place, folder),
  };
}

/** A tmpfs. */
export function tmpfsMount(target: string, sizeBytes?: number): CommandMount {
  return { kind: "tmpfs", target: rawPath(target), sizeBytes };
}
