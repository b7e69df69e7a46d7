export { createCallBudget } from './call-budget.ts';
export { createLoginWatch } from './login-watch.ts';
export { type CallTrouble, openProcore, troubleInWords } from './open-procore.ts';
