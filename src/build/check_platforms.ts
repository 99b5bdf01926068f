/** Refuses, before anything is done, builds with commands for a machine that this one cannot stand in for. */
import type { Platform } from "../oci/platform.ts";
import { formatPlatform } from "../oci/platform.ts";
import type { Plan } from "../plan/plan.ts";
import { type MachineProbe, whyNotRunnable } from "../runner/emulation.ts";
import { atSource, type DockerfileSource } from "./source_error.ts";

/**
 * Checks each platform that has a RUN, once. Throws SourceError at the first RUN for a platform that `own` cannot run; a
 * stage without RUN may be for any.
 */
export async function checkPlatforms(
  plan: Plan,
  own: Platform,
  probe: MachineProbe,
  source: DockerfileSource,
): Promise<void> {
  const checked = new Set<string>();
  for (const { platform, steps } of plan.stages) {
    const run = steps.find(({ kind }) => kind === "run");
    if (run === undefined || checked.has(formatPlatform(platform))) continue;
    checked.add(formatPlatform(platform));
    await atSource(source, run.range, async () => {
      const reason = await whyNotRunnable(platform, own, probe);
      if (reason !== undefined) throw reason;
    });
  }
}
