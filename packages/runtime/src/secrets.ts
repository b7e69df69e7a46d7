// No secret leaves memory. Everything that is written passes `redact`, which knows each secret in every
// spelling it may have on its way: as it is, within JSON, within a URL or form, and within base64 (Basic credentials).

/** The secrets of this process, and how to keep them out of text. */
export type Secrets = {
  /** Makes a secret known. Values shorter than eight characters are ignored: they would turn up in innocent text. */
  add: (value: string) => void;
  /** The text with every known secret replaced by `[redacted]`. */
  redact: (text: string) => string;
};

const SHORTEST = 8;
// Credentials come first and stay for ever; access tokens follow without end, and only the latest are still worth hiding.
const KEPT_FOR_EVER = 64;
const KEPT_IN_TURN = 64;

/** Knows no secret yet. Credentials added first are kept for ever, of the rest (access tokens) the 64 added last. */
export function createSecrets(): Secrets {
  const formsBySecret = new Map<string, readonly string[]>();
  let forms: readonly string[] = [];

  /** Whoever adds a secret once more still uses it: it counts as the latest. */
  function keepLonger(value: string, known: readonly string[]): void {
    if ([...formsBySecret.keys()].indexOf(value) < KEPT_FOR_EVER) return;
    formsBySecret.delete(value);
    formsBySecret.set(value, known);
  }

  return {
    add(value) {
      if (value.length < SHORTEST) return;
      const known = formsBySecret.get(value);
      if (known !== undefined) return keepLonger(value, known);
      formsBySecret.set(value, formsOf(value));
      if (formsBySecret.size > KEPT_FOR_EVER + KEPT_IN_TURN) {
        const oldestInTurn = [...formsBySecret.keys()][KEPT_FOR_EVER];
        if (oldestInTurn !== undefined) formsBySecret.delete(oldestInTurn);
      }
      // The longest first, so that a secret which is part of another leaves nothing of the other behind.
      forms = [...new Set([...formsBySecret.values()].flat())].sort((a, b) => b.length - a.length);
    },
    redact: (text) => forms.reduce((redacted, form) => redacted.replaceAll(form, '[redacted]'), text),
  };
}

function formsOf(secret: string): string[] {
  const inJson = withinJson(secret);
  const inUrl = encodeURIComponent(secret.toWellFormed());
  const inForm = new URLSearchParams({ '': secret }).toString().slice(1);
  const percented = [inUrl, inForm].flatMap((form) => [form, form.replaceAll(/%../g, (code) => code.toLowerCase())]);
  return [secret, inJson, withinJson(inJson), ...percented, ...base64Forms(secret)];
}

function withinJson(text: string): string {
  return JSON.stringify(text).slice(1, -1);
}

// Base64 spells a text in three ways, depending on how many bytes stand before it (as in `id:secret`). Of each spelling
// only the characters count that depend on the secret alone.
function base64Forms(secret: string): string[] {
  return [0, 1, 2].flatMap((shift) => {
    const bytes = Buffer.concat([Buffer.alloc(shift), Buffer.from(secret)]);
    const form = bytes.toString('base64').slice(shift === 0 ? 0 : shift + 1, Math.floor((bytes.length * 8) / 6));
    return [form, form.replaceAll('+', '-').replaceAll('/', '_')];
  });
}
