/**
 * The history of a config: which instruction made which layer, and when. Each entry that is not `empty_layer` pairs with
 * a diffId, in order. Source: image-spec config.md, history; BuildKit's rules for repair and times.
 */
import type { HistoryEntry, ImageConfig } from "../oci/image_config.ts";

/** What kiln's own entries say in `comment`. */
export const HISTORY_COMMENT = "kiln";

/** `config` with a history that pairs with its layers: surplus entries are made empty, missing ones are added at the end. */
export function normaliseHistory(config: ImageConfig): ImageConfig {
  let layersLeft = config.rootfs.diff_ids.length;
  const history = config.history.map((entry): HistoryEntry => {
    if (entry.empty_layer === true) return entry;
    if (layersLeft === 0) return { ...entry, empty_layer: true };
    layersLeft--;
    return entry;
  });
  const created = lastCreated(history) ?? config.created;
  for (; layersLeft > 0; layersLeft--) {
    history.push({ ...(created !== undefined && { created }), comment: HISTORY_COMMENT });
  }
  return { ...config, history };
}

/** `config` with an entry for an instruction that made no layer. Its time is that of the entry before it. */
export function addEmptyEntry(config: ImageConfig, createdBy: string): ImageConfig {
  const created = lastCreated(config.history);
  const entry: HistoryEntry = {
    ...(created !== undefined && { created }),
    created_by: createdBy,
    comment: HISTORY_COMMENT,
    empty_layer: true,
  };
  return withHistory(config, [...config.history, entry]);
}

/**
 * `config` with an entry for a layer made at `created` (RFC 3339). The build's entries before its first layer get that
 * time too; `inherited` entries came with the base image and keep theirs.
 */
export function addLayerEntry(config: ImageConfig, createdBy: string, created: string, inherited: number): ImageConfig {
  const isFirst = config.history.slice(inherited).every((entry) => entry.empty_layer === true);
  const before = config.history.map((entry, i) => isFirst && i >= inherited ? { ...entry, created } : entry);
  return withHistory(config, [...before, { created, created_by: createdBy, comment: HISTORY_COMMENT }]);
}

/** `config` with no time of this build later than `latest` (RFC 3339, UTC); `inherited` entries keep theirs. */
export function clampTimes(config: ImageConfig, latest: string, inherited: number): ImageConfig {
  const isLater = (created: string): boolean => Date.parse(created) > Date.parse(latest);
  const history = config.history.map((entry, i): HistoryEntry => {
    const isClamped = i >= inherited && entry.created !== undefined && isLater(entry.created);
    return isClamped ? { ...entry, created: latest } : entry;
  });
  const created = config.created !== undefined && isLater(config.created) ? latest : config.created;
  return { ...config, history, ...(created !== undefined && { created }) };
}

/** The image is as old as its last entry that has a time: the base's own time is not this image's. */
function withHistory({ created: _base, ...config }: ImageConfig, history: readonly HistoryEntry[]): ImageConfig {
  const created = lastCreated(history);
  return { ...config, history, ...(created !== undefined && { created }) };
}

function lastCreated(history: readonly HistoryEntry[]): string | undefined {
  return history.findLast((entry) => entry.created !== undefined)?.created;
}
