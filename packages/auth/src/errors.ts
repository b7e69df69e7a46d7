/** No token could be had. `rejected`: the login server says no, and asking again will not help; `unreachable`: try later. */
export class AuthError extends Error {
  override name = 'AuthError' as const;
  readonly reason: 'rejected' | 'unreachable';

  constructor(reason: 'rejected' | 'unreachable', message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
