/**
 * The pipeline: open the context, parse the Dockerfile, make the plan (resolving bases), then for each stage make its
 * image, and at the end save and push.
 */
import { CachingSource } from "../blob/caching_source.ts";
import { type BuildContext, openContext, readDockerfile } from "../context/context.ts";
import { imageOf } from "../image/image.ts";
import type { Plan } from "../plan/plan.ts";
import { renderPlan } from "../plan/render_plan.ts";
import { createRegistry, type Registry } from "../registry/registry.ts";
import { systemRegistryServices } from "../registry/registry_services.ts";
import { createContentHasher } from "../rootfs/content_hash.ts";
import { systemProbe } from "../runner/emulation.ts";
import type { BuildOutcome, BuildRequest } from "./build_request.ts";
import { buildSoundly, openLayerCache } from "./cached_build.ts";
import type { LayerCache } from "./layer_cache.ts";
import { buildStages } from "./build_stages.ts";
import { CacheFolders } from "./cache_folders.ts";
import type { BuildSession } from "./build_session.ts";
import { checkPlatforms } from "./check_platforms.ts";
import { ImageFolders } from "./copy_source.ts";
import { deliver, finishImage } from "./outputs.ts";
import { checkBuild, planBuild } from "./plan_build.ts";
import { chooseRootPlace } from "./root_place.ts";
import { RemoteFolders } from "./remote_folders.ts";
import type { Services } from "./services.ts";
import { readMountRequest } from "./step_mounts.ts";
import type { DockerfileSource } from "./source_error.ts";
import { StepKeys } from "./step_keys.ts";
import { buildSummary } from "./summary.ts";
import { WorkFolder } from "./work_folder.ts";

/** Builds what `request` asks for. Throws BuilderErrors, those about the Dockerfile as SourceError. */
export async function build(request: BuildRequest, services: Services): Promise<BuildOutcome> {
  const { dockerfile, subPath } = request.context;
  const { currentDirectory } = services;
  await using context = await openContext(request.context.source, { dockerfile, subPath, currentDirectory });
  const { path, bytes } = await readDockerfile(dockerfile, context);
  const source: DockerfileSource = { path, text: new TextDecoder().decode(bytes) };
  using registry = openRegistry(request, services);
  const subject = { source, bytes, context, options: request.plan, resolver: registry.resolver };
  if (request.isCheck === true) return { kind: "checked", report: await checkBuild(subject) };
  const plan = await planBuild(subject, services);
  if (request.isDryRun) return { kind: "planned", text: renderPlan(plan) };
  await checkPlatforms(plan, request.plan.buildPlatform, systemProbe(), source);
  const { outputs } = request;
  if (outputs.push && outputs.checkPushPermission) await registry.checkPush(outputs.destinations);
  const cache = await openLayerCache(request, registry, services);
  return await buildSoundly(cache, request, services, (attempt) => {
    return buildPlan(plan, { request: attempt, source, context, registry, services, cache });
  });
}

/** What is known once the plan is made. */
interface Prepared {
  readonly request: BuildRequest;
  readonly source: DockerfileSource;
  readonly context: BuildContext;
  readonly registry: Registry;
  readonly services: Services;
  readonly cache: LayerCache | undefined;
}

async function buildPlan(plan: Plan, prepared: Prepared): Promise<BuildOutcome> {
  const { request, source, context, registry, services, cache } = prepared;
  const mounts = await readMountRequest(request.mounts, services);
  const startedMs = services.nowMs();
  const isReproducible = request.layers.isReproducible === true;
  const epochSeconds = plan.sourceDateEpoch ?? (isReproducible ? 0 : undefined);
  const place = chooseRootPlace(request.root, services);
  const caches = new CacheFolders(place.caches);
  await caches.recover();
  await using work = await WorkFolder.create(place.workParent);
  const images = new ImageFolders();
  const session: BuildSession = {
    source,
    context,
    work,
    ...place.open(work, context, [...request.credentialPaths, ...filesInUse(request, registry, services)]),
    hasher: await createContentHasher(),
    layers: request.layers,
    epochNs: epochSeconds === undefined ? undefined : BigInt(epochSeconds) * 1_000_000_000n,
    createdMs: isReproducible ? () => (epochSeconds ?? 0) * 1000 : services.nowMs,
    supplies: { ...mounts, caches },
    services,
    imageOf: (resolved) => imageOf(resolved, new CachingSource(registry.layerSource(resolved), work.layout)),
    remotes: new RemoteFolders(),
    imageFiles: (resolved) => images.unpacked(resolved, session),
  };
  const caching = cache && { cache, keys: new StepKeys(plan, session) };
  const image = await buildStages(plan, { ...session, caching }).finally(() => cache?.settle());
  const finished = finishImage(image, request.outputs, epochSeconds);
  const result = await deliver(finished, request.outputs, registry, services);
  const costs = { durationMs: services.nowMs() - startedMs, peakDiskBytes: work.disk.peakBytes };
  services.log.info(buildSummary(finished, baseLayerCount(plan), costs));
  return { kind: "built", result };
}

/** Layers of the image that the target's first ancestor starts from. */
function baseLayerCount(plan: Plan): number {
  let base = plan.target.base;
  while (base.kind === "stage") {
    const { stageIndex } = base;
    const parent = plan.stages.find(({ index }) => index === stageIndex);
    if (parent === undefined) return 0;
    base = parent.base;
  }
  return base.kind === "image" ? base.image.manifest.layers.length : 0;
}

/** Images, caches and named contexts in files; like the login, they must survive a build in place: named by a file below. */
function filesInUse(
  { cache, plan }: BuildRequest,
  registry: Registry,
  { currentDirectory }: Services,
): readonly string[] {
  const places = cache === undefined ? [] : [...cache.target === undefined ? [] : [cache.target], ...cache.sources];
  const caches = places.flatMap((place) => place.kind === "layout" ? [place.path] : []);
  const named = [...plan.namedContexts?.values() ?? []].flatMap((context) =>
    context.kind === "folder" ? [context.path] : []
  );
  return [...registry.localPaths(), ...caches, ...named].map((path) =>
    `${path.startsWith("/") ? path : `${currentDirectory}/${path}`}/index.json`
  );
}

function openRegistry(request: BuildRequest, { log, env, signal }: Services): Registry {
  const { credentialPaths } = request;
  return createRegistry(request.registry, systemRegistryServices({ log, env, credentialPaths, signal }));
}
