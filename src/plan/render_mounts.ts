/** The mounts of a RUN in a plan's text: one line each, secrets by their ids alone. */
import type { CopySource, RunMount } from "./plan.ts";

/** One line for each of `mounts`; `renderSource` names where files come from. */
export function renderMounts(
  mounts: readonly RunMount[],
  renderSource: (source: CopySource) => string,
): readonly string[] {
  return mounts.map((mount) => ["mount", mount.kind, ...words(mount, renderSource)].join(" "));
}

function words(mount: RunMount, renderSource: (source: CopySource) => string): readonly string[] {
  const target = mount.target === undefined ? [] : [JSON.stringify(mount.target)];
  switch (mount.kind) {
    case "bind": {
      const from = ["from", renderSource(mount.from), JSON.stringify(mount.source)];
      return [...target, ...from, mount.isReadOnly ? "read-only" : "writes are lost"];
    }
    case "cache": {
      const { from, source } = mount;
      const origin = from === undefined ? [] : ["from", renderSource(from)];
      const part = source === "/" ? [] : [...(from === undefined ? ["source"] : []), JSON.stringify(source)];
      const sharing = mount.isReadOnly ? [mount.sharing, "read-only"] : [mount.sharing];
      return [...target, "id", JSON.stringify(mount.id), ...origin, ...part, ...sharing, ...renderAccess(mount)];
    }
    case "tmpfs":
      return mount.sizeBytes === undefined ? target : [...target, `size ${mount.sizeBytes}`];
    case "secret": {
      const env = mount.env === undefined ? [] : ["env", JSON.stringify(mount.env)];
      const need = mount.isRequired ? ["required"] : [];
      return [...target, "id", JSON.stringify(mount.id), ...env, ...need, ...renderAccess(mount)];
    }
    case "ssh": {
      const need = mount.isRequired ? ["required"] : [];
      return [...target, "id", JSON.stringify(mount.id), ...need, ...renderAccess(mount)];
    }
  }
}

function renderAccess(node: { readonly mode: number; readonly uid: number; readonly gid: number }): readonly string[] {
  return [`mode ${node.mode.toString(8).padStart(4, "0")}`, `owner ${node.uid}:${node.gid}`];
}
