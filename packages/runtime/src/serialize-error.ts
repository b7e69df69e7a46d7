type SerializedError = {
  name: string;
  message: string;
  code?: string | number;
  status?: number;
  reason?: string;
  stack?: string;
  cause?: SerializedError;
  errors?: SerializedError[];
};

const DEEPEST = 8;
const MOST_ERRORS = 5;

/**
 * What a log line says of an error: name, message, code, status, reason, stack frames and the chain of causes.
 * Other fields are left out on purpose: libraries put bodies, rows and credentials there.
 */
export function serializeError(error: unknown, depth = 0): SerializedError {
  if (!(error instanceof Error)) return { name: 'NotAnError', message: typeof error };
  const serialized: SerializedError = { name: error.name, message: messageOf(error) };
  const code = 'code' in error ? error.code : undefined;
  if (typeof code === 'string' || typeof code === 'number') serialized.code = code;
  if ('status' in error && typeof error.status === 'number') serialized.status = error.status;
  if ('reason' in error && typeof error.reason === 'string') serialized.reason = error.reason;
  const frames = framesOf(error);
  if (depth === 0 && frames !== '') serialized.stack = `${error.name}: ${serialized.message}\n${frames}`;
  if (depth >= DEEPEST) return serialized;
  if (error instanceof AggregateError) {
    serialized.errors = error.errors.slice(0, MOST_ERRORS).map((each) => serializeError(each, depth + 1));
  }
  if (error.cause !== undefined) serialized.cause = serializeError(error.cause, depth + 1);
  return serialized;
}

// JSON.parse quotes the text it could not read, and that text may be a body.
function messageOf(error: Error): string {
  if (!(error instanceof SyntaxError)) return error.message;
  return error.message.replace(/, (\.\.\.)?".*"(\.\.\.)? is not valid JSON$/s, ', not valid JSON');
}

function framesOf(error: Error): string {
  const lines = error.stack?.split('\n') ?? [];
  return lines.filter((line) => /^ {4}at /.test(line)).join('\n');
}
