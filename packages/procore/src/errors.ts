// A class exists where a caller branches on it; `judge-failure.ts` of the mirror maps them to outcomes. Messages name
// method, path and ids. No token and no body of an answer ever gets in, `cause` included.
import { meaningOf, type StatusMeaning } from './status-meaning.ts';

/** No answer of Procore's came: DNS, refused, reset, time-out, or a page of something on the way. Worth another try later. */
export class ProcoreUnreachableError extends Error {
  override name = 'ProcoreUnreachableError' as const;
  /** Was it waited for as long as a request may take? */
  readonly isTimeOut: boolean;

  constructor(message: string, options: ErrorOptions & { isTimeOut?: boolean } = {}) {
    super(message, options);
    this.isTimeOut = options.isTimeOut ?? false;
  }
}

/** No access token was to be had, so nothing was asked. `isRejected`: the login server refuses the credentials. */
export class ProcoreTokenError extends Error {
  override name = 'ProcoreTokenError' as const;
  readonly isRejected: boolean;

  constructor(message: string, options: ErrorOptions & { isRejected: boolean }) {
    super(message, options);
    this.isRejected = options.isRejected;
  }
}

/** 429 or 503: come back at `resumeAt` (ms since the epoch, by our clock), not before. */
export class ProcoreBusyError extends Error {
  override name = 'ProcoreBusyError' as const;
  readonly resumeAt: number;
  readonly status: number;
  readonly meaning: StatusMeaning;

  constructor(message: string, options: ErrorOptions & { resumeAt: number; status: number }) {
    super(message, options);
    this.resumeAt = options.resumeAt;
    this.status = options.status;
    this.meaning = meaningOf(options.status);
  }
}

/** Any other answer than 2xx, redirects included. `meaning` says what to make of its status. */
export class ProcoreResponseError extends Error {
  override name = 'ProcoreResponseError' as const;
  readonly status: number;
  readonly meaning: StatusMeaning;

  constructor(message: string, options: ErrorOptions & { status: number }) {
    super(message, options);
    this.status = options.status;
    this.meaning = meaningOf(options.status);
  }
}

/** A 2xx answer with more bytes than an answer may have. */
export class ProcoreTooLargeError extends Error {
  override name = 'ProcoreTooLargeError' as const;
}

/** A 2xx answer that is not what we rely on; `issues` say where it differs, without quoting it. */
export class ProcoreFormatError extends Error {
  override name = 'ProcoreFormatError' as const;
  readonly issues: string[];

  constructor(message: string, options: ErrorOptions & { issues: string[] }) {
    super(`${message}: ${options.issues.join('; ')}`, options);
    this.issues = options.issues;
  }
}
