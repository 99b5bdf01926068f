import { deepEqual } from "node:assert/strict";
import { renderMounts } from "../../../src/plan/render_mounts.ts";

const ACCESS = { mode: 0o400, uid: 1, gid: 2 } as const;

Deno.test("renderMounts shows all that decides what a command sees", () => {
  const lines = renderMounts([
    { kind: "bind", target: "/t", from: { kind: "context" }, source: "/s", isReadOnly: true },
    { kind: "bind", target: "/t", from: { kind: "context" }, source: "/", isReadOnly: false },
    { kind: "cache", target: "/c", id: "i", source: "/", isReadOnly: false, sharing: "locked", ...ACCESS },
    { kind: "cache", target: "/c", id: "i", source: "/p", isReadOnly: true, sharing: "shared", ...ACCESS },
    {
      kind: "cache",
      target: "/c",
      id: "i",
      from: { kind: "context" },
      source: "/p",
      isReadOnly: false,
      sharing: "shared",
      ...ACCESS,
    },
    { kind: "tmpfs", target: "/t" },
    { kind: "tmpfs", target: "/t", sizeBytes: 7 },
    { kind: "secret", id: "s", target: "/f", env: "E", isRequired: true, ...ACCESS },
    { kind: "secret", id: "s", env: "E", isRequired: false, ...ACCESS },
    { kind: "ssh", id: "default", target: "/a", isRequired: false, ...ACCESS },
  ], () => "somewhere");
  deepEqual(lines, [
    'mount bind "/t" from somewhere "/s" read-only',
    'mount bind "/t" from somewhere "/" writes are lost',
    'mount cache "/c" id "i" locked mode 0400 owner 1:2',
    'mount cache "/c" id "i" source "/p" shared read-only mode 0400 owner 1:2',
    'mount cache "/c" id "i" from somewhere "/p" shared mode 0400 owner 1:2',
    'mount tmpfs "/t"',
    'mount tmpfs "/t" size 7',
    'mount secret "/f" id "s" env "E" required mode 0400 owner 1:2',
    'mount secret id "s" env "E" mode 0400 owner 1:2',
    'mount ssh "/a" id "default" mode 0400 owner 1:2',
  ]);
});
