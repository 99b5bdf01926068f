import { deepEqual } from "node:assert/strict";
import { StageRoot } from "../../../src/build/stage_root.ts";
import { createContentHasher } from "../../../src/rootfs/content_hash.ts";
import { TempRoot } from "../../support/temp_root.ts";

/** Files are made in the instant before they are scanned; the clock says otherwise, so that they do not count as young. */
const LATER_MS = 1000;

async function rootOf(temp: TempRoot): Promise<StageRoot> {
  return new StageRoot(temp.rootfs, await createContentHasher(), () => Date.now() + LATER_MS);
}

function paths(root: StageRoot): string[] {
  return root.changesSinceBaseline().map((change) => `${change.kind} ${change.path}`);
}

Deno.test("StageRoot finds what changed since the baseline, and takes the new state as the next one", async () => {
  using temp = new TempRoot();
  temp.file("/old", "old");
  const root = await rootOf(temp);
  root.takeBaseline();
  temp.file("/new", "new");
  deepEqual(paths(root), ["write /new"]);
  root.takeBaseline();
  Deno.removeSync(temp.host("/old"));
  deepEqual(paths(root), ["remove /old"]);
});

Deno.test("StageRoot leaves out what the builder itself wrote before the baseline", async () => {
  using temp = new TempRoot();
  const root = await rootOf(temp);
  root.takeBaseline();
  deepEqual(paths(root), []);
  temp.file("/copied", "by the builder");
  root.markWritten();
  root.takeBaseline();
  temp.file("/run", "by a command");
  deepEqual(paths(root), ["write /run"]);
});
