/** An edit cannot be made; the message says why. */
export class EditError extends Error {
  override name = 'EditError' as const;
}

/** What the control was asked about does not exist. */
export class UnknownError extends Error {
  override name = 'UnknownError' as const;
}
