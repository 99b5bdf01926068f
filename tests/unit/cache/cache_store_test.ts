/** Several stores in order, and stores that fail. */
import { deepEqual, equal, rejects } from "node:assert/strict";
import { type CacheStore, forgiving, tiered } from "../../../src/cache/cache_store.ts";
import { CancelledError, FormatError } from "../../../src/errors.ts";
import { entryOf, keyOf } from "../../support/cache_entries.ts";
import { recordingLogger } from "../../support/registry_world.ts";

const SIGNAL = new AbortController().signal;
const KEY = keyOf("a");
const PATIENCE = { lookupMs: 1000, storeMs: 1000, maxFailures: 3 };

function storeOf(name: string, changes: Partial<CacheStore> = {}): CacheStore {
  return {
    name,
    lookup: (key) => Promise.resolve({ ...entryOf(key, name), origin: name }),
    store: () => Promise.resolve(),
    ...changes,
  };
}

const EMPTY: Partial<CacheStore> = { lookup: () => Promise.resolve(undefined) };
const BROKEN: Partial<CacheStore> = {
  lookup: () => Promise.reject(new FormatError("Cannot read it")),
  store: () => Promise.reject(new FormatError("Cannot write it")),
};

Deno.test("tiered gives the entry of the first store that has one", async () => {
  const store = tiered([storeOf("one", EMPTY), storeOf("two"), storeOf("three")], undefined);
  equal((await store.lookup(KEY, SIGNAL))?.origin, "two");
  equal(await tiered([storeOf("one", EMPTY)], undefined).lookup(KEY, SIGNAL), undefined);
});

Deno.test("tiered keeps in its target alone", async () => {
  const kept: string[] = [];
  const keeping = (name: string): CacheStore => storeOf(name, { store: () => Promise.resolve(void kept.push(name)) });
  const [one, two] = [keeping("one"), keeping("two")];
  await tiered([one, two], two).store(entryOf(KEY, "x"), SIGNAL);
  await tiered([one, two], undefined).store(entryOf(KEY, "x"), SIGNAL);
  deepEqual(kept, ["two"]);
});

Deno.test("forgiving passes on what a store that works says", async () => {
  const lines: string[] = [];
  const store = forgiving(storeOf("one"), recordingLogger(lines), PATIENCE);
  equal((await store.lookup(KEY, SIGNAL))?.origin, "one");
  await store.store(entryOf(KEY, "x"), SIGNAL);
  deepEqual(lines, []);
});

Deno.test("forgiving makes a failure a miss, warns once and gives up after several", async () => {
  const lines: string[] = [];
  let calls = 0;
  const lookup: CacheStore["lookup"] = () => Promise.reject(new FormatError(`Cannot read it ${++calls}`));
  const store = forgiving(storeOf("one", { lookup }), recordingLogger(lines), PATIENCE);
  for (let i = 0; i < 5; i++) equal(await store.lookup(KEY, SIGNAL), undefined);
  equal(calls, 3);
  deepEqual(lines, [
    "warn Cannot read the cache one: Cannot read it 1; going on without",
    "debug Cannot read the cache one: Cannot read it 2",
    "debug Cannot read the cache one: Cannot read it 3",
    "warn The cache one is not used any more in this build",
  ]);
});

Deno.test("forgiving makes an entry that cannot be kept a warning", async () => {
  const lines: string[] = [];
  await forgiving(storeOf("one", BROKEN), recordingLogger(lines), PATIENCE).store(entryOf(KEY, "x"), SIGNAL);
  deepEqual(lines, ["warn Cannot write to the cache one: Cannot write it; going on without"]);
});

Deno.test("forgiving makes a store that does not answer a miss", async () => {
  const lines: string[] = [];
  const stalled = storeOf("one", { lookup: () => new Promise(() => {}) });
  const store = forgiving(stalled, recordingLogger(lines), { ...PATIENCE, lookupMs: 5 });
  equal(await store.lookup(KEY, SIGNAL), undefined);
  deepEqual(lines, ["warn Cannot read the cache one: no answer within 5 ms; going on without"]);
});

Deno.test("forgiving passes on that the build was stopped", async () => {
  const stop = new AbortController();
  const store = forgiving(storeOf("one", { lookup: () => new Promise(() => {}) }), recordingLogger([]), PATIENCE);
  const answer = store.lookup(KEY, stop.signal);
  stop.abort(new CancelledError("SIGTERM"));
  await rejects(answer, /stopped by SIGTERM/);
});
