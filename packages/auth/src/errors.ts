/** No token could be had. `rejected`: the login server does not accept the credentials; `unreachable`: it cannot be asked. */
export class AuthError extends Error {
  override name = 'AuthError' as const;
  readonly reason: 'rejected' | 'unreachable';

  constructor(reason: 'rejected' | 'unreachable', message: string, options?: ErrorOptions) {
    super(message, options);
    this.reason = reason;
  }
}
