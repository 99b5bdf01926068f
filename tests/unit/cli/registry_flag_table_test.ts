import { deepEqual, equal } from "node:assert/strict";
import { PUSH_FLAGS, REGISTRY_FLAGS } from "../../../src/cli/registry_flag_table.ts";

Deno.test("REGISTRY_FLAGS and PUSH_FLAGS have each name once, and none that does nothing", () => {
  const all = [...REGISTRY_FLAGS, ...PUSH_FLAGS];
  equal(new Set(all.map(({ name }) => name)).size, all.length);
  deepEqual(all.filter(({ support }) => support !== undefined), []);
});
