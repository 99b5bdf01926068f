/** Texts that no message may show, such as secrets of the build: in every line that is logged, dots stand for them. */

const MASK = "****";
/** What is shorter cannot be told from ordinary words. */
const MIN_LENGTH = 4;

/** Grows as secrets become known. */
export class ConcealedTexts {
  readonly #texts = new Set<string>();

  /** Conceals `text` and, where it has several lines, each of them. */
  add(text: string): void {
    for (const part of [text, ...text.split(/\r?\n/)]) {
      const trimmed = part.trim();
      if (trimmed.length < MIN_LENGTH) continue;
      this.#texts.add(trimmed);
      this.#texts.add(JSON.stringify(trimmed).slice(1, -1));
    }
  }

  /** `line` without what is concealed; the longest texts go first, as shorter ones may be parts of them. */
  mask(line: string): string {
    const byLength = [...this.#texts].sort((a, b) => b.length - a.length);
    return byLength.reduce((masked, text) => masked.replaceAll(text, MASK), line);
  }
}
