export {
  type FindTarget,
  type MetadataSource,
  type RefreshParts,
  refreshAt,
  type SeenStore,
  type TrustedTarget,
} from './refresh.ts';
