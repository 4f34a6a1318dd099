/** The same sentence for a person who reads Japanese and one who reads English; `{name}` is filled from an error's detail. */
export type Sentence = { readonly ja: string; readonly en: string };

/** Who has to act. The names that people see are `whoLabels` in errors.ts; the operator's own name comes from configuration. */
export type Who = 'provider' | 'operator' | 'collabCarrier' | 'customer' | 'installer' | 'nobody';

/** `later`: tried again by itself · `never`: the same input fails again · `after-operator`: the operator has to change something first. */
export type Retry = 'later' | 'never' | 'after-operator';

/** What one `detail.kind` says instead; what it leaves out stays as in its row. */
export type Variant = { readonly summary?: Sentence; readonly remedy?: Sentence; readonly who?: Who; readonly retry?: Retry };

/** One row, one remedy. */
export type ErrorEntry = {
  readonly number: string;
  readonly summary: Sentence;
  readonly remedy: Sentence;
  readonly who: Who;
  readonly retry: Retry;
  /** Chosen by `detail.kind`; `first` is also chosen when the detail names no earlier version (`prev`). */
  readonly variants?: Readonly<Record<string, Variant>>;
  /** Remedy for a line that was sold by a collaboration carrier (`detail.access` is `COLLAB`): the customer is sent there. */
  readonly collab?: Sentence;
  /** What a placeholder says when the detail does not name it. */
  readonly defaults?: Readonly<Record<string, Sentence>>;
  /** Placeholders whose numbers are bytes, shown with their unit because the sentence has none. */
  readonly inBytes?: readonly string[];
};

export type ErrorRows = Readonly<Record<string, ErrorEntry>>;
