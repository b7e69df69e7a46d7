// What an HTTP status of Procore's API means to us. The one place that knows numbers; everybody else asks for the meaning.
// Sources: `E` Procore's own page on errors, https://procore.github.io/documentation/error-reference; `L` its page on limits,
// https://procore.github.io/documentation/rate-limiting; `H` https://www.rfc-editor.org/rfc/rfc9110#section-15; `R` what running
// integrations report (docs/procore.md: What a status means). What follows: docs/architecture.md, When Procore refuses.

export type StatusMeaning =
  /** Done. */
  | 'success'
  /** Something between us and Procore answered instead: trouble that passes and says nothing of what was asked for. */
  | 'on the way'
  /** The token is not accepted, or the app is not installed in this company. */
  | 'unauthorized'
  /** We may not see this. */
  | 'refused'
  /** It is not there, or we may not see it. */
  | 'absent'
  /** The answer would be too large. */
  | 'too large'
  /** Our calls are used up. */
  | 'limited'
  /** This address has too much to do. */
  | 'busy'
  /** Procore failed at it. */
  | 'failing'
  /** Not in this way: the same request will be answered the same. */
  | 'not understood';

const MEANINGS: Readonly<Record<number, StatusMeaning>> = {
  401: 'unauthorized', // E: the token is missing, expired or revoked; R: also where the app is not installed
  403: 'refused', // E: no permission, or for everything where an administrator disconnected the app
  404: 'absent', // E: not found, or not visible to the service account
  407: 'on the way', // H: a proxy wants to know who we are
  408: 'too large', // R: Procore sends it for an answer that takes too long to make; the same again gets the same
  410: 'absent', // H: gone
  429: 'limited', // L
  503: 'busy', // E: heavy load, come back after Retry-After
  511: 'on the way', // https://www.rfc-editor.org/rfc/rfc6585#section-6: a network wants a login
};

/** Another address is named instead, which is not followed. */
export function isRedirect(status: number): boolean {
  return status >= 300 && status <= 399;
}

/** A request for several things was done for some of them (https://www.rfc-editor.org/rfc/rfc4918#section-13). */
export function isDoneInPart(status: number): boolean {
  return status === 207;
}

/** What the status means; one that nobody listed means what its class does (RFC 9110, 15). */
export function meaningOf(status: number): StatusMeaning {
  const meaning = MEANINGS[status];
  if (meaning !== undefined) return meaning;
  if (status >= 200 && status <= 299) return 'success';
  if (status < 400) return 'on the way'; // Procore's API redirects nobody; a page for maintenance or a login does
  return status >= 500 ? 'failing' : 'not understood';
}
