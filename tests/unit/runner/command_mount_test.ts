import { deepEqual } from "node:assert/strict";
import { type CommandMount, isFolderMount, orderMounts } from "../../../src/runner/command_mount.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";

function tmpfs(target: string, sizeBytes?: number): CommandMount {
  return { kind: "tmpfs", target: rawPath(target), sizeBytes };
}

Deno.test("orderMounts puts outer mounts first and keeps the last of each target", () => {
  const ordered = orderMounts([tmpfs("/a/b/c"), tmpfs("/a-b"), tmpfs("/a", 1), tmpfs("/a/b"), tmpfs("/a", 2)]);
  const targets = ordered.map(({ target }) => target);
  deepEqual(targets.filter((target) => target.startsWith("/a/") || target === "/a"), ["/a", "/a/b", "/a/b/c"]);
  deepEqual(ordered.filter(({ target }) => target === "/a"), [tmpfs("/a", 2)]);
});

Deno.test("isFolderMount tells folders from files", () => {
  const target = rawPath("/t");
  const copyTo = (): Promise<void> => Promise.resolve();
  const tree = { kind: "tree", target, isReadOnly: true, copyTo } as const;
  const cache = { kind: "cache", target, isReadOnly: true, folder: target, lend: copyTo, takeBack: copyTo } as const;
  const content = { kind: "content", target, content: new Uint8Array(), mode: 0, uid: 0, gid: 0 } as const;
  const listen = (): AsyncDisposable => ({ [Symbol.asyncDispose]: () => Promise.resolve() });
  const mounts: readonly CommandMount[] = [
    tmpfs("/t"),
    cache,
    { ...tree, isFolder: true },
    { ...tree, isFolder: false },
    content,
    { kind: "socket", target, listen },
  ];
  deepEqual(mounts.map(isFolderMount), [true, true, true, false, false, false]);
});
