import { limitYoungGeneration } from './limit-young-generation.ts';

limitYoungGeneration(); // before anything large is loaded, for loading makes it grow, too
await import('./run-worker.ts');
