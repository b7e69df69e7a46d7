// The one thing of the mirror that the simulator shares: what Procore's resources are called and where they live.
export { type CataloguedResource, catalogue } from '@procore-mirror/mirror';
