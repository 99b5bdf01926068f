import { equal, notEqual, throws } from "node:assert/strict";
import { createContentHasher } from "../../../src/rootfs/content_hash.ts";
import { contentAt, contentOf } from "../../../src/snapshot/content_of.ts";
import { setXattr } from "../../../src/sys/inode.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { AT_CWD } from "../../../src/sys/stat.ts";
import { TempRoot } from "../../support/temp_root.ts";

Deno.test("contentOf hashes the whole body, and the capability", async () => {
  using root = new TempRoot();
  const hasher = await createContentHasher();
  const text = "x".repeat(600_000);
  root.file("/d/a", text);
  hasher.begin(undefined);
  hasher.update(new TextEncoder().encode(text));
  const expected = hasher.end();
  equal(contentOf(root.rootfs, rawPath("/d/a"), hasher), expected);
  equal(contentAt(AT_CWD, rawPath(root.host("/d/a")), hasher), expected);
  setXattr(rawPath(root.host("/d/a")), "security.capability", Uint8Array.of(1, 0, 0, 2, ...new Uint8Array(16)));
  notEqual(contentOf(root.rootfs, rawPath("/d/a"), hasher), expected);
});

Deno.test("contentOf throws when there is no file, or a symlink", async () => {
  using root = new TempRoot();
  const hasher = await createContentHasher();
  root.symlink("/s", "/etc/passwd");
  throws(() => contentOf(root.rootfs, rawPath("/none"), hasher), { name: "SystemError", errnoName: "ENOENT" });
  throws(() => contentOf(root.rootfs, rawPath("/s"), hasher), { name: "SystemError", errnoName: "ELOOP" });
});
