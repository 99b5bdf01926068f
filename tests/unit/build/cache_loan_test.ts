import { deepEqual, equal, rejects } from "node:assert/strict";
import { CacheLoan, type LentCache, recoverCaches } from "../../../src/build/cache_loan.ts";
import { tryLockFile } from "../../../src/sys/file_lock.ts";
import { rawPath } from "../../../src/sys/raw_path.ts";
import { listFiles } from "../../support/leftovers.ts";
import { makeStageWorld } from "../../support/stage_world.ts";

interface Scene extends AsyncDisposable {
  readonly folder: string;
  readonly place: string;
  readonly notes: string;
  readonly stop: AbortController;
  readonly loan: (more?: Partial<LentCache>) => CacheLoan;
}

/** A cache with the file `f`, and a place to lend it to. */
async function makeScene(): Promise<Scene> {
  const world = await makeStageWorld();
  const notes = `${world.session.work.path}/caches`;
  const folder = `${notes}/key`;
  await Deno.mkdir(folder, { recursive: true });
  await Deno.chmod(folder, 0o750);
  await Deno.writeTextFile(`${folder}/f`, "old");
  const lock = tryLockFile(rawPath(`${folder}.lock`), "exclusive");
  if (lock === undefined) throw new TypeError("somebody else has the lock");
  const stop = new AbortController();
  const session = { ...world.session, services: { ...world.session.services, signal: stop.signal } };
  const cache = { folder: rawPath(folder), isReadOnly: false, isMovable: true, lock, notesFolder: rawPath(notes) };
  return {
    folder,
    place: `${world.session.work.path}/place`,
    notes,
    stop,
    loan: (more = {}) => new CacheLoan({ ...cache, ...more }, session),
    async [Symbol.asyncDispose](): Promise<void> {
      lock[Symbol.dispose]();
      await world[Symbol.asyncDispose]();
    },
  };
}

for (const isMovable of [true, false]) {
  Deno.test(`CacheLoan takes what a command has made of a cache that is ${isMovable ? "moved" : "copied"}`, async () => {
    await using scene = await makeScene();
    const loan = scene.loan({ isMovable });
    await loan.lend(rawPath(scene.place));
    await Deno.writeTextFile(`${scene.place}/g`, "new");
    await Deno.remove(`${scene.place}/f`);
    await loan.takeBack(rawPath(scene.place));
    deepEqual(await listFiles(scene.notes), ["key", "key.lock", "key/g"]);
    equal(((await Deno.stat(scene.folder)).mode ?? 0) & 0o777, 0o750);
  });

  Deno.test(`CacheLoan keeps nothing of a read-only cache that is ${isMovable ? "movable" : "copied"}`, async () => {
    await using scene = await makeScene();
    const loan = scene.loan({ isMovable, isReadOnly: true });
    await loan.lend(rawPath(scene.place));
    await Deno.writeTextFile(`${scene.place}/g`, "new");
    await loan.takeBack(rawPath(scene.place));
    deepEqual(await listFiles(scene.folder), ["f"]);
  });
}

Deno.test("CacheLoan makes an empty cache of one that the command removed", async () => {
  await using scene = await makeScene();
  const loan = scene.loan();
  await loan.lend(rawPath(scene.place));
  await Deno.remove(scene.place, { recursive: true });
  await loan.takeBack(rawPath(scene.place));
  deepEqual(await listFiles(scene.notes), ["key", "key.lock"]);
});

Deno.test("CacheLoan moves a cache back also when the build is stopped, and drops a copy", async () => {
  await using scene = await makeScene();
  for (const [isMovable, files] of [[false, ["f"]], [true, ["f", "g"]]] as const) {
    const loan = scene.loan({ isMovable });
    await loan.lend(rawPath(scene.place));
    await Deno.writeTextFile(`${scene.place}/g`, "new");
    if (isMovable) scene.stop.abort(new TypeError("enough"));
    else await Deno.remove(`${scene.place}/g`);
    await loan.takeBack(rawPath(scene.place));
    deepEqual(await listFiles(scene.folder), files);
    await Deno.remove(scene.place, { recursive: true }).catch(() => {});
  }
  await rejects(scene.loan({ isMovable: false }).lend(rawPath(scene.place)), /enough/);
});

Deno.test("recoverCaches takes back what a killed build has lent, once and only that", async () => {
  await using scene = await makeScene();
  await scene.loan().lend(rawPath(scene.place));
  await Deno.writeTextFile(`${scene.place}/g`, "new");
  await recoverCaches(rawPath(scene.notes));
  deepEqual(await listFiles(scene.notes), ["key", "key.lock", "key/f", "key/g"]);
  await scene.loan().lend(rawPath(scene.place));
  await Deno.rename(scene.place, `${scene.place}.moved`);
  await Deno.mkdir(scene.place);
  await recoverCaches(rawPath(scene.notes));
  deepEqual(await listFiles(scene.notes), ["key.lock"], "another folder is there now");
  await recoverCaches(rawPath(`${scene.notes}/none`));
});
