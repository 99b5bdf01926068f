import { deepEqual, equal } from "node:assert/strict";
import {
  addEmptyEntry,
  addLayerEntry,
  clampTimes,
  HISTORY_COMMENT,
  normaliseHistory,
} from "../../../src/image/history.ts";
import { parseDiffId } from "../../../src/oci/digest.ts";
import type { HistoryEntry, ImageConfig } from "../../../src/oci/image_config.ts";

const comment = HISTORY_COMMENT;
const [EARLY, MIDDLE, LATE] = ["2020-01-01T00:00:00Z", "2021-01-01T00:00:00Z", "2022-01-01T00:00:00Z"];

function configOf(layers: number, history: readonly HistoryEntry[], created?: string): ImageConfig {
  const diffIds = Array.from({ length: layers }, (_, i) => parseDiffId(`sha256:${String(i).padStart(64, "0")}`));
  return {
    architecture: "amd64",
    os: "linux",
    config: {},
    rootfs: { type: "layers", diff_ids: diffIds },
    history,
    ...(created !== undefined && { created }),
  };
}

const repairs: readonly (readonly [string, number, readonly HistoryEntry[], readonly HistoryEntry[]])[] = [
  ["it fits", 1, [{ created_by: "a" }, { created_by: "b", empty_layer: true }], [
    { created_by: "a" },
    { created_by: "b", empty_layer: true },
  ]],
  ["there are too many entries", 1, [{ created_by: "a" }, { created_by: "b" }], [
    { created_by: "a" },
    { created_by: "b", empty_layer: true },
  ]],
  ["there are too few", 2, [{ created: EARLY, created_by: "a" }], [
    { created: EARLY, created_by: "a" },
    { created: EARLY, comment },
  ]],
  ["there is none", 2, [], [{ comment }, { comment }]],
  ["there are no layers", 0, [{ created_by: "a" }], [{ created_by: "a", empty_layer: true }]],
];
for (const [name, layers, before, after] of repairs) {
  Deno.test(`normaliseHistory makes history fit the layers when ${name}`, () => {
    deepEqual(normaliseHistory(configOf(layers, before)).history, after);
  });
}

Deno.test("addLayerEntry gives its time to the build's entries before it, when it is the first layer", () => {
  const base = configOf(1, [{ created: EARLY, created_by: "base" }, { created_by: "old", empty_layer: true }], EARLY);
  const one = addLayerEntry(addEmptyEntry(base, "ENV a=b"), "RUN 1", MIDDLE, 2);
  deepEqual(one.history.map((entry) => [entry.created_by, entry.created]), [
    ["base", EARLY],
    ["old", undefined],
    ["ENV a=b", MIDDLE],
    ["RUN 1", MIDDLE],
  ]);
  const two = addLayerEntry(addEmptyEntry(one, "ENV c=d"), "RUN 2", LATE, 2);
  deepEqual(two.history.slice(4).map((entry) => [entry.created_by, entry.created, entry.empty_layer]), [
    ["ENV c=d", MIDDLE, true],
    ["RUN 2", LATE, undefined],
  ]);
  equal(two.created, LATE);
});

Deno.test("addEmptyEntry takes the last time of the base when there is no new layer", () => {
  const config = addEmptyEntry(configOf(1, [{ created: EARLY }], MIDDLE), "CMD x");
  deepEqual(config.history[1], { created: EARLY, created_by: "CMD x", comment, empty_layer: true });
  equal(config.created, EARLY);
  equal("created" in addEmptyEntry(configOf(0, []), "CMD x"), false);
});

Deno.test("clampTimes makes no time of the build later, and leaves the base's alone", () => {
  const history = [{ created: LATE }, { created: EARLY }, { created: LATE }, {}];
  const config = clampTimes(configOf(0, history, LATE), MIDDLE, 1);
  deepEqual(config.history, [{ created: LATE }, { created: EARLY }, { created: MIDDLE }, {}]);
  equal(config.created, MIDDLE);
  deepEqual(clampTimes(configOf(0, [], EARLY), MIDDLE, 0).created, EARLY);
});

Deno.test("addEmptyEntry leaves the image without a time when no entry has one, whatever the base's own", () => {
  const changed = addEmptyEntry(configOf(0, [{ created_by: "base" }], EARLY), "LABEL a=b");
  equal(changed.created, undefined);
  equal(changed.history.at(-1)?.created, undefined);
});
