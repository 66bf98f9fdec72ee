export { type BundleScriptsOptions, bundleScripts } from './bundle-scripts.ts';
