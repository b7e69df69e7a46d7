export { createCallBudget } from './call-budget.ts';
export { createCallCounter } from './call-counter.ts';
export { createLoginWatch } from './login-watch.ts';
export { type CallTrouble, type OpenProcore, openProcore, troubleInWords } from './open-procore.ts';
