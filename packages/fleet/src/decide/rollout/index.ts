export { previewRollout, type RolloutPreview } from './preview.ts';
