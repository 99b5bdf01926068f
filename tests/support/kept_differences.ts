/** Where kiln differs from the reference on purpose: the one table. */

/** One difference, in all the places of recordings where it shows. */
export interface KeptDifference {
  /** What kiln does instead, and why. */
  readonly reason: string;
  /** What kiln has in these places, as JSON; "nothing" where it has nothing. */
  readonly kiln: RegExp;
  /** Fixture to places in its recording, such as `layers.1.etc/hosts`. */
  readonly places: Readonly<Record<string, readonly string[]>>;
}

/** All of them. A place that has become equal fails the test. */
export const KEPT_DIFFERENCES: readonly KeptDifference[] = [
  {
    reason:
      "Directories that kiln makes by itself, and heredocs, have the base image's time (the epoch where there is none, or " +
      "SOURCE_DATE_EPOCH), and keep it when a COPY puts something in them, so that a build repeats to the byte.",
    kiln: /^"(directory 0755|file 0644) \d+:\d+ @(0|1600000000)[^@]*"$/,
    places: {
      copy_chown_scratch_ids: ["layers.0.x/"],
      scratch_files: ["layers.0.a/", "layers.0.a/b/", "layers.1.a/", "layers.1.a/b/", "layers.2.etc/"],
      link_and_chmod: ["layers.1.d/", "layers.1.d/h", "layers.1.t/"],
      source_date_epoch: ["layers.1.w/", "layers.2.w/", "layers.2.w/x/"],
      source_date_epoch_scratch: ["layers.0.d/"],
    },
  },
  {
    reason: "A directory has the time of the source directory that was copied into it last, whatever file came after " +
      "that: not the time of the build, so that a build repeats to the byte.",
    kiln: /^"directory 0755 0:0 @1577934245"$/,
    places: { copy_globs_of_dirs: ["layers.2.dest2/"], copy_links: ["layers.1.g/"], copy_again: ["layers.7.x/d/"] },
  },
  {
    reason: "Hard links stay hard links. The reference's overlay breaks them when one of the names changes, so that " +
      "its image is not what the command saw.",
    kiln: /^("hardlink to d\/c"|"file 0644 0:0 late \\"c\\\\n\\"")$/,
    places: { run_changes: ["layers.6.d/c3", "layers.6.d/c", "layers.6.d/c2", "layers.7.d/c2", "layers.7.d/c3"] },
  },
  {
    reason:
      "A directory of which only the time has changed is in the layer: an image holds exactly what its steps left. " +
      "The reference leaves it out.",
    kiln: /^"directory \d+ 0:0 (late|@1300000000)"$/,
    places: {
      run_changes: ["layers.11.d/", "layers.11.d/e2/", "layers.11.d/e2/f/"],
      run_noop_rewrites: ["layers.3.d/", "layers.4.d/"],
      run_touch_dir: ["layers.2.d/"],
    },
  },
  {
    reason: "kiln leaves no mount point in the image. The reference leaves the /dev that its runtime has made.",
    kiln: /^nothing$/,
    places: { capabilities: ["layers.3.dev/"], debian_packages: ["layers.1.dev/"] },
  },
  {
    reason:
      "kiln reads xz by itself; the reference needs an xz program beside its daemon, and copies the file without.",
    kiln: /^(nothing|"file 0644 0:0 @1500000000 \\"x\\\\n\\"")$/,
    places: { add_archive_xz: ["layers.1.d/x.xz", "layers.1.d/a"] },
  },
  {
    reason: "The working directory of a command is cleaned first. The reference's runtime makes the directories that " +
      "only lead to `..`, too.",
    kiln: /^nothing$/,
    places: { workdir_forms: ["layers.2.x/", "layers.2.x/y/"] },
  },
  {
    reason:
      "Of a base without history (here a folder), kiln makes up the entry of its layer. The reference gives that " +
      "layer the entry of the first step, and makes one up for the step.",
    kiln: /^"(buildkit.exporter.image.v0|COPY f \/f # buildkit|builder)"$/,
    places: { named_context_base: ["history.0.created_by", "history.1.created_by", "history.1.comment"] },
  },
  {
    reason:
      "kiln blames the line that has to change: the second of two equal directives, the line that closes a circle.",
    kiln: /^(1|2|3)$/,
    places: { error_directive_twice: ["line"], error_from_later: ["line"], error_only_comments: ["line"] },
  },
];
